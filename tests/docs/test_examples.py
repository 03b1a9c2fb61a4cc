"""The worked examples of docs/extending: their edits fit, their scripts print what the pages say.

All edits are applied to one copy of the packages, and one process runs all scripts: TensorFlow is
imported once.
"""

import itertools
import json
import re
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "docs" / "extending").glob("*.md"))
PAGES = {file.stem: file.read_text(encoding="utf-8") for file in FILES}
BLOCK = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)
RUN_ALL = """
import contextlib, io, json, sys, traceback
sys.path.insert(0, "")
printed = {}
for name, scripts in json.load(open(sys.argv[1])).items():
    printed[name] = []
    for script in scripts:
        out = io.StringIO()
        try:
            with contextlib.redirect_stdout(out):
                exec(compile(script, name, "exec"), {"__name__": name})
        except BaseException:
            out.write(traceback.format_exc())
        printed[name].append(out.getvalue())
json.dump(printed, open(sys.argv[2], "w"))
"""


def scripts_in(text):
    """The scripts of a page, each with what the block after it says that it prints."""
    blocks = [*BLOCK.findall(text), ("", "", "")]
    return [
        (code, after[2] if after[0] == "text" else "")
        for (language, title, code), after in itertools.pairwise(blocks)
        if language == "python" and not title
    ]


def apply_edits(text, root):
    """Applies the blocks of a page that name a file below a folder."""
    for language, title, code in BLOCK.findall(text):
        if not title:
            continue
        file = root / title
        if language == "python":
            before = file.read_text(encoding="utf-8") + "\n\n" if file.exists() else ""
            file.write_text(before + code, encoding="utf-8")
            continue
        assert language == "diff"
        lines = code.splitlines(keepends=True)
        old = "".join(line[1:] for line in lines if line[0] in " -")
        new = "".join(line[1:] for line in lines if line[0] in " +")
        before = file.read_text(encoding="utf-8")
        assert before.count(old) == 1, f"{title} has no single place for:\n{code}"
        file.write_text(before.replace(old, new), encoding="utf-8")


@pytest.fixture(scope="module")
def printed(tmp_path_factory, tensorflow_process):
    """What each script of each page prints, in a copy of the suite with the edits of all pages."""
    folder = tmp_path_factory.mktemp("suite")
    for package in ("apps", "models", "data"):
        shutil.copytree(ROOT / package, folder / package)
    for text in PAGES.values():
        apply_edits(text, folder)
    scripts = {name: [code for code, _ in scripts_in(text)] for name, text in PAGES.items()}
    (folder / "scripts.json").write_text(json.dumps(scripts), encoding="utf-8")
    answer = tensorflow_process(RUN_ALL, "scripts.json", "printed.json", cwd=folder)
    assert answer.returncode == 0, answer.stderr
    return json.loads((folder / "printed.json").read_text(encoding="utf-8"))


def test_an_edit_needs_a_single_place(tmp_path):
    (tmp_path / "a.py").write_text("x = 1\ny = 2\n")
    block = '```diff title="a.py"\n x = 1\n-y = 2\n+y = 3\n```\n'
    apply_edits(block, tmp_path)
    assert (tmp_path / "a.py").read_text() == "x = 1\ny = 3\n"
    with pytest.raises(AssertionError, match="no single place"):
        apply_edits(block, tmp_path)


def test_there_is_a_page_for_each_thing_that_one_brings():
    assert set(PAGES) == {
        *("index", "cell", "attention", "corpus", "format", "application", "task", "verb")
    }
    assert {name for name, text in PAGES.items() if scripts_in(text)} == {
        *("cell", "attention", "corpus", "format", "application", "verb")
    }


@pytest.mark.parametrize("page", [name for name, text in PAGES.items() if scripts_in(text)])
def test_a_script_prints_what_the_page_says(page, printed):
    assert printed[page] == [says for _, says in scripts_in(PAGES[page])]

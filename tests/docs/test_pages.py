"""The pages as they are read in the repository: their links, their Python, their commands."""

import ast
import builtins
import re
import shlex
from pathlib import Path

import pytest

from apps.__main__ import main
from apps.catalog import NAMES
from apps.commands.main import VERBS

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        ROOT / "notebooks" / "README.md",
        ROOT / "data" / "samples" / "README.md",
    ]
)
TEXTS = {page.relative_to(ROOT).as_posix(): page.read_text(encoding="utf-8") for page in PAGES}
FENCE = re.compile(r"^ *(`{3,})(\w*)[^\n]*\n(.*?)^ *\1 *$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"""(?:\]\(|(?:src|href)=")([^)"\s]+)[)"]""")


def blocks_in(text, language):
    return [code for _, name, code in FENCE.findall(text) if name == language]


# Blocks with a title belong to a file, with its imports: `test_examples` runs those.
BLOCKS = [
    (name, code)
    for name, text in TEXTS.items()
    for code in blocks_in(re.sub(r"^```python title=", "```titled ", text, flags=re.M), "python")
]


def unknown_names(code):
    """The names that code uses before it has them, whoever pastes it into a fresh interpreter."""
    known, unknown = set(vars(builtins)), []
    for statement in ast.parse(code).body:
        nodes = list(ast.walk(statement))
        names = [node for node in nodes if isinstance(node, ast.Name)]
        stored = {name.id for name in names if isinstance(name.ctx, ast.Store)}
        inner = {node.arg for node in nodes if isinstance(node, ast.arg)}
        inner |= {node.name for node in nodes if isinstance(node, ast.ExceptHandler) and node.name}
        targets = [node.target for node in nodes if isinstance(node, ast.comprehension)]
        inner |= {name.id for target in targets for name in ast.walk(target) if name in names}
        if hasattr(statement, "body"):
            inner |= stored
        if isinstance(statement, ast.Import | ast.ImportFrom):
            known |= {alias.asname or alias.name.split(".")[0] for alias in statement.names}
        loaded = [name.id for name in names if isinstance(name.ctx, ast.Load)]
        unknown += [name for name in loaded if name not in known | inner]
        known |= stored
        if isinstance(statement, ast.ClassDef | ast.FunctionDef):
            known.add(statement.name)
    return unknown


def anchors_in(text):
    """The anchors of the headings, as repositories and the site make them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.MULTILINE)
    plain = [re.sub(r"[^\w\- ]", "", re.sub(r"[`*]", "", heading)) for heading in headings]
    return {each.strip().lower().replace(" ", "-") for each in plain}


def dead_links(name, text):
    """The relative links of a page that lead to no file or to no heading."""
    dead = []
    for target in LINK.findall(re.sub(r"`[^`\n]+`", "", FENCE.sub("", text))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (ROOT / name).parent / path if path else ROOT / name
        found = file.exists()
        if found and anchor and file.suffix == ".md":
            found = anchor in anchors_in(file.read_text(encoding="utf-8"))
        dead += [] if found else [target]
    return dead


def commands_in(text):
    """The suite's own commands in the shell blocks of a page, as lists of words."""
    lines = "\n".join(blocks_in(text, "bash")).replace("\\\n", " ").splitlines()
    parts = [part for line in lines for part in line.split(" && ")]
    return [shlex.split(part) for part in parts if re.search(r"recurrent-text \w", part)]


def test_a_name_without_an_import_is_found():
    assert unknown_names("import a.b\nx = a.f(len('c'))\ny = x + z\nz = 1\n") == ["z"]
    assert unknown_names("def f(x):\n    y = x\n    return y + z\n") == ["z"]
    assert unknown_names("x = x + sum(y for y in range(3))") == ["x"]


def test_a_dead_link_is_found():
    text = "# One & two\n[a](#one--two) [b](#three) [c](missing.md) `[d](x.md)` [e](LICENSE#any)\n"
    assert anchors_in(text) == {"one--two"}
    assert dead_links("CHANGELOG.md", "[a](README.md#install) [b](README.md#no) [c](x.md)") == [
        "README.md#no",
        "x.md",
    ]


def test_the_readme_is_short():
    assert len(TEXTS["README.md"].splitlines()) <= 220


def test_the_readme_has_the_command_that_ci_runs():
    marked = re.findall(
        r"<!-- test command -->\n```bash\n(.*)\n```\n<!-- end -->", TEXTS["README.md"]
    )
    assert len(marked) == 1 and marked[0].endswith("-m pytest")


def test_the_pages_have_python():
    assert len(BLOCKS) >= 8


@pytest.mark.parametrize(
    ("page", "code"), BLOCKS, ids=[f"{page}-{number}" for number, (page, _) in enumerate(BLOCKS)]
)
def test_each_block_imports_all_that_it_uses(page, code):
    assert unknown_names(code) == []


@pytest.mark.parametrize("page", TEXTS)
def test_no_link_is_dead(page):
    assert dead_links(page, TEXTS[page]) == []


def test_every_page_of_docs_is_reached_from_another():
    reached = {
        (ROOT / name).parent.joinpath(target.partition("#")[0]).resolve()
        for name, text in TEXTS.items()
        for target in LINK.findall(text)
        if not re.match(r"[a-z]+:|#", target)
    }
    pages = {ROOT / name for name in TEXTS if name.startswith("docs/")} - {ROOT / "docs/index.md"}
    assert sorted(str(page) for page in pages if page.resolve() not in reached) == []


def test_every_option_of_every_command_exists(capsys):
    asked = {}
    for name, text in TEXTS.items():
        for words in commands_in(text):
            place = next(i for i, word in enumerate(words) if word.endswith("recurrent-text"))
            application, *rest = words[place + 1 :]
            verb = rest.pop(0) if application in NAMES else ""
            flags = {word for word in rest if word.startswith("--")}
            asked.setdefault((application, verb), {}).setdefault(name, set()).update(flags)
    assert {verb for _, verb in asked} == {*VERBS, ""}
    assert {application for application, _ in asked} == {*NAMES, "runs", "serve"}
    for (application, verb), pages in asked.items():
        with pytest.raises(SystemExit):
            main(
                [
                    application,
                    *filter(None, [verb]),
                    "--help" if application == "runs" else "--help-all",
                ]
            )
        known = set(re.findall(r"--[a-z][\w-]*", capsys.readouterr().out))
        assert {page: flags - known for page, flags in pages.items() if flags - known} == {}

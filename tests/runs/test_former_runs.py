"""Runs of former versions answer and evaluate as they did when `make.py` recorded it.

Each `.zip` here is a run folder, and the `.json` beside it has its answers.
"""

import importlib
import json
import shutil
from pathlib import Path

import pytest

from apps.catalog import find_application
from apps.runs.files import read_run
from apps.runs.folder import RunFolder
from apps.tasks.portable import add_form

HERE = Path(__file__).parent
RUNS = sorted(path.stem for path in HERE.glob("*.zip"))
# Language models of each kind of tokens, translators, and a tagger that reads a language model.
WITH_FORM = (
    *("characters", "subwords", "words", "tagger_tokens", "conditioned"),
    *("translation", "translation_words", "ner_language"),
)
# What figures come from, beside the figures themselves.
_ORIGIN = {"command", "devices", "versions"}


def predict(application, run, options, output):
    """Writes the answers of a run to `data/texts.txt` into a file, and returns them."""
    files = ["--run", run, "--input", "data/texts.txt", "--output", output]
    _call(application, "predict", *files, *options.split())
    return _rows(output)


def evaluate(application, run, options):
    """Lets a run be measured, and returns the figures by their name in its `metrics.json`."""
    before = _metrics(run)
    _call(application, "evaluate", "--run", run, *options.split())
    figures = {name: found for name, found in _metrics(run).items() if found != before.get(name)}
    return {
        name: {key: value for key, value in found.items() if key not in _ORIGIN}
        for name, found in figures.items()
    }


def _call(application, *arguments):
    module = importlib.import_module(f"apps.{application}")
    module.main(module.APPLICATION, [str(argument) for argument in arguments])


def _rows(path):
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


def _metrics(run):
    return json.loads((Path(run) / "metrics.json").read_text(encoding="utf-8"))


def _flat(value, path=""):
    """The numbers and texts in nested lists and dictionaries, by path."""
    if not isinstance(value, dict | list):
        return {path: value}
    items = value.items() if isinstance(value, dict) else enumerate(value)
    flat = {path: len(value)} if isinstance(value, list) else {}
    for key, inner in items:
        flat.update(_flat(inner, f"{path}/{key}"))
    return flat


def _like(recorded, gap=1e-5):
    def near(value):
        return pytest.approx(value, rel=1e-5, abs=gap) if isinstance(value, float) else value

    return {path: near(value) for path, value in _flat(recorded).items()}


def _record(name):
    return json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module", params=RUNS)
def name(request):
    """Of a run; its tests follow each other."""
    return request.param


@pytest.fixture(autouse=True)
def loaded(loads_once):
    """What answers is measured, too: it is loaded once."""
    with loads_once():
        yield


@pytest.fixture(autouse=True)
def no_pictures(monkeypatch):
    from matplotlib.figure import Figure

    monkeypatch.setattr(Figure, "savefig", lambda self, path, **options: path.touch())


@pytest.fixture
def unpack(tmp_path, monkeypatch):
    """Unpacks a run beside the data that it was trained with, and returns its folder."""
    shutil.copytree(HERE / "data", tmp_path / "data")
    monkeypatch.chdir(tmp_path)

    def run_of(name):
        shutil.unpack_archive(HERE / f"{name}.zip", tmp_path / name)
        return Path(name)

    return run_of


def test_a_run_answers_as_before(name, unpack):
    run, record = unpack(name), _record(name)
    for options, rows in record["predict"].items():
        answers = predict(record["application"], run, options, "answers.jsonl")
        assert _flat(answers) == _like(rows)


@pytest.mark.parametrize("name", WITH_FORM)
def test_the_onnx_form_of_a_run_answers_as_the_model(name, unpack):
    for package in ("onnx", "onnxruntime", "re2"):
        pytest.importorskip(package)
    run, record = unpack(name), _record(name)
    files = read_run(RunFolder(run))
    add_form(find_application(record["application"]).load(files), files)
    for options, rows in record["predict"].items():
        asked = f"{options} --engine onnx"
        answers = predict(record["application"], run, asked, "answers.jsonl")
        assert _flat(answers) == _like(rows, 1e-4)


def test_a_run_has_the_figures_that_it_had(name, unpack):
    run, record = unpack(name), _record(name)
    for options, recorded in record["evaluate"].items():
        figures = _flat(evaluate(record["application"], run, options))
        # There may be figures by now that nobody knew then.
        assert {path: figures.get(path) for path in _flat(recorded)} == _like(recorded)


def test_a_run_answers_on_the_command_line_as_before(unpack, tmp_path, python_process):
    run, record = tmp_path / unpack("spam"), _record("spam")
    texts, output = tmp_path / "data" / "texts.txt", tmp_path / "answers.jsonl"
    code = "import runpy; runpy.run_module('apps.spam', run_name='__main__', alter_sys=True)"
    arguments = ["predict", "--run", run, "--input", texts, "--output", output]
    finished = python_process(code, *arguments, cwd=HERE.parent.parent)
    assert (finished.returncode, finished.stdout) == (0, "")
    assert _flat(_rows(output)) == _like(record["predict"][""])


def test_a_run_is_exported_as_before(unpack):
    import tensorflow as tf

    _call("spam", "export", "--run", unpack("spam"), "--output", "exported")
    rows = [row for row in _record("spam")["predict"][""] if row["text"]]
    serve = tf.saved_model.load("exported/1").signatures["serving_default"]
    served = serve(texts=tf.constant([row["text"] for row in rows]))
    classes, scores = served["classes"].numpy(), served["scores"].numpy()
    assert classes[0].tolist() == [b"ham", b"spam"]
    for row, answer in zip(rows, scores, strict=True):
        assert answer == pytest.approx([row["score_ham"], row["score_spam"]], rel=1e-5)

"""A run answers by its ONNX form as it does by TensorFlow, and an export in ONNX without either."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import apps
from apps.catalog import find_application
from apps.commands.export import write_export
from apps.config.verbs import ExportOptions
from apps.runs.contents import RUN, find_foreign
from apps.runs.files import read_run
from apps.runs.folder import RunFolder
from apps.serving.answers import answer
from apps.tasks.portable import add_form, find_engine, load_exported, write_form_of
from apps.tasks.quantization import describe_cost
from data.errors import UserError

for package in ("onnx", "onnxruntime", "re2"):
    pytest.importorskip(package)

RUNS = Path(__file__).parents[2] / "runs"
ROOT = Path(__file__).parents[3]
TEXTS = [
    "You absolute CLOWN!!! soooo bad http://t.co/x &amp; 12.5",
    "Mary Jones left Lyon's N.A.T.O. office in 1996 . 😂",
    "naïve Σίσυφος 東京 " + "word " * 300,
    b"broken \xff\xe2\x82 bytes".decode("utf-8", "surrogateescape"),
]
# A process in which these are imported ends with an ImportError.
_HEAVY = ("tensorflow", "keras", "pandas", "sklearn", "matplotlib", "scipy", "onnx")
_BLOCK = f"import sys; sys.modules.update(dict.fromkeys({_HEAVY}));"


@pytest.fixture(scope="module", params=["hate_speech", "ner"])
def trained(request, tmp_path_factory):
    """A run with its form, its task, and the answers of its graph."""
    run = tmp_path_factory.mktemp("run") / request.param
    shutil.unpack_archive(RUNS / f"{request.param}.zip", run)
    files = read_run(RunFolder(run))
    task = find_application(request.param).load(files)
    add_form(task, files)
    return files, task, answer(task, TEXTS)


def near(value):
    """Numbers as close as those of two engines are."""
    if isinstance(value, list):
        return [near(item) for item in value]
    if isinstance(value, dict):
        return {key: near(item) for key, item in value.items()}
    return pytest.approx(value, abs=1e-5) if isinstance(value, float) else value


def test_both_engines_give_the_same_columns(trained):
    files, task, rows = trained
    engine = find_engine(files, task.config, "onnx")
    assert engine.answer(TEXTS) == near(rows)
    assert [*engine.empty_row()] == [*task.empty_row()] == [*rows[0]]
    shown = [engine.format_answer(text, row) for text, row in zip(TEXTS, rows, strict=True)]
    assert shown == [task.format_answer(text, row) for text, row in zip(TEXTS, rows, strict=True)]


def test_the_form_belongs_to_the_run(trained):
    files, *_ = trained
    assert find_foreign(files.run.path, RUN) == []


def test_a_model_in_python_answers_by_its_form_and_has_its_task_when_asked(trained):
    files, task, _ = trained
    model = apps.load(files.run.path)
    assert (model.engine, apps.load(files.run.path, "tensorflow").engine) == ("onnx", "tensorflow")
    assert model.predict(TEXTS[1]) == task.to_result(TEXTS[1], model._engine.answer(TEXTS[1:2])[0])
    assert type(model.task) is type(task)


def test_predict_answers_without_tensorflow(trained, tmp_path):
    files, _, rows = trained
    name = files.description.application
    output = tmp_path / "out.jsonl"
    code = f"{_BLOCK} from apps.{name} import APPLICATION; from apps.commands.main import main;"
    arguments = ["predict", "--run", str(files.run.path), *TEXTS[:2], "--output", str(output)]
    _run(f"{code} main(APPLICATION, {arguments})", cwd=ROOT)
    lines = output.read_text(encoding="utf-8").splitlines()
    for row, wanted in zip(map(json.loads, lines), rows, strict=False):
        shared = row.keys() & wanted.keys()
        assert shared
        assert {name: row[name] for name in shared} == near({name: wanted[name] for name in shared})


def test_an_export_answers_alone(trained, tmp_path):
    files, _, rows = trained
    application = find_application(files.description.application)
    version = write_export(application, files, tmp_path, ExportOptions(), ["onnx"])
    assert version == tmp_path / "1"
    heavy = (*_HEAVY, "apps", "data", "models")
    for folder in (tmp_path, version):
        code = (
            f"import json, sys; sys.modules.update(dict.fromkeys({heavy}));"
            f"from answer import load; print(json.dumps(load().answer({TEXTS[:3]!r})))"
        )
        assert json.loads(_run(code, cwd=folder)) == near(rows[:3])
    assert load_exported(version, ExportOptions()).answer(TEXTS[:1]) == near(rows[:1])
    assert apps.load(tmp_path).engine == "onnx"
    with pytest.raises(UserError, match=r"has the format onnx, not savedmodel\. Keep to --format"):
        write_export(application, files, tmp_path, ExportOptions())


def test_what_rounded_weights_cost_stands_beside_the_metrics(trained, tmp_path):
    files, task, _ = trained
    if files.description.application != "hate_speech":
        pytest.skip("once is enough")
    data = str(RUNS / "data" / "hate_speech.csv")
    task.config = replace(task.config, dataset=data)
    corpus = task.config.read_corpus("")
    write_form_of(task, tmp_path, files, "int8")
    examples = corpus.split("validation")
    table = [line.split() for line in describe_cost(task, files, tmp_path, examples).splitlines()]
    assert table[0] == ["validation", "float32", "rounded"]
    exact = task.evaluate(examples).main_metrics()
    assert [float(row[-2]) for row in table[1:-1]] == pytest.approx([*exact.values()], abs=1e-4)
    application = find_application("hate_speech")
    with pytest.raises(UserError, match=r"--quantize is for models in ONNX\. Add --format onnx"):
        write_export(application, files, tmp_path, ExportOptions(), quantizer="int8")


def _run(code, cwd):
    """Runs code in a process of its own, and returns what it prints."""
    command = [sys.executable, "-c", code]
    environment = {**os.environ, "PYTHONPATH": "", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def copied(trained, tmp_path):
    """A copy of a run with its form, to be damaged."""
    files, *_ = trained
    if files.description.application != "hate_speech":
        pytest.skip("once is enough")
    return Path(shutil.copytree(files.run.path, tmp_path / "run"))


def refusal(run):
    files = read_run(RunFolder(run))
    assert find_engine(files, ExportOptions(), "auto") is None
    with pytest.raises(UserError) as error:
        find_engine(files, ExportOptions(), "onnx")
    return str(error.value)


def test_a_run_without_a_form_says_how_it_gets_one(copied):
    shutil.rmtree(copied / "onnx")
    what, _, remedy = refusal(copied).partition(". Write it with: ")
    assert what == f"{copied} has no ONNX form"
    assert remedy.endswith(f"hate_speech export --run {copied} --format onnx")


def test_the_form_of_another_model_is_refused(copied):
    path = copied / "config.json"
    values = json.loads(path.read_text(encoding="utf-8"))
    # As in runs before there were checksums, so that the run itself is sound.
    values = {name: value for name, value in values.items() if name not in ("files", "fingerprint")}
    path.write_text(json.dumps({**values, "training_seconds": 9.5}), encoding="utf-8")
    assert f"{copied / 'onnx'} is the form of another model than the run's" in refusal(copied)


@pytest.mark.parametrize("name", ["model.onnx", "vocabulary.txt"])
def test_a_damaged_form_is_refused_by_its_file(copied, name):
    with (copied / "onnx" / name).open("ab") as file:
        file.write(b"more")
    assert f"{copied / 'onnx' / name} is damaged: its checksum" in refusal(copied)


def test_a_run_whose_cells_onnx_lacks_has_no_form(tmp_path):
    shutil.unpack_archive(RUNS / "ner_softmax.zip", tmp_path / "run")
    files = read_run(RunFolder(tmp_path / "run"))
    application = find_application("ner")
    add_form(application.load(files), files)
    assert not (tmp_path / "run" / "onnx").exists()
    with pytest.raises(UserError, match="no operator for the cell 'layer_norm_lstm'"):
        write_export(application, files, tmp_path / "out", ExportOptions(), ["onnx"])
    assert not (tmp_path / "out").exists()

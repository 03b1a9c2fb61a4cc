"""Lists and comparisons of recorded runs, without TensorFlow."""

import csv
import io
import json
import shutil
import zipfile
from pathlib import Path

import pytest

from apps.reports.run_list import BROKEN, FINISHED, UNFINISHED, find_runs
from apps.runs.__main__ import main

RUNS = Path(__file__).parents[2] / "runs"


@pytest.fixture
def folder(tmp_path):
    """Two runs, a third in a folder of its own, and what is none."""
    for name in ("hate_speech", "ner", "deeper/translation"):
        (tmp_path / name).mkdir(parents=True)
        with zipfile.ZipFile(RUNS / f"{Path(name).name}.zip") as archive:
            archive.extractall(tmp_path / name)
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "README.md").write_text("no run")
    return tmp_path


@pytest.fixture
def call(capsys):
    def run(*arguments):
        capsys.readouterr()
        status = 0
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as stop:
            status = stop.code
        return status, *capsys.readouterr()

    return run


def test_a_line_has_application_data_metrics_size_and_time(folder, call):
    status, out, err = call(folder)
    assert (status, err) == (0, "")
    lines = [line.split() for line in out.splitlines()]
    assert "3 run(s)" in out
    stored = json.loads((folder / "ner" / "metrics.json").read_text())["validation"]
    [ner] = [line for line in lines if line and line[0] == "ner"]
    assert ner[1:4] == ["ner", "ner.conll", "validation"]
    assert f"{stored['f1']:.3g}" in ner and ner[-1] == FINISHED and "71" in ner
    assert any(line and line[0] == "deeper/translation" for line in lines)


def test_broken_and_unfinished_runs_are_lines_too(folder, call):
    (folder / "hate_speech" / "config.json").write_text("{")
    (folder / "deeper" / "translation" / "model.keras").unlink()
    training = folder / ".next.training"
    training.mkdir()
    shutil.copy(folder / "ner" / "config.json", training)
    states = {run.path.name: run.state for run in find_runs(folder)}
    assert states == {
        "hate_speech": BROKEN,
        "ner": FINISHED,
        "translation": BROKEN,
        "next": UNFINISHED,
    }
    status, out, _ = call(folder)
    assert status == 0 and "is damaged or of another program" in out


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe", b"[]", b'{"format": 9}', b'{"a": "\\ud800"}', b"null"]
)
@pytest.mark.parametrize("name", ["config.json", "metrics.json"])
def test_no_content_of_a_file_is_a_traceback(folder, call, name, content):
    (folder / "ner" / name).write_bytes(content)
    status, _, err = call(folder)
    assert (status, err) == (0, "")


def test_metrics_that_are_none_are_passed_over(folder, call):
    odd = {"validation": 3, "test": {"accuracy": "x", "per_class": [1], "intervals": 2}}
    (folder / "ner" / "metrics.json").write_text(json.dumps(odd))
    assert call(folder)[0] == 0
    [run] = [run for run in find_runs(folder) if run.path.name == "ner"]
    assert run.metrics == {} and run.state == FINISHED


def test_json_and_csv_have_all_metrics(folder, call):
    runs = json.loads(call(folder, "--json")[1])
    by_name = {Path(run["path"]).name: run for run in runs}
    stored = json.loads((folder / "hate_speech" / "metrics.json").read_text())["validation"]
    found = by_name["hate_speech"]["metrics"]["validation"]["macro_f1"]
    assert found == {"value": stored["macro_f1"], "interval": stored["intervals"]["macro_f1"]}
    rows = list(csv.DictReader(io.StringIO(call(folder, "--csv")[1])))
    assert [Path(row["path"]).name for row in rows] == ["translation", "hate_speech", "ner"]
    assert float(rows[1]["validation macro_f1"]) == stored["macro_f1"]
    assert rows[2]["validation macro_f1"] != "" and rows[0]["validation macro_f1"] == ""


def test_a_comparison_shows_what_differs_and_the_metrics_side_by_side(folder, call):
    other = shutil.copytree(folder / "ner", folder / "other")
    description = json.loads((other / "config.json").read_text())
    description["config"]["units"] = 99
    del description["files"], description["fingerprint"]
    (other / "config.json").write_text(json.dumps(description))
    status, out, _ = call("--compare", folder / "ner", other)
    assert status == 0
    flags = [line.split()[0] for line in out.splitlines() if line.startswith("--")]
    assert flags == ["--units"]
    [f1] = [line.split()[1:] for line in out.splitlines() if line.startswith("F1  ")]
    assert f1[0] == f1[len(f1) // 2]
    found = json.loads(call("--compare", folder / "ner", other, "--json")[1])
    assert found["options"]["options"] == {"--units": [4, 99]}
    assert found["validation"]["f1"][0] == found["validation"]["f1"][1]


def test_what_cannot_be_compared_or_found_is_one_line(folder, call):
    status, _, err = call("--compare", folder / "ner")
    assert status == 2 and err.startswith("error: --compare takes two runs or more")
    status, _, err = call("--compare", folder / "ner", folder / "notes")
    assert status == 2 and "no trained model in" in err
    status, _, err = call(folder / "missing")
    assert status == 2 and err == (
        f"error: no folder {str(folder / 'missing')!r}. Pass one that holds runs\n"
    )


def test_the_list_needs_no_tensorflow(folder, python_process):
    code = (
        "import sys; from apps.runs.__main__ import main; main(sys.argv[1:]); "
        "assert not {'tensorflow', 'keras', 'pandas'} & sys.modules.keys()"
    )
    process = python_process(code, folder, cwd=Path(__file__).parents[3])
    assert (process.returncode, process.stderr) == (0, "")
    assert "hate_speech" in process.stdout

"""What the tagger does with its sample and with users' files: all verbs."""

import csv
import json
import re
from dataclasses import replace

import pytest
import tensorflow as tf

from apps.commands.main import main
from apps.ner import APPLICATION
from apps.runs.folder import RunFolder
from apps.tasks.tagging import spans_on_screen
from apps.tasks.tagging.task import TextTagging
from data.datasets import read_tagged_texts

TINY = ["--epochs", "2", "--units", "4", "--embedding-dim", "6", "--max-word-length", "6"]
# Less to compile.
PLAIN = ["--epochs", "1", "--no-bidirectional", "--characters", "none", "--head", "softmax"]
TEXT = "Angela Merkel visited Lyon."


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The run folder of one tiny training on the sample; read only."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    main(APPLICATION, ["train", *TINY, "--run", str(folder)])
    return folder


@pytest.fixture
def ner(command_of, run):
    """Calls a verb with the tiny run."""
    return lambda verb, *rest: command_of(APPLICATION, verb, "--run", run, *rest)


@pytest.fixture(scope="module")
def task(run):
    return APPLICATION.trained(run)


def test_a_run_knows_its_types_and_figures(run):
    description = json.loads((run / "config.json").read_text())
    assert description["application"] == "ner"
    assert description["class_names"] == ["LOC", "MISC", "ORG", "PER"]
    report = json.loads((run / "metrics.json").read_text())["validation"]
    assert 0.0 <= report["f1"] <= 1.0
    assert (run / "confusion_validation.png").is_file()
    RunFolder(run).check_replaceable()
    assert "val_f1" in (run / "history.csv").read_text()


def test_the_test_split_is_measured(ner, run):
    answer = ner("evaluate", "--split", "test")
    assert (answer.status, answer.err) == (0, "")
    assert "entities" in answer.out
    assert "surface" in json.loads((run / "metrics.json").read_text())["test"]


def test_texts_are_shown_with_their_entities(ner):
    answer = ner("predict", TEXT, "")
    assert answer.status == 0
    shown, *_ = answer.out.splitlines()
    for word in TEXT[:-1].split():
        assert word in shown


def test_entities_are_marked_with_type_and_confidence():
    entities = [
        {"start": 0, "end": 13, "type": "PER", "score": 0.976},
        {"start": 22, "end": 26, "type": "LOC", "score": 1.0},
    ]
    plain = spans_on_screen.mark_spans(TEXT, entities, coloured=False)
    assert plain == "[Angela Merkel](PER 98 %) visited [Lyon](LOC 100 %)."
    coloured = spans_on_screen.mark_spans(TEXT, entities, coloured=True)
    assert coloured.count("\x1b[0m") == 4
    assert coloured.endswith(".")


@pytest.mark.parametrize("format", ["jsonl", "conll", "csv", "html"])
@pytest.mark.parametrize("source", ["csv", "texts"])
def test_every_format_is_written(format, source, ner, tmp_path):
    output = tmp_path / f"out.{format}"
    texts = [TEXT]
    if source == "csv":
        (tmp_path / "in.csv").write_text(f'id,text\n7,"{TEXT}"\n8,\n9,A <b> & c\n')
        texts = ["--input", tmp_path / "in.csv"]
    answer = ner("predict", *texts, "--output", output)
    assert answer.status == 0, answer.err
    content = output.read_text()
    if format == "jsonl":
        rows = [json.loads(line) for line in content.splitlines()]
        assert rows[0]["text"] == TEXT
        for entity in rows[0]["entities"]:
            assert TEXT[entity["start"] : entity["end"]] == entity["text"]
            assert 0 < entity["score"] <= 1
        assert source == "texts" or (rows[0]["id"], rows[1]["entities"]) == ("7", None)
    elif format == "csv":
        rows = [*csv.DictReader(content.splitlines())]
        assert rows[0]["text"] == TEXT
        for entity in json.loads(rows[0]["entities"]):
            assert TEXT[entity["start"] : entity["end"]] == entity["text"]
        assert source == "texts" or (rows[0]["id"], rows[1]["entities"]) == ("7", "")
    elif format == "conll":
        lines = content.splitlines()[:5]
        assert [line.split("\t")[0] for line in lines] == [
            "Angela",
            "Merkel",
            "visited",
            "Lyon",
            ".",
        ]
        assert all(len(line.split("\t")) == 3 for line in lines)
    else:
        assert content.startswith("<!doctype html>")
        assert source == "texts" or "&lt;" in content


@pytest.mark.parametrize("format", ["jsonl", "csv", "html"])
def test_spans_stand_right_behind_bytes_that_are_no_text(format, ner, tmp_path, monkeypatch):
    """Every word is an entity here, so that their places can be compared."""
    monkeypatch.setattr("models.portable.rows.find_entities", _every_token)
    (tmp_path / "in.csv").write_bytes(b"text\nCaf\xe9 \xe2\x82 Ida Bo\nplain\n\xff\xf0\x9f Ida\n")
    output = tmp_path / f"out.{format}"
    assert ner("predict", "--input", tmp_path / "in.csv", "--output", output).status == 0
    content = output.read_text(encoding="utf-8")
    if format == "html":
        marks = re.findall("<mark[^>]*>([^<]*)<", content)
    else:
        rows = map(json.loads, content.splitlines())
        if format == "csv":
            rows = csv.DictReader(content.splitlines())
            rows = [{**row, "entities": json.loads(row["entities"])} for row in rows]
        marks = [
            row["text"][entity["start"] : entity["end"]]
            for row in rows
            for entity in row["entities"]
        ]
    assert [mark for mark in marks if mark.isalpha()] == ["Caf", "Ida", "Bo", "plain", "Ida"]


def _every_token(tags):
    return [(position, position + 1, "PER") for position in range(len(tags))]


def test_every_entity_of_one_word_is_counted(command_of, tmp_path):
    rows = [
        {
            "text": f"Train {i} Graz-{name} is late.",
            "spans": [[a, a + 4, "LOC"], [a + 5, end, "LOC"]],
        }
        for i in range(12)
        for name in ("Oslo", "Porto")
        for a in [len(f"Train {i} ")]
        for end in [a + 5 + len(name)]
    ]
    data, run = tmp_path / "trains.jsonl", tmp_path / "run"
    data.write_text("\n".join(map(json.dumps, rows)))
    answer = command_of(APPLICATION, "train", *TINY, *PLAIN, "--dataset", data, "--run", run)
    assert answer.status == 0, answer.err
    assert "words hold several entities (Graz-Oslo, Graz-Porto)" in answer.out
    report = json.loads((run / "metrics.json").read_text())["validation"]
    assert report["per_class"]["LOC"]["support"] == 2 * report["rows"] > 0
    assert report["cut_words"]["count"] == report["rows"]
    told = f"{report['rows']} words such as {report['cut_words']['first']!r} have the beginning or"
    assert told in answer.out


def test_the_format_may_be_said(ner, tmp_path):
    output = tmp_path / "out.txt"
    assert ner("predict", TEXT, "--output", output).status == 2
    assert ner("predict", TEXT, "--output", output, "--format", "conll").status == 0
    assert output.read_text().startswith("Angela\t")
    assert ner("predict", TEXT, "--format", "jsonl").out.startswith('{"text": "Angela')


def test_an_export_answers_as_the_run_does(ner, task, tmp_path):
    folder = tmp_path / "model"
    assert ner("export", "--output", folder).status == 0
    serve = tf.saved_model.load(str(folder / "1")).signatures["serving_default"]
    ours, theirs = task.serving().serve(tf.constant([TEXT])), serve(texts=tf.constant([TEXT]))
    for name in ("tokens", "tags", "starts", "ends"):
        assert ours[name].numpy().tolist() == theirs[name].numpy().tolist()


def test_what_the_data_call_tokens_is_what_counts(task):
    examples = read_tagged_texts("sample", "ner.conll").split("test")
    report = task.evaluate(examples).metrics
    assert report["tokens"] == sum(len(row.tokens) for row in examples)


def test_every_option_trains(command_of, tmp_path):
    options = [
        *["--characters", "recurrent", "--no-lowercase", "--no-case-features"],
        *["--no-constrained", "--class-weight", "1", "--max-length", "6", "--overlap", "1"],
        *["--batch-tokens", "200", "--l2", "0.001", "--no-outside-shift"],
    ]
    options = [*TINY, *options, "--epochs", "1"]
    answer = command_of(APPLICATION, "train", *options, "--run", tmp_path / "run")
    assert answer.status == 0, answer.err


def test_users_files_train_and_are_measured(command_of, tmp_path):
    for name, size in (("train", 30), ("dev", 5)):
        lines = "1 Ana I-PER x\n2 saw O x\n3 Lyon I-LOC x\n\n" * size
        (tmp_path / f"{name}.txt").write_text(lines)
    train, dev, run = (tmp_path / name for name in ("train.txt", "dev.txt", "run"))
    columns = ["--token-column", "1", "--tag-column", "-2"]
    answer = command_of(
        APPLICATION,
        *["train", *TINY, *PLAIN, "--dataset", train, "--validation-file", dev, *columns],
        *["--run", run],
    )
    assert answer.status == 0, answer.err
    assert "taken as BIO" in answer.out
    answer = command_of(APPLICATION, "evaluate", "--dataset", dev, "--split", "all", "--run", run)
    assert answer.status == 0, answer.err
    answer = command_of(APPLICATION, "train", "--validation-file", "absent", "--run", run)
    assert answer.status == 2
    assert "Check --validation-file" in answer.err


def test_several_seeds_are_told_apart(command_of, tmp_path, monkeypatch):
    evaluate, calls = TextTagging.evaluate, []
    monkeypatch.setattr(
        TextTagging, "evaluate", lambda *each: calls.append(each) or evaluate(*each)
    )
    run = tmp_path / "run"
    answer = command_of(APPLICATION, "train", *TINY, *PLAIN, "--seeds", "2", "--run", run)
    assert answer.status == 0, answer.err
    assert "seeds 0, 1: mean, standard deviation, each\nF1 " in answer.out
    # The run's figures are the best member's, who has been asked once.
    assert len(calls) == 2
    config = json.loads((run / "config.json").read_text())
    member = run / "seeds" / config["model"].removeprefix("seed ")
    ours, theirs = (
        json.loads((folder / "metrics.json").read_text())["validation"] for folder in (run, member)
    )
    assert ours["confusion_matrix"] == theirs["confusion_matrix"] and "seeds" in ours


def test_windows_that_leave_nothing_are_refused(command_of, tmp_path):
    answer = command_of(
        APPLICATION, "train", "--max-length", "8", "--overlap", "4", "--run", tmp_path / "run"
    )
    assert answer.status == 2
    assert "--overlap 4 leaves nothing" in answer.err


def test_a_list_of_the_training_entities_is_the_baseline(ner, run):
    answer = ner("evaluate", "--split", "validation", "--baseline")
    assert answer.status == 0, answer.err
    report = json.loads((run / "metrics.json").read_text())["validation"]
    assert 0.0 < report["baseline"]["gazetteer"]["f1"] < 1.0


def test_a_run_of_mismatched_files_is_refused(task, run, tmp_path, monkeypatch):
    monkeypatch.setattr(task, "config", replace(task.config, characters="none"))
    description = RunFolder(run).describe()
    with pytest.raises(Exception, match="character_vocabulary_size"):
        TextTagging.load(task.config, description, run)

"""The command line, end to end, on the sample and on users' own files."""

import csv
import dataclasses
import io
import json
import resource
import signal
import zipfile

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from apps.commands import application, evaluate
from apps.hate_speech import APPLICATION
from apps.training.fit import TrainingResult, Validation
from data.errors import UserError

FILES = {
    "README.md",
    "characters.txt",
    "config.json",
    "confusion_validation.png",
    "reliability_validation.png",
    "gradient_norms.csv",
    "gradient_norms.png",
    "history.csv",
    "logs",
    "metrics.json",
    "model.keras",
    "onnx",
    "training_curves.png",
    "vocabulary.txt",
}
# Less to trace, where no test looks at the model.
PLAIN = ["--no-characters", "--no-bidirectional", "--pooling", "last"]
RUDE = [f"you {word} fool number {i}" for i in range(10) for word in ("old", "great")]
NICE = [f"a fine {word} for walk {i}" for i in range(10) for word in ("day", "morning")]


def metrics(run):
    return json.loads((run / "metrics.json").read_text())


def rows_of(run):
    with (run / "history.csv").open() as file:
        return list(csv.DictReader(file))


def weights(run):
    """The bytes of the weights; the archive around them holds the time of writing."""
    with zipfile.ZipFile(run / "model.keras") as archive:
        content = io.BytesIO(archive.read("model.weights.h5"))
    import h5py

    values = []
    with h5py.File(content) as file:
        file.visititems(lambda _, item: values.append(item[()]) if hasattr(item, "dtype") else None)
    return values


def assert_one_line(answer, *words):
    assert answer.status == 2
    assert answer.err.startswith("error: ") and answer.err.count("\n") == 1, answer.err
    assert all(word in answer.err for word in words), answer.err


# --- train -------------------------------------------------------------------


def test_a_run_folder_holds_everything_that_belongs_to_a_run(trained_once):
    run, answer = trained_once
    assert {path.name for path in run.iterdir()} == FILES
    # Two epochs of three units may leave a class out, and then that is told.
    assert all(line.startswith("warning: ") for line in answer.err.splitlines())
    assert [path.name for path in run.parent.iterdir()] == ["run"]


def test_what_is_printed_ends_with_the_figures_and_the_place(trained_once):
    run, answer = trained_once
    lines = answer.out.splitlines()
    assert lines[0].startswith("sample: 336 train, 42 validation, 42 test; classes hate_speech, ")
    assert "compiling the first training step ..." in lines
    epochs = [line for line in lines if line.startswith("epoch ")]
    assert [line[:15] for line in epochs] == ["epoch 1/2  loss", "epoch 2/2  loss"]
    assert all("average_precision 0." in line and len(line) <= 80 for line in epochs)
    (kept,) = [line for line in lines if line.startswith("kept: ")]
    assert "the best on validation (average_precision 0." in kept
    # Details are for those who ask for them.
    assert "padding" not in answer.out and "gradient_norm" not in epochs[0]
    *_, trained, pictures, more, following, evaluate, predict, export = lines
    assert trained.startswith("trained in ") and trained.endswith(str(run))
    assert f"{pictures}{more}" == (
        "pictures: confusion_validation.png, gradient_norms.png,  reliability_validation.png, "
        "training_curves.png"
    )
    assert following == "next:"
    program = "  python -m apps.hate_speech"
    assert evaluate == f"{program} evaluate --run {run}"
    assert predict == f"{program} predict --run {run} 'Your own text'"
    assert export == f"{program} export --run {run}"
    assert "macro F1" in answer.out


def test_figures_say_where_they_come_from(trained_once):
    run, _ = trained_once
    report = metrics(run)["validation"]
    assert report["command"].startswith("python -m apps.hate_speech train --epochs 2 ")
    assert (report["dataset"], report["seed"], report["rows"]) == ("sample", 0, 42)
    assert len(report["checksum"]) == 64
    assert report["versions"]["keras"] == keras.__version__


def test_the_configuration_holds_every_option_and_the_classes(trained_once):
    description = json.loads((trained_once[0] / "config.json").read_text())
    assert (description["format"], description["application"]) == (1, "hate_speech")
    assert description["class_names"] == ["hate_speech", "neither", "offensive_language"]
    assert (description["config"]["epochs"], description["config"]["cell"]) == (2, "gru")
    assert (description["multi_label"], description["stopped_early"]) == (False, "")


def test_the_history_has_a_row_an_epoch(trained_once):
    rows = rows_of(trained_once[0])
    assert [row["epoch"] for row in rows] == ["0", "1"]
    assert {"loss", "val_loss", "val_accuracy", "val_macro_f1", "learning_rate"} < rows[0].keys()


def test_the_best_epoch_is_the_one_that_was_saved(trained_once):
    run, _ = trained_once
    best = max(rows_of(run), key=lambda row: float(row["val_average_precision"]))
    assert metrics(run)["validation"]["macro_f1"] == pytest.approx(float(best["val_macro_f1"]))


def test_a_runs_own_configuration_repeats_it_exactly(trained_once, command, tmp_path):
    first, again = trained_once[0], tmp_path / "again"
    assert command("train", "--config", first / "config.json", "--run", again).status == 0
    assert (again / "history.csv").read_bytes() == (first / "history.csv").read_bytes()
    assert (
        metrics(again)["validation"]["confusion_matrix"]
        == (metrics(first)["validation"]["confusion_matrix"])
    )
    for ours, theirs in zip(weights(again), weights(first), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_an_interruption_in_the_second_epoch_leaves_a_usable_run(
    command, tiny_options, tmp_path, monkeypatch
):
    on_epoch_end = Validation.on_epoch_end

    def interrupted(self, epoch, logs=None):
        if epoch == 1:
            raise KeyboardInterrupt
        on_epoch_end(self, epoch, logs)

    monkeypatch.setattr(Validation, "on_epoch_end", interrupted)
    posts, run = tmp_path / "posts.csv", tmp_path / "run"
    frame = pd.DataFrame({"body": RUDE + NICE, "verdict": ["rude"] * 20 + ["nice"] * 20})
    frame.to_csv(posts, index=False)
    columns = ["--text-column", "body", "--label-column", "verdict"]
    answer = command("train", *tiny_options, *PLAIN, "--dataset", posts, *columns, "--run", run)
    assert answer.status == 0
    assert "interrupted. The best weights so far are kept" in answer.err
    assert json.loads((run / "config.json").read_text())["stopped_early"] == "interrupted"
    (epoch,) = rows_of(run)
    # The weights of the first epoch, not those in the middle of the second.
    assert metrics(run)["validation"]["macro_f1"] == pytest.approx(float(epoch["val_macro_f1"]))
    predicted = command("predict", "--run", run, "--output", "-", "you fool", "a fine day")
    answers = [json.loads(line) for line in predicted.out.splitlines()]
    assert [answer["body"] for answer in answers] == ["you fool", "a fine day"]
    assert {answer["predicted_label"] for answer in answers} <= {"rude", "nice"}


def test_several_labels_are_trained_measured_and_predicted(command, tiny_options, tmp_path):
    posts, run = tmp_path / "posts.csv", tmp_path / "run"
    both = [f"{rude} and {nice}" for rude, nice in zip(RUDE, NICE, strict=True)]
    frame = pd.DataFrame({"text": RUDE + NICE + both})
    frame["rude"] = [1] * 20 + [0] * 20 + [1] * 20
    frame["nice"] = [0] * 20 + [1] * 20 + [1] * 20
    frame.to_csv(posts, index=False)
    options = ["--dataset", posts, "--label-column", "rude,nice", "--focal-gamma", "1"]
    answer = command("train", *tiny_options, *options, "--cell", "simple_rnn", "--run", run)
    assert (answer.status, answer.err) == (0, "")
    assert "confusion_matrix" not in metrics(run)["validation"]
    assert {path.name for path in run.iterdir()} == FILES - {"confusion_validation.png"}

    assert command("evaluate", "--run", run, "--baseline").status == 0
    baselines = metrics(run)["test"]["baseline"]
    assert {"tf-idf", "tf-idf, balanced classes"} < set(baselines)
    assert all(name.removesuffix(", thresholds") in baselines for name in baselines)

    answer = command("predict", "--run", run, "--output", "-", "you old fool, a fine day")
    (row,) = [json.loads(line) for line in answer.out.splitlines()]
    likely = {name for name in ("rude", "nice") if row[f"score_{name}"] >= 0.5}
    assert set(row["predicted_label"].split("|")) - {""} == likely


def test_training_into_a_folder_with_other_files_is_refused(command, tmp_path):
    (tmp_path / "thesis.tex").touch()
    assert_one_line(command("train", "--run", tmp_path), "holds other files")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_run_is_replaced_only_if_that_is_wanted(tiny_run, command, monkeypatch):
    trained = []
    monkeypatch.setattr("apps.commands.train._train", lambda *arguments: trained.append(1) or True)
    answer = command("train", "--run", tiny_run)
    assert_one_line(answer, f"{tiny_run} holds a trained model. Replace it with --overwrite")
    assert not trained
    assert command("train", "--overwrite", "--run", tiny_run).status == 0
    assert command("train", "--run", tiny_run.with_name("new")).status == 0
    assert len(trained) == 2


@pytest.mark.parametrize("failure", [OSError, KeyboardInterrupt])
def test_a_failed_training_keeps_the_former_run(
    tiny_run, command, tiny_options, monkeypatch, failure
):
    def fails(*arguments):
        raise failure(28, "No space left on device")

    before = {path.name: path.stat().st_mtime_ns for path in tiny_run.iterdir()}
    monkeypatch.setattr("apps.tasks.classification.task.TextClassification.save", fails)
    monkeypatch.setattr(
        "apps.training.fit.fit", lambda *arguments, **options: TrainingResult("", False, 1.0, 1)
    )
    answer = command("train", *tiny_options, *PLAIN, "--overwrite", "--run", tiny_run)
    assert answer.status == {OSError: 2, KeyboardInterrupt: 130}[failure]
    *warnings, line = answer.err.splitlines()
    assert line.startswith("error: ") and all(each.startswith("warning: ") for each in warnings)
    assert {path.name: path.stat().st_mtime_ns for path in tiny_run.iterdir()} == before
    assert [path.name for path in tiny_run.parent.iterdir()] == ["run"]


def test_a_training_that_diverges_is_a_mistake_and_keeps_the_former_run(
    tiny_run, command, tiny_options
):
    before = (tiny_run / "model.keras").read_bytes()
    options = [*PLAIN, "--learning-rate", "1e30", "--epochs", "1", "--cell", "simple_rnn"]
    options += ["--overwrite"]
    assert_one_line(command("train", *tiny_options, *options, "--run", tiny_run), "learning")
    assert (tiny_run / "model.keras").read_bytes() == before


# --- evaluate ----------------------------------------------------------------


def test_evaluation_adds_a_split_and_keeps_the_others(tiny_run, command):
    before = metrics(tiny_run)
    answer = command("evaluate", "--run", tiny_run)
    assert (answer.status, answer.err) == (0, "")
    assert answer.out.startswith("sample, test\n")
    after = metrics(tiny_run)
    assert after["validation"] == before["validation"]
    assert after["test"]["rows"] == 42
    assert after["test"]["command"] == f"python -m apps.hate_speech evaluate --run {tiny_run}"
    assert (tiny_run / "confusion_test.png").is_file()


def test_the_same_split_is_measured_the_same_again(tiny_run, command):
    before = metrics(tiny_run)["validation"]
    assert command("evaluate", "--run", tiny_run, "--split", "validation").status == 0
    after = metrics(tiny_run)["validation"]
    assert {**after, "command": ""} == {**before, "command": ""}


def test_a_baseline_is_measured_beside_the_model(tiny_run, command):
    answer = command("evaluate", "--run", tiny_run, "--baseline")
    assert "\ntf-idf\n" in answer.out and "\ntf-idf, balanced classes\n" in answer.out
    assert metrics(tiny_run)["test"]["baseline"]["tf-idf"]["accuracy"] > 0.6


def test_a_baseline_is_not_measured_on_what_it_learned_from(tiny_run, command):
    answer = command("evaluate", "--run", tiny_run, "--baseline", "--split", "all")
    assert_one_line(answer, "--baseline", "--split")


def test_other_data_are_measured_under_their_name(tiny_run, command, tmp_path):
    other = tmp_path / "other.csv"
    other.write_text("body,kind\nyou clown,offensive_language\nnice cake,neither\n")
    options = ["--dataset", other, "--text-column", "body", "--label-column", "kind"]
    answer = command("evaluate", "--run", tiny_run, *options, "--split", "all")
    assert (answer.status, answer.err) == (0, "")
    assert metrics(tiny_run)["other.csv all"]["rows"] == 2
    assert metrics(tiny_run)["other.csv all"]["per_class"]["hate_speech"]["roc_auc"] is None


def test_labels_that_the_model_does_not_know_are_refused_before_tensorflow_is_imported(
    tiny_run, command, tmp_path, monkeypatch
):
    for module in (evaluate, application):
        monkeypatch.setattr(module, "import_tensorflow", lambda **_: pytest.fail("imported"))
    (tmp_path / "other.csv").write_text("text,label\nyou clown,rude\n")
    before = metrics(tiny_run)
    answer = command("evaluate", "--run", tiny_run, "--dataset", tmp_path / "other.csv")
    assert_one_line(answer, "'rude'", "row 1", "Known: hate_speech, neither, offensive_language")
    assert metrics(tiny_run) == before


# --- predict -----------------------------------------------------------------


def test_texts_are_answered_for_the_terminal(tiny_run, command):
    answer = command("predict", "--run", tiny_run, "my text", "")
    lines = answer.out.splitlines()
    assert (answer.status, answer.err, lines[0]) == (0, "text 2: an empty text\n", "my text")
    assert lines[1].startswith("    → ") and lines[1].count(" %") == 3 and len(lines) == 2


def test_a_file_is_answered_and_bad_rows_keep_their_place(tiny_run, command, tmp_path):
    source, output = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text("id,text\n1,you clown\n2,\n3,nice cake\n")
    answer = command("predict", "--run", tiny_run, "--input", source, "--output", output)
    assert (answer.status, answer.out) == (0, "")
    assert answer.err.splitlines() == [
        "row 2: an empty text",
        "1 row(s) were left without an answer",
    ]
    rows = pd.read_csv(output)
    assert rows["id"].tolist() == [1, 2, 3]
    assert list(rows.columns[:4]) == ["id", "text", "predicted_label", "predicted_score"]
    assert rows["predicted_label"].isna().tolist() == [False, True, False]
    np.testing.assert_allclose(rows.filter(like="score_").sum(axis=1), [1, 0, 1], rtol=1e-6)


def test_a_run_answers_in_python_as_the_command_does(tiny_run, command):
    task = APPLICATION.trained(tiny_run)
    answer = command("predict", "--run", tiny_run, "--output", "-", "my text")
    row = json.loads(answer.out)
    (scores,) = task.scores(["my text"])
    ours = [row[f"score_{name}"] for name in task.class_names]
    np.testing.assert_allclose(scores, ours, rtol=1e-5)


def test_a_clash_of_columns_leaves_no_output(tiny_run, command, tmp_path):
    source, output = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text("text,predicted_label\na,b\n")
    answer = command("predict", "--run", tiny_run, "--input", source, "--output", output)
    assert_one_line(answer, "'predicted_label'", "Rename or drop it")
    assert not list(tmp_path.glob("*out.csv*"))


def test_standard_input_is_answered_on_standard_output(tiny_run, command, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("añ\nb\n".encode())))
    answer = command("predict", "--run", tiny_run, "--input", "-")
    rows = [json.loads(line) for line in answer.out.splitlines()]
    assert [row["text"] for row in rows] == ["añ", "b"]
    assert answer.err == ""


# --- export ------------------------------------------------------------------

TEXTS = ["my neighbours brought us cake", "you absolute clown", "", "\u00e9" * 300]


def test_an_export_answers_as_predict_does(tiny_run, command, tmp_path):
    folder, output = tmp_path / "exported" / "model", tmp_path / "out.jsonl"
    answer = command("export", "--run", tiny_run, "--output", folder)
    assert (answer.status, answer.out, answer.err) == (0, f"SavedModel: {folder}/1\n", "")
    assert {path.name for path in (folder / "1" / "assets.extra").iterdir()} == {
        "SHA256SUMS",
        "config.json",
        "model.keras",
        "vocabulary.txt",
        "characters.txt",
    }
    command("predict", "--run", tiny_run, "--output", output, *TEXTS)
    rows = [json.loads(line) for line in output.read_text().splitlines()]
    serve = tf.saved_model.load(str(folder / "1")).signatures["serving_default"]
    served = serve(texts=tf.constant(TEXTS))
    classes, scores = served["classes"].numpy(), served["scores"].numpy()
    for text, row, names, expected in zip(TEXTS, rows, classes, scores, strict=True):
        if not text:  # as in a file, it has no answer
            assert row["predicted_label"] is None
            continue
        assert row["predicted_label"] == names[0].decode()
        ours = [row[f"score_{name.decode()}"] for name in names]
        # The compiled loop of `predict` adds up in another order than the stock operations do.
        np.testing.assert_allclose(ours, expected, rtol=1e-6)


def test_an_export_does_not_replace_other_files(tiny_run, command, tmp_path):
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "index.html").touch()
    answer = command("export", "--run", tiny_run, "--output", folder)
    assert_one_line(answer, "site exists and is no SavedModel")
    assert [path.name for path in folder.iterdir()] == ["index.html"]


def test_an_export_without_room_is_one_line_and_leaves_nothing(tiny_run, command, tmp_path):
    # The run's own files can be copied; the graph of the SavedModel is larger.
    room = max(path.stat().st_size for path in tiny_run.glob("*.*"))
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, usual[1]))
    try:
        answer = command("export", "--run", tiny_run, "--output", tmp_path / "exported")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
        signal.signal(signal.SIGXFSZ, handler)
    assert_one_line(answer, f"cannot write {tmp_path}/exported/1", "File too large")
    assert list((tmp_path / "exported").iterdir()) == []


# --- mistakes ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["VERB"]),
        (["trian"], ["trian", "train"]),
        (["train", "--cell", "lstmm"], ["lstmm", "simple_rnn", "lstm", "gru"]),
        (["train", "--unitz", "3"], ["--unitz"]),
        (["train", "--units", "0"], ["--units", "at least 1"]),
        (["train", "--dataset", "no.csv"], ["'no.csv'", "sample, davidson"]),
        (["train", "--data-dir", "no"], ["'no'", "--data-dir"]),
        (["train", "--config", "no.json"], ["no.json", "--config"]),
        (["train", "--kernel-initializer", "nonsense"], ["nonsense"]),
        (["train", "--vectors", "no.txt"], ["no.txt", "--vectors"]),
        (["evaluate"], ["no trained model", "runs/hate_speech"]),
        (["evaluate", "--split", "dev"], ["dev", "validation"]),
        (["predict", "--run", "no", "text"], ["no trained model in no"]),
        (["export", "--run", "no"], ["no trained model in no"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else value,
)
def test_a_mistake_is_one_line_and_leaves_nothing(command, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    assert_one_line(command(*arguments), *words)
    # What a failed training leaves in `runs` is in test_run_folder.py.
    assert not [path for path in tmp_path.rglob("*") if path != tmp_path / "runs"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["either texts or --input"]),
        (["text", "--input", "in.csv"], ["either texts or --input"]),
        (["--input", "no.csv"], ["'no.csv'", "--input"]),
        (["--input", "in.xlsx"], [".xlsx", ".csv, .tsv, .jsonl, .txt, .parquet"]),
        (["--input", "in.csv", "--output", "in.csv"], ["is the input"]),
        (["--input", "in.csv", "--output", "out.doc"], [".doc", ".csv, .tsv, .jsonl, .parquet"]),
        (["--input", "in.csv", "--text-column", "txt"], ["'txt'", "It has: text"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else value,
)
def test_a_mistake_in_predict_is_one_line_and_leaves_nothing(
    tiny_run, command, tmp_path, monkeypatch, arguments, words
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.csv").write_text("text\na\n")
    assert_one_line(command("predict", "--run", "run", *arguments), *words)
    assert {path.name for path in tmp_path.iterdir()} == {"run", "in.csv"}


def change(**values):
    def changed(run):
        path = run / "config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **values}))

    return changed


def without(*names):
    def changed(run):
        path = run / "config.json"
        description = json.loads(path.read_text())
        path.write_text(json.dumps({k: v for k, v in description.items() if k not in names}))

    return changed


def write(name, content):
    return lambda run: (run / name).write_text(content)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (change(application="sentiment"), ["holds a run of 'sentiment', not of 'hate_speech'"]),
        (change(format=2), ["has format 2, expected 1"]),
        (change(config={"unitz": 3}), ["unknown option 'unitz'"]),
        (change(class_names=["a", "b"]), ["unknown label(s)", "Known: a, b"]),
        (without("format"), ["config.json is damaged"]),
        (without("application"), ["config.json is damaged"]),
        (without("class_names"), ["config.json is damaged"]),
        (without("config"), ["config.json"]),
        (without("multi_label"), ["config.json"]),
        (without("checksum"), ["config.json"]),
        (change(config=[]), ["config.json"]),
        (write("config.json", "{"), ["config.json is damaged"]),
        (write("model.keras", "x"), ["cannot load", "model.keras"]),
        (write("metrics.json", "{"), ["metrics.json is damaged"]),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_a_foreign_or_damaged_run_is_one_line(tiny_run, command, damage, words, without_checksums):
    damage(without_checksums(tiny_run))
    assert_one_line(command("evaluate", "--run", tiny_run), *words)


# --- start-up ----------------------------------------------------------------

WITHOUT_TENSORFLOW = """
import sys
from apps.hate_speech import APPLICATION
from apps.commands.main import main
try:
    main(APPLICATION, sys.argv[1:])
finally:
    slow = {"tensorflow", "keras", "pandas", "sklearn", "matplotlib"} & sys.modules.keys()
    assert not slow, slow
"""


ANSWERED_BY_TENSORFLOW = """
import sys
from apps.hate_speech import APPLICATION
from apps.commands.main import main
main(APPLICATION, sys.argv[1:])
assert "tensorflow" in sys.modules
slow = {"pandas", "sklearn", "matplotlib", "IPython", "pyarrow"} & sys.modules.keys()
assert not slow, slow
# Once Keras is there, they can be had.
import matplotlib
"""


def test_an_answer_by_tensorflow_does_not_wait_for_what_keras_can_do_without(
    tiny_run, python_process
):
    arguments = ["predict", "--run", tiny_run, "--engine", "tensorflow", "you clown"]
    done = python_process(ANSWERED_BY_TENSORFLOW, *arguments)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("you clown")


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["--help"], 0),
        (["train", "--help"], 0),
        (["train", "--help-all"], 0),
        (["predict", "--help"], 0),
        (["train", "--cell", "lstmm"], 2),
        (["train", "--dataset", "no.csv"], 2),
        (["predict", "--run", "no", "text"], 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_help_and_mistakes_do_not_wait_for_tensorflow(python_process, tmp_path, arguments, status):
    done = python_process(WITHOUT_TENSORFLOW, *arguments, cwd=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (status, 1 if status else 0)


def test_a_missing_file_of_vectors_is_noticed_before_tensorflow_is_imported():
    config = dataclasses.replace(APPLICATION.recipe("sample"), vectors="no.txt")
    with pytest.raises(UserError, match=r"no\.txt"):
        config.check()


def test_help_follows_the_recipe_of_the_data_set(command):
    for arguments in (["--dataset", "sample"], ["--dataset=sample"], []):
        answer = command("train", "--help", *arguments)
        assert "examples in a training step (default: 16)" in answer.out
    assert (
        "examples in a training step (default: 64)"
        in command("train", "--dataset", "x.csv", "-h").out
    )

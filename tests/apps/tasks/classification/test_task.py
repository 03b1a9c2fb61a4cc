import dataclasses
import json
import logging

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal

from apps.hate_speech import APPLICATION
from apps.runs.description import RunDescription
from apps.tasks.classification.config import ClassificationConfig
from apps.tasks.classification.explanation import Explainer
from apps.tasks.classification.task import TextClassification
from data.datasets import read_labelled_texts
from data.errors import UserError
from data.examples.labelled import LabelledCorpus, LabelledTexts
from data.messages import LOGGER
from models.classification.decision import Decision
from models.classification.wide_classifier import WideClassifier

TEXTS = ["you fool", "you old fool", "fine day", "a fine old day", "what?", "what"]
SMALL = ClassificationConfig(units=3, embedding_dim=4, max_word_length=5, min_count=1, epochs=1)
# Less to trace, where no test looks at the model.
PLAIN = {"cell": "simple_rnn", "bidirectional": False, "characters": False}


def corpus(multi_label=False, votes=None):
    names = ("neither", "nice", "rude")
    targets = np.eye(3, dtype="float32")[[2, 2, 1, 1, 0, 0]]
    if multi_label:
        targets[1] = [0, 1, 1]
    rows = LabelledTexts(TEXTS, targets, names, votes)
    return LabelledCorpus("toy", "0" * 64, {"train": rows, "validation": rows}, names, multi_label)


@pytest.fixture(scope="module")
def task():
    keras.utils.set_random_seed(0)
    return TextClassification.build(SMALL, corpus())


def test_the_vocabulary_comes_from_the_training_split_alone():
    both = corpus()
    splits = {**both.splits, "validation": both.split("train").take([0, 1])}
    splits["train"] = both.split("train").take([2, 3])
    task = TextClassification.build(SMALL, dataclasses.replace(both, splits=splits))
    assert set(task.vocabularies.tokens) == {"<start>", "fine", "day", "a", "old"}


def test_scores_are_in_the_order_of_the_texts(task):
    alone = np.concatenate([task.scores([text]) for text in TEXTS])
    assert_allclose(task.scores(TEXTS), alone, atol=1e-6)
    assert_allclose(alone.sum(axis=1), 1.0, rtol=1e-5)


def test_the_serving_model_scores_as_the_trained_one_does():
    config = dataclasses.replace(SMALL, cell="lstm", num_layers=2, layer_normalization=True)
    task = TextClassification.build(config, corpus())
    answer = task.output_rows(task.serving().serve(tf.constant(TEXTS)))
    served = [[row[f"score_{name}"] for name in task.class_names] for row in answer]
    assert_allclose(served, task.scores(TEXTS), atol=1e-6)


def answer(classes, scores, predicted):
    """What the serving model gives for one text."""
    given = {
        "classes": [classes],
        "scores": np.array([scores], "float32"),
        "predicted": [predicted],
    }
    return {name: tf.constant(value) for name, value in given.items()}


def test_an_answer_becomes_columns(task):
    (row,) = task.output_rows(
        answer(["rude", "neither", "nice"], [0.7, 0.2, 0.1], [True, False, False])
    )
    assert list(row) == [
        "predicted_label",
        "predicted_score",
        "score_neither",
        "score_nice",
        "score_rude",
    ]
    assert row["predicted_label"] == "rude"
    assert list(row.values())[1:] == pytest.approx([0.7, 0.2, 0.1, 0.7])
    assert np.float32(row["score_rude"]) == np.float32(0.7)
    assert task.empty_row().keys() == row.keys()
    assert set(task.empty_row().values()) == {None}
    assert task.describe_row(row) == "→ rude 70.0 %   neither 20.0 %   nice 10.0 %"


def test_the_class_that_a_text_gets_comes_first_whatever_its_score(task):
    (row,) = task.output_rows(
        answer(["nice", "rude", "neither"], [0.3, 0.5, 0.2], [True, False, False])
    )
    assert (row["predicted_label"], row["predicted_score"]) == ("nice", pytest.approx(0.3))
    assert task.describe_row(row) == (
        "→ nice 30.0 % (by its threshold)   rude 50.0 %   neither 20.0 %"
    )


@pytest.mark.parametrize(
    ("scores", "predicted", "label"),
    [([0.9, 0.5, 0.1], [True, True, False], "rude|nice"), ([0.4, 0.3, 0.2], [False] * 3, "")],
)
def test_several_labels_are_joined_and_none_is_empty(scores, predicted, label):
    task = TextClassification.build(SMALL, corpus(multi_label=True))
    (row,) = task.output_rows(answer(["rude", "nice", "neither"], scores, predicted))
    assert row["predicted_label"] == label
    assert row["predicted_score"] == pytest.approx(scores[0])


@pytest.mark.parametrize("multi_label", [False, True])
def test_the_serving_model_decides_as_the_evaluation_does(multi_label):
    task = TextClassification.build(dataclasses.replace(SMALL, **PLAIN), corpus(multi_label))
    thresholds = (0.5, 0.48, 0.52) if multi_label else (0.33, 0.3, 0.37)
    task.decision = Decision(multi_label, thresholds, 0.05)
    rows = task.output_rows(task.serving().serve(tf.constant(TEXTS)))
    scores = task.scores(TEXTS)
    names = np.array(task.class_names)
    expected = [set(names[given]) for given in task.decide(scores)]
    assert [set(row["predicted_label"].split("|")) - {""} for row in rows] == expected
    served = [[row[f"score_{name}"] for name in names] for row in rows]
    assert_allclose(served, scores, atol=1e-5)


def test_the_decision_is_that_of_the_validation_split(tmp_path, monkeypatch):
    chosen = Decision(False, (0.2, 0.3, 0.5), 2.0)
    task = TextClassification.build(SMALL, corpus())
    monkeypatch.setattr("apps.training.fit.fit", lambda *arguments, **options: False)
    monkeypatch.setattr(
        "apps.tasks.classification.validation.ClassifierValidation.decide",
        lambda self, model: chosen,
    )
    task.fit(corpus(), tmp_path)
    assert task.decision == chosen
    task.save(tmp_path)
    description = describe(task)
    assert TextClassification.load(SMALL, description, tmp_path).decision == chosen


def test_a_linear_model_is_fitted_saved_and_served_with_the_recurrent_one(tmp_path):
    data = corpus()
    config = dataclasses.replace(SMALL, linear=True, monitor="macro_f1", **PLAIN)
    task = TextClassification.build(config, data)
    task.fit(data, tmp_path)
    task.save(tmp_path)
    description = describe(task)
    loaded = TextClassification.load(config, description, tmp_path)
    assert isinstance(loaded.model, WideClassifier)
    assert_array_equal(loaded.scores(TEXTS), task.scores(TEXTS))
    # One epoch of six texts teaches a recurrent model nothing, and a linear one all of them.
    assert loaded.evaluate(data.split("train")).metrics["macro_f1"] > 0.9
    alone = loaded.evaluate_baselines(data, data.split("train"))["n-grams alone"]
    assert alone.metrics["macro_f1"] > 0.9
    answer = loaded.output_rows(loaded.serving().serve(tf.constant(TEXTS)))
    served = [[row[f"score_{name}"] for name in task.class_names] for row in answer]
    assert_allclose(served, task.scores(TEXTS), atol=1e-6)
    explained = Explainer(loaded)
    (row,) = explained.output_rows(explained.serving().serve(tf.constant(["you fool"])))
    assert row["explanation"].words == ["you", "fool"]
    assert not row["explanation"].gap_matters


def test_a_vocabulary_too_large_for_a_linear_model_is_refused_before_the_training(monkeypatch):
    monkeypatch.setattr("apps.tasks.classification.linear.MOST_IDS", 5)
    with pytest.raises(UserError, match="--linear takes a vocabulary of at most 5 words"):
        TextClassification.build(dataclasses.replace(SMALL, linear=True), corpus())


def test_without_a_word_there_is_no_linear_model(tmp_path, capsys):
    data = corpus()
    rows = LabelledTexts([" "] * 6, data.split("train").targets, data.class_names, None)
    data = dataclasses.replace(data, splits={"train": rows, "validation": rows})
    task = TextClassification.build(dataclasses.replace(SMALL, linear=True, **PLAIN), data)
    task.fit(data, tmp_path)
    assert "no word is in enough training texts" in capsys.readouterr().out
    assert not isinstance(task.model, WideClassifier)


@pytest.mark.parametrize("entry", ["rude", "rude=", "rude=2", "rude=0", "kind=0.5", "=0.5"])
def test_a_precision_of_no_class_is_refused_before_the_training(entry):
    config = dataclasses.replace(SMALL, min_precision=(entry,))
    with pytest.raises(UserError, match=f"CLASS=P.*Received: '{entry}'. Classes: neither, nice"):
        TextClassification.build(config, corpus())


@pytest.mark.parametrize(("votes", "first"), [(True, [0.1, 0.2, 0.7]), (False, [0.0, 0.0, 1.0])])
def test_votes_are_learned_where_the_corpus_has_them(tmp_path, monkeypatch, votes, first):
    seen = []
    monkeypatch.setattr(
        "apps.training.fit.fit",
        lambda model, batches, *_, **options: seen.extend(batches.dataset().unbatch()),
    )
    shares = np.tile(np.array([[0.1, 0.2, 0.7]], "float32"), (6, 1))
    data = corpus(votes=shares)
    task = TextClassification.build(dataclasses.replace(SMALL, votes=votes), data)
    task.fit(data, tmp_path)
    targets = np.unique([target.numpy() for _, target in seen], axis=0)
    assert_allclose(targets[0], first)
    assert len(targets) == (1 if votes else 3)


VECTORS = "fool 1 2 3\nday 4 5 6\nelephant 7 8 9\n"


def test_pretrained_vectors_stand_in_their_rows(tmp_path, capsys):
    (tmp_path / "v.txt").write_text(VECTORS)
    config = dataclasses.replace(SMALL, vectors=str(tmp_path / "v.txt"))
    task = TextClassification.build(config, corpus())
    matrix = task.model.get_layer("embedding").embeddings.numpy()
    row = 2 + task.vocabularies.tokens.index("day")
    assert matrix[row, :3].tolist() == [4, 5, 6]
    assert task.model.get_layer("embedding").trainable
    assert "vectors: 2 of" in capsys.readouterr().out


def test_words_of_the_vectors_alone_are_known_with_vectors_that_stay(tmp_path):
    (tmp_path / "v.txt").write_text(VECTORS)
    vectors = str(tmp_path / "v.txt")
    config = dataclasses.replace(SMALL, vectors=vectors, open_vocabulary=3, **PLAIN)
    task = TextClassification.build(config, corpus())
    assert task.vocabularies.tokens[-1] == "elephant"
    task.fit(corpus(), tmp_path)
    layer = task.model.get_layer("embedding")
    assert layer.open_embeddings.numpy()[:, :3].tolist() == [[7, 8, 9]]
    scores = [
        task.output_rows(task.serving().serve(tf.constant([t])))[0] for t in ("elephant", "xyz")
    ]
    assert scores[0]["score_rude"] != scores[1]["score_rude"]


def test_frozen_vectors_stay_and_are_served(tmp_path):
    (tmp_path / "v.txt").write_text(VECTORS)
    config = dataclasses.replace(
        SMALL, vectors=str(tmp_path / "v.txt"), freeze_vectors=True, embedding_dim=3, **PLAIN
    )
    task = TextClassification.build(config, corpus())
    before = task.model.get_layer("embedding").embeddings.numpy()
    task.fit(corpus(), tmp_path)
    assert_array_equal(task.model.get_layer("embedding").embeddings.numpy(), before)
    answer = task.output_rows(task.serving().serve(tf.constant(["fool"])))[0]
    assert answer["score_rude"] == pytest.approx(task.scores(["fool"])[0, 2], abs=1e-6)


@pytest.mark.parametrize(("freeze", "dimension"), [(False, 2), (True, 4)])
def test_vectors_that_do_not_fit_are_refused_with_the_remedy(tmp_path, freeze, dimension):
    (tmp_path / "v.txt").write_text(VECTORS)
    config = dataclasses.replace(
        SMALL, vectors=str(tmp_path / "v.txt"), freeze_vectors=freeze, embedding_dim=dimension
    )
    with pytest.raises(UserError, match=r"vectors of 3 numbers.*Pass --embedding-dim 3"):
        TextClassification.build(config, corpus())


def test_an_unknown_initializer_is_the_users_mistake():
    config = dataclasses.replace(SMALL, kernel_initializer="nonsense")
    with pytest.raises(UserError, match="nonsense"):
        TextClassification.build(config, corpus())


@pytest.fixture
def saved(task, tmp_path):
    """The folder of a saved task."""
    task.save(tmp_path)
    return tmp_path


def describe(task, **changes):
    """What a run says of a task, read back from JSON."""
    details = json.loads(json.dumps(task.describe()))
    return RunDescription("hate_speech", {}, {**details, **changes})


def load(task, folder, **changes):
    return TextClassification.load(SMALL, describe(task, **changes), folder)


def test_a_saved_task_scores_the_same(task, saved):
    description = describe(task)
    loaded = TextClassification.load(SMALL, description, saved)
    assert_array_equal(loaded.scores(TEXTS), task.scores(TEXTS))
    assert loaded.class_names == task.class_names
    assert all(path.is_file() for path in loaded.files(saved))


@pytest.mark.parametrize("content", [b"", b"not an archive"])
def test_a_damaged_model_is_refused(task, saved, content):
    (saved / "model.keras").write_bytes(content)
    with pytest.raises(UserError, match=r"cannot load .*model.keras: .*Train again"):
        load(task, saved)


def test_a_model_cut_short_is_refused(task, saved):
    whole = (saved / "model.keras").read_bytes()
    (saved / "model.keras").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match=r"cannot load .*model.keras: .*Train again"):
        load(task, saved)


@pytest.mark.parametrize("decision", [None, {"temperature": 1.0, "thresholds": {"rude": 0.5}}])
def test_a_decision_that_is_not_the_models_is_refused(task, saved, decision):
    with pytest.raises(UserError, match="no classes, or no thresholds"):
        load(task, saved, decision=decision)


def test_the_report_tells_what_thresholds_and_temperature_are_worth(task):
    task.decision = Decision(False, (0.98, 0.01, 0.01), 2.0)
    evaluated = task.evaluate(corpus().split("train"))
    report = evaluated.metrics
    assert report["decision"] == task.describe()["decision"]
    plain = task.scores(TEXTS).argmax(axis=1) == corpus().split("train").targets.argmax(axis=1)
    assert report["without_thresholds"]["accuracy"] == pytest.approx(plain.mean())
    # The first class needs 98 times the score of the others, and never has it.
    assert report["accuracy"] <= 4 / 6 and report["per_class"]["neither"]["recall"] == 0.0
    calibration = report["calibration"]
    assert calibration["temperature"] == 2.0
    assert calibration["ece"] != calibration["unscaled"]["ece"]
    assert "chosen on validation: neither 0.980" in evaluated.table()
    task.decision = Decision.plain(3, False)


def test_a_number_of_classes_that_is_not_the_models_is_refused(task, saved):
    with pytest.raises(UserError, match="num_classes is 3, not 2"):
        decision = Decision.plain(2, False).describe(("a", "b"))
        load(task, saved, class_names=["a", "b"], decision=decision)


@pytest.mark.parametrize("name", ["vocabulary.txt", "characters.txt"])
def test_a_missing_vocabulary_is_refused(task, saved, name):
    (saved / name).unlink()
    with pytest.raises(UserError, match=rf"cannot read .*{name}: .*Train again"):
        load(task, saved)


@pytest.mark.parametrize("name", ["vocabulary.txt", "characters.txt"])
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda lines: lines[:-1], id="shorter"),
        pytest.param(lambda lines: [*lines, "x\n"], id="longer"),
        pytest.param(lambda lines: [*lines, lines[-1]], id="an entry twice"),
    ],
)
def test_a_vocabulary_that_is_not_the_models_is_refused(task, saved, name, change):
    lines = (saved / name).read_text().splitlines(keepends=True)
    (saved / name).write_text("".join(change(lines)))
    with pytest.raises(UserError):
        load(task, saved)


def test_a_model_of_another_kind_is_refused(task, saved):
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)]).save(saved / "model.keras")
    with pytest.raises(UserError):
        load(task, saved)


def test_the_baseline_is_measured_like_the_model(task):
    reports = task.evaluate_baselines(corpus(), corpus().split("validation"))
    names = ["tf-idf", "tf-idf, balanced classes"]
    assert list(reports) == [each for name in names for each in (name, f"{name}, thresholds")]
    for report in reports.values():
        own, metrics = task.evaluate(corpus().split("validation")).metrics, report.metrics
        assert own.keys() - metrics.keys() == {"calibration", "decision", "without_thresholds"}
        assert report.table().startswith(f"{'':12}  precision")
        assert metrics["rows"] == 6


@pytest.mark.parametrize(
    ("multi_label", "pictures"), [(False, {"confusion_test.png"}), (True, set())]
)
def test_a_confusion_matrix_is_drawn_for_one_class_a_text(tmp_path, multi_label, pictures):
    task = TextClassification.build(dataclasses.replace(SMALL, **PLAIN), corpus(multi_label))
    task.evaluate(corpus(multi_label).split("train")).draw("test", tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {*pictures, "reliability_test.png"}


def test_a_model_of_one_class_a_text_is_not_measured_on_several(task, tmp_path):
    path = tmp_path / "posts.jsonl"
    path.write_text('{"text": "x", "label": ["rude", "nice"]}\n{"text": "y", "label": []}\n')
    config = dataclasses.replace(SMALL, dataset=str(path))
    data = config.read_corpus(APPLICATION.sample, task.class_names)
    with pytest.raises(UserError, match="any number of labels a text, the model was trained for"):
        config.check_measurable(data, task.describe())


def test_the_sample_is_read_with_its_classes():
    data = read_labelled_texts("sample", APPLICATION.sample)
    assert data.class_names == ("hate_speech", "neither", "offensive_language")
    assert {name: len(rows) for name, rows in data.splits.items()} == {
        "train": 336,
        "validation": 42,
        "test": 42,
    }


def test_files_are_those_that_save_writes(task, tmp_path):
    task.save(tmp_path)
    written = {path.name for path in tmp_path.iterdir()}
    assert written == {"model.keras", *(path.name for path in task.files(tmp_path))}


def test_a_library_user_gets_the_messages_of_a_training_and_nothing_is_printed(
    tmp_path, monkeypatch, capfd
):
    messages = []
    handler = logging.Handler()
    handler.emit = lambda record: messages.append(record.getMessage())
    monkeypatch.setattr(LOGGER, "handlers", [handler])
    config = dataclasses.replace(SMALL, epochs=2, **PLAIN)
    TextClassification.build(config, corpus()).fit(corpus(), tmp_path)
    assert capfd.readouterr().out == ""
    text = "\n".join(messages)
    assert "epoch 2/2  loss " in text and "padding: " not in text
    assert "kept: epoch " in text


@pytest.mark.parametrize("multi_label", [False, True])
def test_r_drop_trains_the_layers_of_the_model_itself(multi_label, tmp_path):
    config = dataclasses.replace(SMALL, r_drop=2.0, dropout=0.3, linear=True, **PLAIN)
    data = corpus(multi_label)
    task = TextClassification.build(config, data)
    before = [weight.numpy() for weight in task.model.trainable_weights]
    task.fit(data, tmp_path)
    assert isinstance(task.model, WideClassifier)
    after = task.model.recurrent.trainable_weights
    assert all(np.any(old != new) for old, new in zip(before, after, strict=True))

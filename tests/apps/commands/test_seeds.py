"""`train --seeds`: members, figures, ensemble, interruptions."""

import dataclasses
import json
import os
import shutil
import signal
import statistics
import zipfile
from functools import partial
from types import SimpleNamespace

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose

from apps.commands import seeds
from apps.commands.application import Application
from apps.commands.main import main
from apps.hate_speech import APPLICATION
from apps.runs.description import RunDescription
from apps.runs.folder import RunFolder
from apps.runs.provenance import Provenance
from apps.runs.unfinished import UnfinishedTraining
from apps.tasks.classification.config import ClassificationConfig
from apps.tasks.classification.task import TextClassification
from apps.training.divergence import Diverged
from apps.training.epochs import ProgressCallback
from data.errors import UserError
from data.examples.labelled import LabelledCorpus, LabelledTexts
from models.classification.decision import Decision

TEXTS = ["you fool", "you old fool", "fine day", "a fine old day", "what?", "what"]
SMALL = ClassificationConfig(
    units=3, embedding_dim=4, bidirectional=False, characters=False, pooling=("last",), min_count=1
)
# One length of texts and one direction: little to compile.
ALONE = [
    *["train", "--epochs", "2", "--units", "3", "--embedding-dim", "4", "--max-tokens", "100"],
    *["--max-length", "8", "--no-characters", "--no-bidirectional", "--pooling", "last"],
    *["--dropout", "0.3", "--deterministic", "--no-linear"],
]
TWO = [*ALONE, "--seed", "3", "--seeds", "2", "--ensemble"]
MEMBERS = ("3", "4")


def read(path):
    return json.loads(path.read_text())


def weights(run):
    """The bytes of the weights by name, without the optimizer's state; the archive around them
    holds the time of writing."""
    values = {}
    with (
        zipfile.ZipFile(run / "model.keras") as archive,
        archive.open("model.weights.h5") as member,
        h5py.File(member) as file,
    ):
        file.visititems(
            lambda name, item: (
                values.update({name: item[()].tobytes()})
                if name.startswith("layers") and hasattr(item, "dtype")
                else None
            )
        )
    return values


def files(folder):
    return sorted(path.name for path in folder.iterdir())


# --- the ensemble of a task --------------------------------------------------


def corpus(multi_label):
    names = ("neither", "nice", "rude")
    targets = np.eye(3, dtype="float32")[[2, 2, 1, 1, 0, 0]]
    rows = LabelledTexts(TEXTS, targets, names, None)
    return LabelledCorpus("toy", "0" * 64, {"train": rows, "validation": rows}, names, multi_label)


def members_of(data):
    members = []
    for seed in (0, 1):
        keras.utils.set_random_seed(seed)
        members.append(TextClassification.build(SMALL, data))
    return members


@pytest.mark.parametrize("multi_label", [False, True])
def test_an_ensemble_scores_and_serves_the_mean_of_its_members(multi_label, tmp_path):
    members = members_of(corpus(multi_label))
    task = TextClassification.ensemble(members, corpus(multi_label))
    assert task.decision.temperature != 1.0
    task.decision = Decision.plain(3, multi_label)
    expected = np.mean([member.scores(TEXTS) for member in members], axis=0)
    assert_allclose(task.scores(TEXTS), expected, atol=1e-6)
    answer = task.output_rows(task.serving().serve(tf.constant(TEXTS)))
    served = [[row[f"score_{name}"] for name in task.class_names] for row in answer]
    assert_allclose(served, expected, atol=1e-6)
    task.save(tmp_path)
    loaded = TextClassification.load(
        SMALL, RunDescription("made", {}, read_back(task.describe())), tmp_path
    )
    assert_allclose(loaded.scores(TEXTS), expected, atol=1e-6)


def read_back(description):
    return json.loads(json.dumps(description))


def test_members_with_different_words_are_refused():
    first, second = members_of(corpus(False))
    words = dataclasses.replace(second.vocabularies, tokens=second.vocabularies.tokens[::-1])
    second.vocabularies = words
    with pytest.raises(UserError, match="different vocabularies"):
        TextClassification.ensemble([first, second], corpus(False))


# --- members -----------------------------------------------------------------


class Trained:
    """Trains members of a folder in `tmp_path`; a seed may end as an exception says."""

    def __init__(self, folder, endings=None, interrupted=()):
        self.interrupted = interrupted
        self.unfinished, self.endings = UnfinishedTraining(folder / "run"), endings or {}
        self.calls, self.beginnings = [], []

    def __call__(self, config, unfinished, begun):
        self.calls.append((config.seed, begun))
        self.beginnings.append(config.init_from)
        assert (config.seeds, config.ensemble, unfinished.whole) == (1, False, self.unfinished)
        assert unfinished.resumable if begun else files(unfinished.path) == ["lock"]
        if config.seed in self.endings:
            raise self.endings[config.seed]
        unfinished.run.mkdir()
        return config.seed not in self.interrupted

    def members(self, number, config=ClassificationConfig):
        config = config(seed=5, seeds=number, ensemble=True)
        return seeds.train_members("hate_speech", config, self.unfinished, self)


def test_members_have_the_seed_and_those_after_it(tmp_path):
    trained = Trained(tmp_path)
    assert trained.members(3) == ("", True)
    assert trained.calls == [(5, None), (6, None), (7, None)]
    assert files(trained.unfinished.path / "seeds") == ["5", "6", "7"]


def test_what_is_trained_is_not_trained_again(tmp_path):
    trained = Trained(tmp_path)
    folder = trained.unfinished.path / "seeds"
    (folder / "5").mkdir(parents=True)
    # Killed between its run and the end of its folder.
    (folder / ".5.training" / "checkpoints").mkdir(parents=True)
    (folder / ".5.training" / "checkpoints" / "checkpoint").touch()
    trained.members(2)
    assert trained.calls == [(6, None)]
    assert files(folder) == ["5", "6"]


def test_members_begin_with_those_of_another_run_in_turn(tmp_path):
    former = tmp_path / "former"
    begun = [former / "seeds" / seed for seed in MEMBERS]
    for folder in begun:
        folder.mkdir(parents=True)
    trained = Trained(tmp_path)
    # The one that is there already had its turn.
    (trained.unfinished.path / "seeds" / "5").mkdir(parents=True)
    trained.members(4, partial(ClassificationConfig, init_from=str(former)))
    assert trained.beginnings == [str(begun[place]) for place in (1, 0, 1)]


def test_a_member_under_way_goes_on(tmp_path):
    trained = Trained(tmp_path)
    folder = trained.unfinished.path / "seeds" / ".5.training"
    (folder / "checkpoints").mkdir(parents=True)
    (folder / "checkpoints" / "checkpoint").touch()
    begun = {
        "format": 1,
        **{"application": "hate_speech", "config": {}, "command": "train"},
        **{"checksum": "abc", "versions": {}},
    }
    (folder / "config.json").write_text(json.dumps(begun))
    trained.members(1)
    assert trained.calls == [(5, RunDescription.from_json(begun))]


def test_a_member_that_diverges_is_told_and_the_others_are_trained(tmp_path):
    trained = Trained(tmp_path, {6: Diverged(float("nan"), "as loss in step 2")})
    assert trained.members(3).diverged.startswith(
        "seed 6: the training diverged: it gives nan as loss in"
    )
    assert files(trained.unfinished.path / "seeds") == ["5", "7"]


def test_after_a_member_that_is_interrupted_no_other_one_begins(tmp_path):
    trained = Trained(tmp_path, interrupted=[6])
    assert trained.members(3) == ("", False)
    assert [seed for seed, _ in trained.calls] == [5, 6]


def test_if_the_first_member_diverges_so_does_the_recipe(tmp_path):
    trained = Trained(tmp_path, {5: Diverged(float("nan"), "as loss in step 2")})
    with pytest.raises(Diverged):
        trained.members(3)
    assert len(trained.calls) == 1 and not trained.unfinished.resumable


# --- the run of the members --------------------------------------------------


class Made:
    """The task of a member, or of the mean of some; right about a text for each of them."""

    def __init__(self, config, members=1):
        self.config, self.members = config, members
        self.model = SimpleNamespace(members=range(members))

    @classmethod
    def ensemble(cls, loaded, corpus):
        return cls(loaded[0].config, sum(each.members for each in loaded))

    def evaluate(self, examples):
        return Accuracy({"accuracy": self.members / len(examples.texts)})

    def logits(self, texts):
        return self.config.seed / 10

    def mean(self, logits):
        return statistics.fmean(logits)

    def report(self, logits, examples):
        return Accuracy({"accuracy": logits})

    def save(self, folder):
        (folder / "model.keras").write_text(str(self.config.seed))

    def serving(self):
        raise UserError("a toy cannot be exported")

    def describe(self):
        return {}

    def read_report(self, metrics):
        return Accuracy(metrics)


class Accuracy:
    """The report of such a task."""

    def __init__(self, metrics):
        self.metrics = metrics

    def to_json(self):
        return self.metrics

    main_metrics = to_json

    def draw(self, split, folder):
        pass

    def table(self):
        return f"accuracy {self.metrics['accuracy']:.1f}"


def read_made(folder):
    return Made(dataclasses.replace(SMALL, **read(folder / "config.json")["config"]))


MAKING = Application("made", "", ClassificationConfig, lambda: Made, "")


@pytest.mark.parametrize(
    ("ensemble", "model", "accuracy"), [(True, "the ensemble", 2 / 6), (False, "seed 6", 0.75)]
)
def test_the_run_has_the_options_the_time_and_the_figures_of_all_members(
    tmp_path, monkeypatch, ensemble, model, accuracy
):
    monkeypatch.setattr(Application, "trained", lambda self, folder: read_made(folder))
    whole = dataclasses.replace(
        SMALL, seed=5, seeds=3, ensemble=ensemble, init_from="former", monitor="roc_auc"
    )
    unfinished = UnfinishedTraining(tmp_path / "run")
    unfinished.path.mkdir()
    description = RunDescription("made", {}, provenance=Provenance(checksum="abc"))

    def train_member(config, unfinished, begun):
        if config.seed == 7:
            raise Diverged(float("nan"), "as loss in step 2")
        unfinished.run.mkdir()
        member = RunFolder(unfinished.run)
        Made(config).save(member.path)
        options = {"seed": config.seed, "init_from": "member"}
        seconds = 2.0 ** (config.seed - 5)
        member.write_description(
            dataclasses.replace(description, config=options, training_seconds=seconds)
        )
        # Where a class is missing there is no area under a curve.
        accuracy, area = {5: (0.5, None), 6: (0.75, 0.25)}[config.seed]
        member.add_metrics("validation", {"accuracy": accuracy, "roc_auc": area})
        return True

    assert seeds.train(MAKING, corpus(False), whole, description, unfinished, train_member)
    description = read(unfinished.run / "config.json")
    assert (description["model"], description["training_seconds"]) == (model, 1.0 + 2.0)
    options = {name: description["config"][name] for name in ("seed", "seeds", "ensemble")}
    assert options == {"seed": 5, "seeds": 3, "ensemble": ensemble}
    assert description["checksum"] == "abc"
    assert description["stopped_early"].startswith("seed 7: the training diverged")
    assert description["config"]["init_from"] == "former"
    assert (unfinished.run / "model.keras").read_text() == ("5" if ensemble else "6")
    report = read(unfinished.run / "metrics.json")["validation"]
    # An ensemble is measured itself; a member has its figures from its training.
    assert report["accuracy"] == accuracy
    assert report["seeds"]["mean"] == {"accuracy": 0.625}
    assert files(unfinished.run / "seeds") == ["5", "6"]
    assert not unfinished.path.exists()


@pytest.mark.parametrize(
    ("kept", "accuracy", "of_each"), [((5, 6), 0.55, [0.5, 0.6]), ((6,), 2 / 6, [1 / 6])]
)
def test_an_ensemble_is_the_mean_of_its_members_logits_while_all_are_there(kept, accuracy, of_each):
    ensemble = Made(dataclasses.replace(SMALL, ensemble=True), members=2)
    application = SimpleNamespace(load=lambda seed: Made(dataclasses.replace(SMALL, seed=seed)))
    run = SimpleNamespace(member=lambda seed: seed)
    whole, summary = seeds.evaluate(application, ensemble, run, kept, corpus(False).split("train"))
    assert whole.metrics["accuracy"] == pytest.approx(accuracy)
    assert [each["accuracy"] for each in summary.members.values()] == of_each


# --- the command line --------------------------------------------------------


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """The run of an ensemble of two seeds, and nothing beside it; read only."""
    run = tmp_path_factory.mktemp("two") / "run"
    main(APPLICATION, [*TWO, "--run", str(run)])
    assert files(run.parent) == ["run"]
    for folder in (run, *(run / "seeds" / seed for seed in MEMBERS)):
        main(APPLICATION, ["evaluate", "--run", str(folder), "--split", "test"])
    return run


def test_the_members_of_a_run_are_runs(two):
    assert files(two / "seeds") == list(MEMBERS)
    for seed in MEMBERS:
        description = read(two / "seeds" / seed / "config.json")
        config = description["config"]
        assert (config["seed"], config["seeds"], config["ensemble"]) == (int(seed), 1, False)
        assert description["seed"] == int(seed)
        assert "history.csv" in files(two / "seeds" / seed)
        assert list(read(two / "seeds" / seed / "metrics.json")) == ["validation", "test"]
    assert weights(two / "seeds" / "3") != weights(two / "seeds" / "4")


def test_a_member_is_what_its_seed_trains_alone(two, command, tmp_path):
    assert command(*ALONE, "--seed", "4", "--run", tmp_path / "alone").status == 0
    assert weights(tmp_path / "alone") == weights(two / "seeds" / "4")
    assert "seeds" not in files(tmp_path / "alone")
    assert "seeds" not in read(tmp_path / "alone" / "metrics.json")["validation"]


@pytest.mark.parametrize("split", ["validation", "test"])
def test_the_figures_of_a_run_are_those_of_its_members(two, split):
    figures = [read(two / "seeds" / seed / "metrics.json")[split] for seed in MEMBERS]
    found = read(two / "metrics.json")[split]["seeds"]
    for figure in (lambda f: f["accuracy"], lambda f: f["per_class"]["neither"]["f1"]):
        values = [figure(each) for each in figures]
        assert [figure(each) for each in found["members"].values()] == values
        assert figure(found["mean"]) == pytest.approx(sum(values) / 2)
        assert figure(found["deviation"]) == pytest.approx(statistics.stdev(values))


def test_an_ensemble_is_measured_by_one_pass_of_each_member(two, command, tmp_path):
    task = APPLICATION.trained(two)
    corpus = APPLICATION.read_data(task.config)
    expected = task.evaluate(corpus.split("test")).metrics
    run = tmp_path / "run"
    shutil.copytree(two, run)
    shutil.rmtree(run / "seeds" / MEMBERS[1])
    # With a member gone it is the whole model that is asked.
    assert command("evaluate", "--run", run, "--split", "test").status == 0
    for folder, members in ((two, MEMBERS), (run, MEMBERS[:1])):
        found = read(folder / "metrics.json")["test"]
        assert tuple(found["seeds"]["members"]) == members
        assert found["confusion_matrix"] == expected["confusion_matrix"]
        assert found["roc_auc"] == pytest.approx(expected["roc_auc"], abs=1e-6)
        ece = expected["calibration"]["ece"]
        assert found["calibration"]["ece"] == pytest.approx(ece, abs=1e-5)


def scores(command, run, output):
    """Of each text by class, as `predict` writes them."""
    assert command("predict", "--run", run, "--output", output, *TEXTS).status == 0
    rows = map(json.loads, output.read_text().splitlines())
    return [[row[name] for name in sorted(row) if name.startswith("score_")] for row in rows]


def probabilities(command, run, output):
    """What the model of a run says before its temperature."""
    temperature = read(run / "config.json")["decision"]["temperature"]
    powers = np.array(scores(command, run, output)) ** temperature
    return powers / powers.sum(axis=1, keepdims=True)


def test_the_runs_model_is_the_mean_of_the_members(two, command, tmp_path):
    folders, output = [two / "seeds" / seed for seed in MEMBERS], tmp_path / "scores.jsonl"
    expected = np.mean([probabilities(command, each, output) for each in folders], axis=0)
    assert_allclose(probabilities(command, two, output), expected, atol=1e-5)
    assert read(two / "config.json")["model"] == "the ensemble"
    RunFolder(two).check_replaceable()
    assert command("export", "--run", two, "--output", tmp_path / "out").status == 0
    serve = tf.saved_model.load(str(tmp_path / "out" / "1")).signatures["serving_default"]
    answer = serve(texts=tf.constant(TEXTS))
    order = np.argsort(answer["classes"].numpy(), axis=1)
    served = np.take_along_axis(answer["scores"].numpy(), order, 1)
    assert_allclose(served, scores(command, two, output), atol=1e-6)


def test_an_ensemble_is_not_explained_and_nothing_begins_with_it(two, command, tmp_path):
    answer = command("predict", "--run", two, "--explain", "a text")
    assert answer.status == 2
    assert "this run's is the mean of 2. Choose one of them" in answer.err
    answer = command("train", "--init-from", two, "--run", tmp_path / "run")
    assert answer.status == 2 and not (tmp_path / "run").exists()
    assert f"{two} holds the mean of 2 models. Begin with one of them" in answer.err


def test_each_seed_begins_with_a_member_of_its_own(two, command, tmp_path):
    run = tmp_path / "run"
    # A rate at which no weight changes: each still has what it began with.
    options = [*TWO, "--epochs", "1", "--learning-rate", "0", "--no-ensemble"]
    assert command(*options, "--init-from", two, "--run", run).status == 0
    assert read(run / "config.json")["config"]["init_from"] == str(two)
    begun = [two / "seeds" / seed for seed in MEMBERS]
    for member, expected in zip(sorted((run / "seeds").iterdir()), begun, strict=True):
        assert read(member / "config.json")["config"]["init_from"] == str(expected)
        assert weights(member) == weights(expected)


def test_without_ensemble_the_model_is_the_best_member(two, command, tmp_path):
    # The members are trained already: they only have to be put together.
    run = tmp_path / "run"
    unfinished = UnfinishedTraining(run)
    shutil.copytree(two / "seeds", unfinished.path / "seeds")
    for seed, value in zip(MEMBERS, (0.25, 0.75), strict=True):
        member = RunFolder(unfinished.path / "seeds" / seed)
        member.add_metrics(
            "validation", {**read(member.path / "metrics.json")["validation"], "macro_f1": value}
        )
    description = read(two / "config.json")
    description["config"].update(ensemble=False, monitor="macro_f1")
    RunFolder(unfinished.path).write_json("config.json", description)
    answer = command("train", "--resume", "--run", run)
    assert (answer.status, answer.err) == (0, "")
    assert "the model is of seed 4" in answer.out
    assert read(run / "config.json")["model"] == "seed 4"
    for name in ("history.csv", "gradient_norms.csv", "training_curves.png", "vocabulary.txt"):
        assert (run / name).read_bytes() == (two / "seeds" / "4" / name).read_bytes()
    assert weights(run) == weights(two / "seeds" / "4")
    assert files(run / "seeds") == list(MEMBERS)
    assert not unfinished.path.exists()


def test_an_ensemble_of_one_is_refused_before_tensorflow(command, monkeypatch, tmp_path):
    monkeypatch.setattr("apps.commands.train.import_tensorflow", lambda: pytest.fail("too late"))
    answer = command("train", "--ensemble", "--run", tmp_path / "run")
    assert answer.status == 2 and answer.err.count("\n") == 1
    assert "--seeds is 1" in answer.err
    assert files(tmp_path) == []


# --- interruptions -----------------------------------------------------------


@pytest.fixture
def interrupted(command, monkeypatch, tmp_path):
    """Sends this process a signal in the nth batch of all members; returns run and answer."""

    def interrupt(batch, number):
        method, calls = ProgressCallback.on_train_batch_end, []

        def counted(self, *arguments, logs=None):
            calls.append(self)
            if len(calls) == batch:
                os.kill(os.getpid(), number)
            method(self, *arguments, logs)

        with monkeypatch.context() as patch:
            patch.setattr(ProgressCallback, "on_train_batch_end", counted)
            return tmp_path / "run", command(*TWO, "--run", tmp_path / "run")

    return interrupt


# 21 batches an epoch, two epochs a member.
@pytest.mark.parametrize(
    ("batch", "number", "status", "what", "left"),
    [
        (50, signal.SIGTERM, 143, "terminated", [".4.training", "3"]),
        (3, signal.SIGINT, 130, "interrupted", [".3.training"]),
    ],
)
def test_an_interruption_keeps_members_and_checkpoint(
    two, interrupted, command, batch, number, status, what, left
):
    run, answer = interrupted(batch, number)
    assert answer.status == status
    *warnings, line = answer.err.splitlines()
    assert line == (
        f"error: {what}. Resume with: python -m apps.hate_speech train --resume --run {run}"
    )
    # A member of three units may leave a class out.
    assert all("is never predicted on validation" in each for each in warnings)
    assert not run.exists()
    assert files(UnfinishedTraining(run).path / "seeds") == left
    answer = command(*TWO, "--run", run)
    assert answer.status == 2 and "--restart" in answer.err
    if number == signal.SIGINT:
        return
    answer = command("train", "--resume", "--run", run)
    assert answer.status == 0
    assert "seed 4\n" in answer.out and "seed 3\n" not in answer.out
    assert "resuming in epoch 1 after 8 batches" in answer.out
    for name in ("", *(f"seeds/{seed}" for seed in MEMBERS)):
        assert weights(run / name) == weights(two / name)
    figures = [read(folder / "metrics.json")["validation"] for folder in (run, two)]
    assert figures[0]["seeds"] == figures[1]["seeds"]
    assert figures[0]["confusion_matrix"] == figures[1]["confusion_matrix"]
    # Those were evaluated on the test split, too.
    measured = ("_test.png", "report.html")
    assert files(run) == [name for name in files(two) if not name.endswith(measured)]
    assert not UnfinishedTraining(run).path.exists()

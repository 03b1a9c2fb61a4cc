"""A classifier that learns another one's scores."""

import dataclasses

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from apps.runs.description import RunDescription
from apps.runs.folder import RunFolder
from apps.tasks.classification.config import ClassificationConfig
from apps.tasks.classification.task import TextClassification
from data.errors import UserError
from data.examples.labelled import LabelledCorpus, LabelledTexts
from models.classification.decision import Decision

TEXTS = ["you fool", "fine day", "a fine old day", "what?"]
NAMES = ("neither", "nice", "rude")
SMALL = ClassificationConfig(
    units=2,
    embedding_dim=3,
    min_count=1,
    cell="simple_rnn",
    bidirectional=False,
    characters=False,
    pooling=("last",),
)


def corpus(names=NAMES):
    rows = LabelledTexts(TEXTS, np.eye(3, dtype="float32")[[2, 1, 1, 0]], names, None)
    return LabelledCorpus("toy", "0" * 64, {"train": rows, "validation": rows}, names, False)


@pytest.fixture(scope="module")
def teacher():
    """The mean of two classifiers, whose answers are softer than its logits: temperature 2."""
    members = []
    for seed in (0, 1):
        keras.utils.set_random_seed(seed)
        members.append(TextClassification.build(SMALL, corpus()))
    task = TextClassification.ensemble(members, corpus())
    task.decision = dataclasses.replace(Decision.plain(3, False), temperature=2.0)
    return task


@pytest.fixture(scope="module")
def run(teacher, tmp_path_factory):
    folder = tmp_path_factory.mktemp("teacher")
    teacher.save(folder)
    config = dataclasses.asdict(SMALL)
    details = {**teacher.describe(), "class_names": list(NAMES)}
    description = RunDescription("made", config, details, kind="classifier")
    values = {**description.to_json(), "checksum": ""}
    RunFolder(folder).write_description(RunDescription.from_json(values))
    return folder


def student_of(run, names=NAMES):
    config = dataclasses.replace(SMALL, teacher=str(run), units=3)
    return TextClassification.build(config, corpus(names))


def test_a_student_learns_its_teachers_scores_and_chooses_by_labels(teacher, run):
    data = student_of(run).prepare(corpus())
    assert_allclose(data.targets, teacher.scores(TEXTS), atol=1e-6)
    powers = np.exp(teacher.logits(TEXTS) / 2)
    assert_allclose(data.targets, powers / powers.sum(axis=1, keepdims=True), atol=1e-5)
    assert_array_equal(data.labels, corpus().split("train").targets)


def test_a_teacher_of_other_classes_is_refused_before_the_training(run):
    with pytest.raises(UserError, match="answers with neither, nice, rude, the data have a, b, c"):
        student_of(run, ("a", "b", "c"))


def test_a_folder_without_a_teacher_is_refused(tmp_path):
    with pytest.raises(UserError, match="no trained model"):
        student_of(tmp_path / "none")

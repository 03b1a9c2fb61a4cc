"""A tagger that learns another one's tags."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from apps.ner import APPLICATION
from apps.tasks.tagging.task import TextTagging
from apps.tasks.tagging.teacher import soft_tags
from data.errors import UserError
from data.examples.tagged import TaggedCorpus, TaggedText, TaggedTexts
from data.text.tag_preprocessor import tokenize_all

RUNS = Path(__file__).parents[3] / "runs"
TEXTS = ["Ida moved from Leeds to Mull.", "You have won a free prize, call now!"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("teacher") / "ner"
    shutil.unpack_archive(RUNS / "ner.zip", folder)
    return folder


@pytest.fixture(scope="module")
def teacher(run):
    return APPLICATION.trained(run)


def corpus(types):
    rows = TaggedTexts([TaggedText(text, ()) for text in TEXTS])
    return TaggedCorpus("toy", "0" * 64, {"train": rows, "validation": rows}, types)


def student_of(run, types):
    config = APPLICATION.config(teacher=str(run), units=3, embedding_dim=4, min_count=1)
    return TextTagging.build(config, corpus(types))


def test_a_student_learns_what_its_teacher_holds_for_possible(run, teacher):
    student = student_of(run, teacher.class_names)
    tokens = tokenize_all(TEXTS)
    found = soft_tags(student, corpus(teacher.class_names).split("train"), tokens)
    assert found.shape.as_list() == [2, None, 16]
    assert found.row_lengths().numpy().tolist() == tokens.strings.row_lengths().numpy().tolist()
    ids = {
        name: each.to_tensor() for name, each in teacher.preprocessor.ragged(tokens.strings).items()
    }
    emissions = teacher.model(ids, training=False)
    wanted = teacher.model.probable_tags(emissions, ids["token_ids"] != 0, 16).numpy()
    np.testing.assert_array_equal(found.to_tensor().numpy(), wanted)


def test_the_loss_of_a_student_is_that_of_its_teachers_tags(run, teacher):
    student = student_of(run, teacher.class_names)
    batches, loss = student.training_data(corpus(teacher.class_names))
    ids, tags = next(iter(batches.dataset()))
    assert tags.shape[2] == 16
    likelihood = student.model.negative_log_likelihood(student.model(ids), tags)
    assert float(loss(tags, likelihood)) > 0


def test_a_teacher_of_other_types_is_refused_before_the_training(run):
    with pytest.raises(UserError, match="the data have FISH"):
        student_of(run, ("FISH",))


def test_a_teacher_of_another_kind_is_refused(tmp_path):
    shutil.unpack_archive(RUNS / "words.zip", tmp_path / "words")
    with pytest.raises(UserError, match="holds a run of 'text_generation', not of a tagger"):
        student_of(tmp_path / "words", ("PER",))

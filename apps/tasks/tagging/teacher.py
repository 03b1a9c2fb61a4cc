"""What a tagger learns of another one: the sequences of tags that this holds for possible."""

from typing import Any

import numpy as np
import tensorflow as tf

from apps.tasks.tagging.rows import ROWS_AT_ONCE, tag_rows
from apps.tasks.teacher import load_teacher
from data.batches.padded import Batches
from data.examples.tagged import TaggedTexts
from data.graphs import graph
from data.text.word_tokenizer import Tokens

# Sequences of each text: a probability is known to one part in so many.
_SEQUENCES = 16


def soft_tags(student: Any, examples: TaggedTexts, tokens: Tokens) -> tf.RaggedTensor:
    """Finds the most probable sequences of tags by a tagger's teacher, each as many times as it is
    probable: "Structure-Level Knowledge Distillation for Multilingual Sequence Labeling" (Wang et
    al. 2020), section 3.1, whose weights these counts are.

    Args:
        student: an `apps.tasks.tagging.task.TextTagging`, whose options name the teacher.
        examples: of the training split.
        tokens: of its texts.

    Returns:
        <int32>[rows, (tokens), sequences], from 1; rows of so many tokens as the student reads.

    Raises:
        UserError: see `apps.tasks.teacher.read_teacher`.
    """
    teacher: Any = load_teacher(student)
    size = student.config.max_length
    rows = tag_rows(teacher.preprocessor, examples, tokens, student.class_names, size)
    batches = Batches(rows.ids, rows.tags, ROWS_AT_ONCE)
    dataset = batches.dataset()

    def answer(ids: dict[str, tf.Tensor]) -> tf.Tensor:
        emissions = teacher.model(ids, training=False)
        return teacher.model.probable_tags(emissions, ids["token_ids"] != 0, _SEQUENCES)

    answer = graph(answer, input_signature=dataset.element_spec[:1])
    splits = rows.tags.row_splits.numpy()
    tags = np.zeros((splits[-1], _SEQUENCES), np.int32)
    for numbers, (ids, *_) in zip(batches.order(0), dataset, strict=True):
        for number, found in zip(numbers, answer(ids).numpy(), strict=True):
            begin, end = splits[number : number + 2]
            tags[begin:end] = found[: end - begin]
    return tf.RaggedTensor.from_row_splits(tags, splits)

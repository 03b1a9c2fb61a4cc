"""What a classifier learns: from a corpus, or from another classifier's answers."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from apps.tasks.classification.validation import ClassifierValidation
from apps.tasks.teacher import load_teacher


@dataclass(frozen=True)
class ClassifierData:
    """The training and the validation split of a corpus, each tokenized once.

    Attributes:
        ids: of the training split, as `TextPreprocessor.ragged` returns them.
        targets: <float32>[rows, num_classes], what is learned: labels, the annotators' votes, or a
            teacher's scores.
        labels: <float32>[rows, num_classes], 0 or 1.
        validation: the validation split.
    """

    ids: dict[str, tf.RaggedTensor]
    targets: np.ndarray
    labels: np.ndarray
    validation: ClassifierValidation


def soft_targets(student: Any, texts: list[str]) -> np.ndarray:
    """Computes what a student learns of its teacher: the scores of all classes, which say more of a
    text than its label (Hinton et al. 2015, "Distilling the Knowledge in a Neural Network").

    Args:
        student: an `apps.tasks.classification.task.TextClassification`, whose options name the
            teacher.
        texts: of the training split.

    Returns:
        <float32>[rows, num_classes], calibrated as the teacher's answers are.

    Raises:
        UserError: see `apps.tasks.teacher.read_teacher`.
    """
    teacher: Any = load_teacher(student)
    return teacher.scores(texts)

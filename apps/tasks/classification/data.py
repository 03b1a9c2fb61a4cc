"""What a classifier learns: from a corpus, or from another classifier's answers."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from apps.config.options import override, without_dropped
from apps.pretrained.names import find_run
from apps.runs.files import RunFiles, read_run
from apps.runs.folder import RunFolder
from apps.tasks.classification.validation import ClassifierValidation
from data.errors import UserError, list_values


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


def read_teacher(student: Any) -> RunFiles:
    """Reads the run of the classifier that another one learns from.

    Args:
        student: an `apps.tasks.classification.task.TextClassification`.

    Raises:
        UserError: it holds no classifier, or one of other classes.
    """
    name = student.config.teacher or ""
    files = read_run(RunFolder(find_run(name), "--teacher"))
    description = files.description
    if "decision" not in description.details:
        raise UserError(
            f"{name} holds a run of {description.application!r}, not of a classifier. Check "
            "--teacher"
        )
    kind = description.details.get("multi_label")
    if description.class_names != student.class_names or kind != student.multi_label:
        raise UserError(
            f"{name} answers with {list_values(description.class_names, 4)}, the data have "
            f"{list_values(student.class_names, 4)}. Check --teacher"
        )
    return files


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
        UserError: see `read_teacher`.
    """
    files = read_teacher(student)
    options = type(student.config)
    stored = without_dropped(options, files.description.config)
    with files.copied() as folder:
        teacher = type(student).load(override(options(), stored), files.description, folder)
    return teacher.scores(texts)

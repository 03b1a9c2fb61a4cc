"""What a classifier learns from a corpus."""

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from apps.tasks.classification.validation import ClassifierValidation


@dataclass(frozen=True)
class ClassifierData:
    """The training and the validation split of a corpus, each tokenized once.

    Attributes:
        ids: of the training split, as `TextPreprocessor.ragged` returns them.
        targets: <float32>[rows, num_classes], what is learned: labels, or the annotators' votes.
        labels: <float32>[rows, num_classes], 0 or 1.
        validation: the validation split.
    """

    ids: dict[str, tf.RaggedTensor]
    targets: np.ndarray
    labels: np.ndarray
    validation: ClassifierValidation

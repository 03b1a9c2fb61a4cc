"""From logits to calibrated scores, and from scores to the classes that a text gets."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from models.classification.calibration import fit_temperature
from models.classification.thresholds import choose_for_precision, choose_thresholds, decide

# A class is more probable than not from here on; used where classes do not exclude each other.
_EVEN = 0.5


@dataclass(frozen=True)
class Decision:
    """The temperature and thresholds that turn logits into scores, and scores into classes.

    Attributes:
        multi_label: whether a text may have any number of classes.
        thresholds: one per class. A multi-label text gets each class whose score reaches the class'
            threshold; any other text gets the class with the highest ratio of score to threshold.
            These thresholds sum to 1, so that of two classes each is chosen from its threshold on.
        temperature: logits are divided by it (Guo et al. 2017, "On Calibration of Modern Neural
            Networks", section 4.2).
    """

    multi_label: bool
    thresholds: tuple[float, ...]
    temperature: float = 1.0

    @classmethod
    def plain(cls, num_classes: int, multi_label: bool) -> "Decision":
        """Decides for the most probable class, or for each that is more probable than not."""
        return cls(multi_label, (_EVEN if multi_label else 1 / num_classes,) * num_classes)

    @classmethod
    def fit(
        cls,
        logits: np.ndarray,
        targets: np.ndarray,
        prior: np.ndarray,
        multi_label: bool,
        goal: str,
        precisions: dict[int, float] | None = None,
    ) -> "Decision":
        """Chooses temperature and thresholds on a validation split.

        Args:
            logits: <float32>[rows, num_classes].
            targets: <float32>[rows, num_classes], 0 or 1.
            prior: <float>[num_classes], frequency of each class in the training split.
            multi_label: whether a text may have any number of classes.
            goal: a name in `models.registry.THRESHOLDS`.
            precisions: the least precision of single classes, by their position; it takes
                precedence over the goal.
        """
        plain = cls.plain(logits.shape[1], multi_label)
        temperature = fit_temperature(logits, targets, multi_label)
        scores = cls(multi_label, plain.thresholds, temperature).scores(logits).numpy()
        thresholds = choose_thresholds(goal, scores, targets, prior, multi_label)
        for position, precision in (precisions or {}).items():
            thresholds = choose_for_precision(
                scores, targets, thresholds, position, precision, multi_label
            )
        if not multi_label:
            thresholds = thresholds / thresholds.sum()
        return cls(multi_label, tuple(map(float, thresholds)), temperature)

    def scores(self, logits: tf.Tensor | np.ndarray) -> tf.Tensor:
        """Computes calibrated probabilities: a softmax, or with `multi_label` a sigmoid per class.

        Args:
            logits: <float32>[rows, num_classes].

        Returns:
            <float32>[rows, num_classes].
        """
        logits = tf.convert_to_tensor(logits) / self.temperature
        return tf.nn.sigmoid(logits) if self.multi_label else tf.nn.softmax(logits)

    def ratios(self, scores: tf.Tensor | np.ndarray) -> tf.Tensor:
        """Divides scores by their thresholds, by which classes are chosen; shapes as `scores`."""
        return tf.cast(scores, tf.float32) / tf.constant(self.thresholds, tf.float32)

    def decide(self, scores: tf.Tensor | np.ndarray) -> tf.Tensor:
        """Returns the classes of each text, <bool>[rows, num_classes]."""
        return decide(self.ratios(scores), self.multi_label)

    def describe(self, class_names: tuple[str, ...]) -> dict[str, Any]:
        """Returns temperature and thresholds, by class name, as values for JSON."""
        named = dict(zip(class_names, self.thresholds, strict=True))
        return {"temperature": self.temperature, "thresholds": named}

    @classmethod
    def read(
        cls, values: dict[str, Any], class_names: tuple[str, ...], multi_label: bool
    ) -> "Decision":
        """Reads what `describe` returned.

        Raises:
            KeyError, TypeError, ValueError: it is something else.
        """
        numbers = [*(values["thresholds"][name] for name in class_names), values["temperature"]]
        # JSON's whole numbers have no bounds, but those above the largest float are useless here.
        if not all(type(number) in (int, float) and 0 < number < 1e300 for number in numbers):
            raise ValueError("a threshold or the temperature is no positive number")
        *thresholds, temperature = map(float, numbers)
        return cls(multi_label, tuple(thresholds), temperature)

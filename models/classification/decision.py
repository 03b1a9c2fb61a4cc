"""From logits to calibrated scores, and from scores to the classes that a text gets."""

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from models.classification.calibration import fit_temperature
from models.classification.thresholds import decide, for_precision, thresholds_for

# Of a class among several that exclude each other only ratios of thresholds count.
_EVEN = 0.5


@dataclass(frozen=True)
class Decision:
    """What was chosen on the validation split for a trained model.

    Attributes:
        multi_label: whether a text may have any number of classes.
        thresholds: one a class. A multi-label text gets each class whose score reaches its own; any
            other text gets the class with the highest ratio of score to threshold. Those sum to 1,
            so that of two classes each is chosen from its threshold on.
        temperature: logits are divided by it (Guo et al. 2017, "On Calibration of Modern Neural
            Networks", section 4.2).
    """

    multi_label: bool
    thresholds: tuple[float, ...]
    temperature: float = 1.0

    @classmethod
    def plain(cls, num_classes: int, multi_label: bool) -> "Decision":
        """The most probable class, or each that is more probable than not."""
        return cls(multi_label, (_EVEN if multi_label else 1 / num_classes,) * num_classes)

    @classmethod
    def fitted(
        cls,
        logits: np.ndarray,
        targets: np.ndarray,
        prior: np.ndarray,
        multi_label: bool,
        goal: str,
        precisions: dict[int, float] | None = None,
    ) -> "Decision":
        """Chosen on a validation split.

        Args:
            logits: <float32>[rows, num_classes].
            targets: <float32>[rows, num_classes], 0 or 1.
            prior: <float>[num_classes], frequency of each class in the training split.
            multi_label: whether a text may have any number of classes.
            goal: a name in `models.registry.THRESHOLDS`.
            precisions: for single classes, by position: the least precision wanted of them; they
                go before the goal.
        """
        plain = cls.plain(logits.shape[1], multi_label)
        warm = cls(multi_label, plain.thresholds, fit_temperature(logits, targets, multi_label))
        scores = warm.scores(logits).numpy()
        thresholds = thresholds_for(goal, scores, targets, prior, multi_label)
        for position, precision in (precisions or {}).items():
            thresholds = for_precision(
                scores, targets, thresholds, position, precision, multi_label
            )
        if not multi_label:
            thresholds = thresholds / thresholds.sum()
        return cls(multi_label, tuple(map(float, thresholds)), warm.temperature)

    def scores(self, logits) -> tf.Tensor:
        """Shares of one, or of one each if multi-label.

        Args:
            logits: <float32>[rows, num_classes].

        Returns:
            <float32>[rows, num_classes].
        """
        logits = tf.convert_to_tensor(logits) / self.temperature
        return tf.nn.sigmoid(logits) if self.multi_label else tf.nn.softmax(logits)

    def ratios(self, scores) -> tf.Tensor:
        """Scores by thresholds, what the decision goes by; shapes as `scores`."""
        return tf.cast(scores, tf.float32) / tf.constant(self.thresholds, tf.float32)

    def decided(self, scores) -> tf.Tensor:
        """<bool>[rows, num_classes], the classes of each text."""
        return decide(self.ratios(scores), self.multi_label)

    def describe(self, class_names: tuple[str, ...]) -> dict:
        """As JSON values, thresholds by class name."""
        named = dict(zip(class_names, self.thresholds, strict=True))
        return {"temperature": self.temperature, "thresholds": named}

    @classmethod
    def read(cls, values: dict, class_names: tuple[str, ...], multi_label: bool) -> "Decision":
        """What `describe` gave.

        Raises:
            KeyError, TypeError, ValueError: it is something else.
        """
        numbers = [*(values["thresholds"][name] for name in class_names), values["temperature"]]
        # Whole numbers have no bounds: beyond those of a float they are none.
        if not all(type(each) in (int, float) and 0 < each < 1e300 for each in numbers):
            raise ValueError("a threshold or the temperature is no positive number")
        *thresholds, temperature = map(float, numbers)
        return cls(multi_label, tuple(thresholds), temperature)

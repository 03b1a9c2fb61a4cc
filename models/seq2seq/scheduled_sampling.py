"""Scheduled sampling: in training, a translator sometimes reads its own predictions."""

from typing import Any

import keras
import tensorflow as tf

from models.stored_names import stored_as


@stored_as("SampledTargets")
class ScheduledSampling(keras.layers.Layer):
    """Draws the steps that read the model's prediction instead of the true token.

    Bengio et al. (2015), "Scheduled Sampling for Sequence Prediction with Recurrent Neural
    Networks", with the linear schedule of their section 2.4: the share of predictions rises from 0
    to `share`. Each token is drawn independently.

    Args:
        share: final share of predictions.
        steps: training steps until that share is reached.
    """

    def __init__(self, share: float, steps: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not 0.0 < share <= 1.0:
            raise ValueError(f"scheduled_sampling must be in (0, 1]. Received: {share}")
        self.share, self.steps = share, steps
        self.seed_generator = keras.random.SeedGenerator()
        # A weight, so that checkpoints hold it, and float32, since half precision cannot count.
        self.done = self.add_weight(
            shape=(),
            initializer="zeros",
            dtype="float32",
            trainable=False,
            autocast=False,
            name="done",
        )
        self.built = True

    def draw(self, steps: int | tf.Tensor, batch: int | tf.Tensor) -> tf.Tensor:
        """Draws for one training step, <bool>[steps, batch], true where a prediction is read."""
        share = self.share * tf.minimum(tf.convert_to_tensor(self.done) / self.steps, 1.0)
        self.done.assign_add(1.0)
        numbers = keras.random.uniform((steps, batch), dtype="float32", seed=self.seed_generator)
        return numbers < share

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "share": self.share, "steps": self.steps}

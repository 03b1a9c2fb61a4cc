"""Scheduled sampling: a translator in training sometimes reads its own words."""

import keras
import tensorflow as tf

from models.stored_names import stored_as


@stored_as("SampledTargets")
class ScheduledSampling(keras.layers.Layer):
    """Which steps read the model's best word of the step before instead of the true one.

    Bengio et al. (2015), "Scheduled Sampling for Sequence Prediction with Recurrent Neural
    Networks", with the linear schedule of their section 2.4: the share of own words rises from 0 to
    `share`. Each word is tossed for by itself.

    Args:
        share: of own words, in the end.
        steps: training steps until then.
    """

    def __init__(self, share: float, steps: int, **kwargs):
        super().__init__(**kwargs)
        if not 0.0 < share <= 1.0:
            raise ValueError(f"scheduled_sampling must be in (0, 1]. Received: {share}")
        self.share, self.steps = share, steps
        self.seed_generator = keras.random.SeedGenerator()
        # A weight, so that a resumed training goes on with it; half precision could not count.
        self.done = self.add_weight(
            shape=(),
            initializer="zeros",
            dtype="float32",
            trainable=False,
            autocast=False,
            name="done",
        )
        self.built = True

    def coins(self, steps, batch):
        """Tosses for one training step: <bool>[steps, batch], true where the word is its own."""
        share = self.share * tf.minimum(tf.convert_to_tensor(self.done) / self.steps, 1.0)
        self.done.assign_add(1.0)
        tosses = keras.random.uniform((steps, batch), dtype="float32", seed=self.seed_generator)
        return tosses < share

    def get_config(self):
        return {**super().get_config(), "share": self.share, "steps": self.steps}

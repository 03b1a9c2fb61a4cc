"""Lower learning rates for lower layers, which begin to learn later."""

from dataclasses import dataclass

import keras
import tensorflow as tf


@dataclass(frozen=True)
class LayerRates:
    """Discriminative fine-tuning and gradual unfreezing (Howard & Ruder 2018, "Universal Language
    Model Fine-tuning for Text Classification", sections 3.2 and 3.3).

    Attributes:
        depths: by path of a weight, how many layers lie above its own.
        decay: the rate falls by this factor from layer to layer, downwards.
        updates: after which the next lower layer begins to learn.
    """

    depths: dict[str, int]
    decay: float
    updates: int

    def factor(self, path: str, done: tf.Tensor) -> tf.Tensor:
        """What a weight's learning rate is multiplied by, <float32>[].

        Args:
            path: of the weight.
            done: <int>[], updates before this one.
        """
        depth = self.depths[path]
        learns = tf.cast(done, tf.int32) >= depth * self.updates
        return tf.where(learns, float(self.decay**depth), 0.0)


def depths_of(model: keras.Model) -> dict[str, int]:
    """The depth of each weight of a model with the layers `embedding` and `recurrent`: 0 for what
    stands on the recurrent stack."""
    stack = model.get_layer("recurrent")
    depths = {weight.path: 0 for weight in model.trainable_weights}
    for place, layer in enumerate(stack.layers):
        for part in [layer, *stack.norms[place : place + 1]]:
            depths |= {weight.path: stack.num_layers - place for weight in part.weights}
    below = [layer for layer in model.layers if layer.name in ("embedding", "characters")]
    weights = [weight for layer in below for weight in layer.weights]
    return depths | {weight.path: stack.num_layers + 1 for weight in weights}

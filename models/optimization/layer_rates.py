"""Lower learning rates for lower layers, which also begin to learn later."""

from dataclasses import dataclass

import keras
import tensorflow as tf


@dataclass(frozen=True)
class LayerRates:
    """Factors of the learning rate for discriminative fine-tuning and gradual unfreezing (Howard &
    Ruder 2018, "Universal Language Model Fine-tuning for Text Classification", sections 3.2, 3.3).

    Attributes:
        depths: for the path of each weight, how many layers are above its own.
        decay: the factor of the learning rate from a layer to the next lower one.
        updates: how many pass before the next lower layer begins to learn.
    """

    depths: dict[str, int]
    decay: float
    updates: int

    def factor(self, path: str, done: tf.Tensor) -> tf.Tensor:
        """Returns the factor of the learning rate of a weight, <float32>[].

        Args:
            path: of the weight.
            done: <int>[], updates before this one.
        """
        depth = self.depths[path]
        learns = tf.cast(done, tf.int32) >= depth * self.updates
        return tf.where(learns, float(self.decay**depth), 0.0)


def weight_depths(model: keras.Model) -> dict[str, int]:
    """Returns for each weight, by its path, how many layers are above its own.

    Args:
        model: has the layers `embedding` and `recurrent`; all layers after the recurrent stack have
            the depth 0.
    """
    stack = model.get_layer("recurrent")
    depths = {weight.path: 0 for weight in model.trainable_weights}
    for place, layer in enumerate(stack.layers):
        for part in [layer, *stack.norms[place : place + 1]]:
            depths |= {weight.path: stack.num_layers - place for weight in part.weights}
    below = [layer for layer in model.layers if layer.name in ("embedding", "characters")]
    weights = [weight for layer in below for weight in layer.weights]
    return depths | {weight.path: stack.num_layers + 1 for weight in weights}

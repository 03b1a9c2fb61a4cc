"""The norms of the gradients of a training, recorded in the graph and read once an epoch."""

import math
from collections.abc import Callable

import numpy as np
import tensorflow as tf

# The most entries of an epoch: enough for a curve, and cheap compared with a step.
_ENTRIES = 128
# The first columns of `sums`; those of the layers follow.
_UPDATES, _CLIPPED, _TOTAL = range(3)


class GradientNorms:
    """Records the norms of the whole gradient and of each layer's part, before the clipping.

    Entry `i` sums the updates `i * stride` to `(i + 1) * stride - 1` of an epoch. The two variables
    belong to the optimizer, so that whatever saves its state saves them.

    Args:
        add_variable: the method of the optimizer.
        variables: the weights, in the order in which `record` gets the squares of their gradients.
        updates: how many an epoch has, about; further ones are added to the last entry.
    """

    def __init__(self, add_variable: Callable, variables: list, updates: int):
        self.layers = list(dict.fromkeys(layer_path(variable.path) for variable in variables))
        # <float32>[variables, layers], 1 where a weight belongs to a layer.
        self.membership = np.array(
            [[layer_path(v.path) == layer for layer in self.layers] for v in variables], np.float32
        )
        self.entries = min(_ENTRIES, max(1, updates))
        self.stride = math.ceil(max(1, updates) / self.entries)
        columns = _TOTAL + 1 + len(self.layers)
        # All replicas have the same norms: those of the first one are kept.
        self.sums, self.peaks = (
            add_variable(shape, "zeros", "float32", aggregation="only_first_replica", name=name)
            for shape, name in (
                ((self.entries, columns), "gradient_norm_sums"),
                ((self.entries,), "gradient_norm_peaks"),
            )
        )

    def record(self, squares: tf.Tensor, clip_norm: float | None) -> tf.Tensor:
        """Records one update.

        Args:
            squares: <float32>[variables], each gradient's sum of squares, 0 where there is none.
            clip_norm: the norm to which the gradient is clipped, or None.

        Returns:
            <float32>[], the norm of the whole gradient.
        """
        norm = tf.sqrt(tf.reduce_sum(squares))
        layers = tf.sqrt(tf.linalg.matvec(self.membership, squares, transpose_a=True))
        clipped = tf.cast(norm > (clip_norm or math.inf), tf.float32)
        row = tf.concat([[1.0, clipped, norm], layers], axis=0)
        sums, peaks = (tf.convert_to_tensor(x) for x in (self.sums, self.peaks))
        done = tf.reduce_sum(sums[:, _UPDATES])
        entry = tf.minimum(tf.cast(done, tf.int32) // self.stride, self.entries - 1)
        here = tf.range(self.entries) == entry
        self.sums.assign(tf.where(here[:, None], sums + row, sums))
        self.peaks.assign(tf.where(here, tf.maximum(peaks, norm), peaks))
        return norm

    def reset(self) -> None:
        """Forgets all updates, as at the beginning of an epoch."""
        for variable in (self.sums, self.peaks):
            variable.assign(tf.zeros_like(variable))

    def read(self) -> tuple[dict[str, float], list[dict[str, float]]]:
        """Returns what was recorded since the last `reset`.

        Returns:
            `gradient_norm` (the mean), `gradient_norm_max` and `clipped` (a share); and the rows of
            a curve, a dict of `updates` (how many the row stands for), `max`, `mean` and each
            layer's mean by its name. Both are empty if there was no update.
        """
        sums, peaks = (
            tf.convert_to_tensor(x).numpy().astype(float) for x in (self.sums, self.peaks)
        )
        used = sums[:, _UPDATES] > 0
        if not used.any():
            return {}, []
        sums, peaks = sums[used], peaks[used]
        counts = sums[:, _UPDATES]
        metrics = {
            "gradient_norm": sums[:, _TOTAL].sum() / counts.sum(),
            "gradient_norm_max": peaks.max(),
            "clipped": sums[:, _CLIPPED].sum() / counts.sum(),
        }
        names = ("updates", "max", "mean", *self.layers)
        columns = np.stack([counts, peaks, *(sums[:, _TOTAL:] / counts[:, None]).T])
        curve = [dict(zip(names, row, strict=True)) for row in columns.T.tolist()]
        return {name: float(value) for name, value in metrics.items()}, curve


def layer_path(path: str) -> str:
    """Returns the path of the layer of a weight: `recurrent/forward_gru` for
    `recurrent/forward_gru/gru_cell/kernel`."""
    parts = path.split("/")[:-1] or [path]
    return "/".join(parts[:-1] if parts[-1].endswith("cell") and parts[:-1] else parts)

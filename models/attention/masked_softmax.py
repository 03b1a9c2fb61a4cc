"""The softmax over real positions."""

import keras
from keras import ops

# Far below any score, but finite: the softmax of a row without a real position stays finite.
_LOWEST = -1e9


def masked_softmax(scores: keras.KerasTensor, mask: keras.KerasTensor | None) -> keras.KerasTensor:
    """Computes weights in float32 that sum to 1 over real positions and are 0 elsewhere.

    Args:
        scores: <float>[..., time].
        mask: <bool>, true at real positions, broadcast to the scores; or None.

    Returns:
        <float32>[..., time]; all zero where no position is real.
    """
    scores = ops.cast(scores, "float32")
    if mask is not None:
        scores = ops.where(mask, scores, _LOWEST)
    # Of one position Keras would warn that there is nothing to choose.
    weights = ops.ones_like(scores) if scores.shape[-1] == 1 else ops.softmax(scores, axis=-1)
    return weights if mask is None else ops.where(mask, weights, 0.0)

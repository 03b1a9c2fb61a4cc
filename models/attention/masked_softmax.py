"""The softmax over real positions."""

from keras import ops

# Far below any score, and finite, so that a row without a real position is no trap.
_LOWEST = -1e9


def masked_softmax(scores, mask):
    """Weights that sum to 1 over real positions and are 0 elsewhere, in float32.

    Args:
        scores: <float>[..., time].
        mask: <bool>, broadcast to them, true at real positions; or None.

    Returns:
        <float32>[..., time]; all zero where no position is real.
    """
    scores = ops.cast(scores, "float32")
    if mask is None:
        return ops.softmax(scores, axis=-1)
    return ops.where(mask, ops.softmax(ops.where(mask, scores, _LOWEST), axis=-1), 0.0)

"""A linear-chain conditional random field in numpy: the best paths, and how probable each tag is.

Arrays are `[batch, time, tags]`; padding is behind the end of a text alone.
"""

import numpy as np


class Crf:
    """The weights of a CRF, and what follows from them.

    Args:
        transitions: <float32>[tags, tags], scores from the tag of a row to that of a column.
        start: <float32>[tags], scores of the first tag.
        end: <float32>[tags], scores of the last tag.
    """

    def __init__(self, transitions: np.ndarray, start: np.ndarray, end: np.ndarray) -> None:
        self._transitions, self._start, self._end = transitions, start, end

    def best_paths(self, emissions: np.ndarray, real: np.ndarray) -> np.ndarray:
        """Finds the most probable paths (Viterbi 1967).

        Args:
            emissions: <float32>[batch, time, tags].
            real: <bool>[batch, time], the first step of each text among them.

        Returns:
            <int64>[batch, time], 0 where padded.
        """
        batch, time, tags = emissions.shape
        best = self._start + emissions[:, 0]
        stay = np.broadcast_to(np.arange(tags), (batch, tags))
        pointers = []
        for now in range(1, time):
            candidates = best[:, :, None] + self._transitions
            origins = candidates.argmax(axis=1)
            values = np.take_along_axis(candidates, origins[:, None], axis=1)[:, 0]
            here = real[:, now, None]
            best = np.where(here, values + emissions[:, now], best)
            pointers.append(np.where(here, origins, stay))
        tag = (best + self._end).argmax(axis=1)
        path = [tag]
        for origins in reversed(pointers):
            tag = np.take_along_axis(origins, tag[:, None], axis=1)[:, 0]
            path.append(tag)
        return np.where(real, np.stack(path[::-1], axis=1), 0)

    def marginals(self, emissions: np.ndarray, real: np.ndarray) -> np.ndarray:
        """Computes the probability of each tag at each step (the forward-backward algorithm);
        arguments as `best_paths`.

        Returns:
            <float32>[batch, time, tags]; sums to 1 over the tags, 0 where padded.
        """
        time = emissions.shape[1]
        alpha = self._start + emissions[:, 0]
        # Less their maximum: else rounding errors grow with the text.
        alphas = [alpha - alpha.max(axis=1, keepdims=True)]
        for now in range(1, time):
            into = _log_sum(alphas[-1][:, :, None] + self._transitions)
            alpha = np.where(real[:, now, None], into + emissions[:, now], alphas[-1])
            alphas.append(alpha - alpha.max(axis=1, keepdims=True))
        share = softmax(alphas[-1] + self._end)
        shares = [share]
        for now in range(time - 1, 0, -1):
            # The share of each tag before in a tag; sums to 1 over the tags before.
            flow = softmax(alphas[now - 1][:, :, None] + self._transitions, axis=1)
            before = (flow * share[:, None]).sum(axis=2)
            share = np.where(real[:, now, None], before, share)
            shares.append(share)
        return np.where(real[:, :, None], np.stack(shares[::-1], axis=1), np.float32(0))


def _log_sum(x: np.ndarray) -> np.ndarray:
    """Computes the logarithm of the summed exponentials over the second axis."""
    peak = x.max(axis=1, keepdims=True)
    return peak[:, 0] + np.log(np.exp(x - peak).sum(axis=1))


def softmax(x: np.ndarray, axis: int = -1) -> np.ndarray:
    """Computes shares that sum to 1 over an axis."""
    powers = np.exp(x - x.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)

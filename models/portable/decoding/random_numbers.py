"""The random numbers that samples are drawn by: those that TensorFlow draws for the same seed.

They are those of `tf.random.stateless_uniform`, by the generator Philox of 4 x 32 bits and ten
rounds (Salmon et al. 2011, "Parallel Random Numbers: As Easy as 1, 2, 3").
"""

from collections.abc import Sequence

import numpy as np

_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_FACTORS = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_WEYL = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
# By this key TensorFlow turns a seed into the key and the counter of its numbers.
_SCRAMBLE = 0x3EC8F720, 0x02461E29


def uniform_streams(seed: int, numbers: Sequence[int], steps: int) -> np.ndarray:
    """Draws numbers from 0 to below 1, a stream for each number of a text.

    Args:
        seed: of all streams.
        numbers: of the texts; the same one has the same stream, whatever stands beside it.
        steps: how many are drawn of each stream.

    Returns:
        <float32>[texts, steps].
    """
    places = np.asarray(numbers, np.int64)
    (folded,) = _bits(np.array([seed]), np.array([0]), 1)[:, 0].astype(np.uint32).view(np.int32)
    bits = _bits(np.full(len(places), folded, np.int64), places, steps)
    # A fraction of 23 bits behind the exponent of 1.
    return ((bits & np.uint64(0x7FFFFF)) | np.uint64(0x3F800000)).astype(np.uint32).view(
        np.float32
    ) - np.float32(1)


def _bits(first: np.ndarray, second: np.ndarray, steps: int) -> np.ndarray:
    """Returns numbers of 32 bits, <uint64>[seeds, steps], for seeds of two parts each."""
    words = [part for seed in (first, second) for part in _split(seed)]
    mixed = _philox(words, [np.uint64(part) for part in _SCRAMBLE])
    key = [mixed[0][:, None], mixed[1][:, None]]
    blocks = np.arange(-(-steps // 4), dtype=np.uint64)[None]
    zeros = np.zeros((len(first), blocks.shape[1]), np.uint64)
    counter = [blocks + zeros, zeros, mixed[2][:, None] + zeros, mixed[3][:, None] + zeros]
    drawn = np.stack(_philox(counter, key), axis=-1)
    return drawn.reshape(len(first), -1)[:, :steps]


def _split(seed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the lower and the upper half of whole numbers of 64 bits."""
    wide = seed.astype(np.int64).view(np.uint64)
    return wide & _LOW, wide >> _HALF


def _philox(counter: list[np.ndarray], key: list) -> list[np.ndarray]:
    a, b, c, d = counter
    left, right = key
    for _ in range(10):
        one, two = a * _FACTORS[0], c * _FACTORS[1]
        a, b, c, d = (two >> _HALF) ^ b ^ left, two & _LOW, (one >> _HALF) ^ d ^ right, one & _LOW
        left, right = (left + _WEYL[0]) & _LOW, (right + _WEYL[1]) & _LOW
    return [a, b, c, d]

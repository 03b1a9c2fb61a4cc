"""Made-up names in pairs of texts, so that a model learns to copy names that it has never seen."""

import re
from collections.abc import Sequence

import numpy as np

from data.examples.parallel import Pair

# Letters without digits and underscores.
_WORD = re.compile(r"[^\W\d_]+")

# Letters that a made-up name has of either word it is made of, at least and at most.
_SHORTEST_PART, _LONGEST_PART = 2, 5

# Shares of made-up names that are written backwards, and that are two, one after the other.
_BACKWARDS, _TWO = 0.5, 0.25


class MadeUpNames:
    """Replaces names that stand on both sides of a pair by made-up ones, the same on both sides.

    A name is a word of two or more letters that begins with a capital. A made-up one has the first
    letters of one word of the pairs and the last ones of another, so that there is no end of them.
    Half of them are written backwards, and have letters together that the words never have; some
    are a first name and a surname.
    A model that copies pieces of its source (`--copy`) has seen too few names to copy those of a
    language it does not know, if all names of its pairs are a handful of first names; texts copied
    as they are teach the same (Currey et al. 2017).

    Args:
        pairs: those of a training split.
    """

    def __init__(self, pairs: Sequence[Pair]):
        self._pairs = pairs
        self._names = {row: names for row, pair in enumerate(pairs) if (names := find_names(pair))}
        words = {word for pair in pairs for side in pair for word in find_words(side)}
        self._words = sorted(word for word in words if len(word) >= 2 * _SHORTEST_PART)

    def __len__(self) -> int:
        """The number of pairs that have a name on both sides."""
        return len(self._names)

    def replace(self, share: float, seed: Sequence[int]) -> list[Pair]:
        """Returns the pairs with some of their names replaced.

        Args:
            share: of the names of a pair that are replaced, from 0 to 1.
            seed: of the chances; of the same one always the same pairs.
        """
        pairs = list(self._pairs)
        if not share or not self._words:
            return pairs
        generator = np.random.default_rng(seed)
        for row, names in self._names.items():
            new = {name: self._make_up(generator) for name in names if generator.random() < share}
            if new:
                pairs[row] = Pair(*(exchange_words(side, new) for side in pairs[row]))
        return pairs

    def _make_up(self, generator: np.random.Generator) -> str:
        """Returns a new name, of one word or two."""
        count = 1 + int(generator.random() < _TWO)
        return " ".join(self._make_up_word(generator) for _ in range(count))

    def _make_up_word(self, generator: np.random.Generator) -> str:
        first, last = generator.integers(len(self._words), size=2)
        start, end = generator.integers(_SHORTEST_PART, _LONGEST_PART, size=2, endpoint=True)
        name = self._words[first][:start] + self._words[last][-end:]
        return (name[::-1] if generator.random() < _BACKWARDS else name).capitalize()


def find_names(pair: Pair) -> list[str]:
    """Returns the names that stand on both sides of a pair, in their order in the source."""
    source, target = (find_words(side) for side in pair)
    written = set(target)
    shared = (word for word in source if len(word) > 1 and word[0].isupper() and word in written)
    return list(dict.fromkeys(shared))


def find_words(text: str) -> list[str]:
    """Returns the words of a text; an apostrophe, a hyphen or a digit ends one."""
    return _WORD.findall(text)


def exchange_words(text: str, new: dict[str, str]) -> str:
    """Returns a text with words in the place of others."""
    return _WORD.sub(lambda word: new.get(word[0], word[0]), text)

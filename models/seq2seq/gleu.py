"""GLEU (Wu et al. 2016): the n-grams that an answer and its reference have in common."""

from collections import Counter
from collections.abc import Hashable, Sequence

# Of strings, or of ids.
Words = Sequence[Hashable]


class Gleu:
    """The score of "Google's Neural Machine Translation System", section 5.2.

    All n-grams of one to `longest` words are counted together. The score is the smaller one of
    precision and recall: matches by n-grams of the answer, and by those of the reference. Unlike
    BLEU it is meant for single sentences.

    Args:
        longest: words of the longest n-gram.
    """

    def __init__(self, longest: int = 4) -> None:
        self.longest = longest

    def scores(self, written: Sequence[Words], references: Sequence[Words]) -> list[float]:
        """Scores answers to one source.

        Args:
            written: the words of each.
            references: the words of what they should be.

        Returns:
            Of each answer, by the nearest of the references, from 0 to 1; 0 without references.
        """
        wanted = [self._count(words) for words in references]
        found = []
        for words in written:
            said = self._count(words)
            found.append(max((_share(said, each) for each in wanted), default=0.0))
        return found

    def _count(self, words: Words) -> Counter[tuple[Hashable, ...]]:
        return Counter(
            tuple(words[start : start + length])
            for length in range(1, self.longest + 1)
            for start in range(len(words) - length + 1)
        )


def _share(one: Counter, other: Counter) -> float:
    """Returns the smaller one of the shares that two counters have in common."""
    return (one & other).total() / max(one.total(), other.total(), 1)

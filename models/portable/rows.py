"""The output columns of answers."""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

LABEL_SEPARATOR = "|"


def label_row(
    names: list[str],
    scores: Sequence[float],
    predicted: Sequence[bool],
    class_names: tuple[str, ...],
) -> dict[str, Any]:
    """Returns the output columns of a text.

    Args:
        names: of the classes, the most fitting first.
        scores: of float32, in the same order.
        predicted: which of them the text gets.
        class_names: the order of the columns `score_<class>`.
    """
    # Nine digits are all that a float32 holds; more would be noise in the file.
    values = {name: float(f"{score:.9g}") for name, score in zip(names, scores, strict=True)}
    label = LABEL_SEPARATOR.join(itertools.compress(names, predicted))
    by_class = {f"score_{name}": values[name] for name in class_names}
    return {"predicted_label": label, "predicted_score": values[names[0]], **by_class}


def entity_row(
    words: list[str],
    tags: list[str],
    starts: Sequence[int],
    ends: Sequence[int],
    scores: np.ndarray,
) -> dict[str, Any]:
    """Returns the output columns of a text: its entities, and all words with their tags.

    Args:
        words: of the text.
        tags: of the words, in BIO: an `I` follows a `B` or an `I` of its type.
        starts, ends: places of the words.
        scores: <float32>[words], the probabilities of the tags.
    """
    # Seven digits are all that a probability of float32 holds.
    shares = [round(float(score), 7) for score in scores]
    names = ("token", "tag", "start", "end", "score")
    entities = [
        {
            "start": starts[first],
            "end": ends[after - 1],
            "type": kind,
            # An entity is as confident as its least confident word.
            "score": min(shares[first:after]),
            "text": _join(words[first:after], starts[first:after], ends[first:after]),
        }
        for first, after, kind in find_entities(tags)
    ]
    columns = zip(words, tags, starts, ends, shares, strict=True)
    tagged = [dict(zip(names, column, strict=True)) for column in columns]
    return {"entities": entities, "tagged_tokens": tagged}


def find_entities(tags: list[str]) -> Iterator[tuple[int, int, str]]:
    """Yields the first word of each entity, the word after its last, and its type."""
    begins = [place for place, tag in enumerate(tags) if tag[0] == "B"]
    for begin in begins:
        after = begin + 1
        while after < len(tags) and tags[after][0] == "I":
            after += 1
        yield begin, after, tags[begin][2:]


def _join(words: list[str], starts: Sequence[int], ends: Sequence[int]) -> str:
    """Joins words with as much white space between them as there is in their text."""
    gaps = [start - end for start, end in zip(starts[1:], ends, strict=False)]
    return words[0] + "".join(" " * gap + word for gap, word in zip(gaps, words[1:], strict=True))

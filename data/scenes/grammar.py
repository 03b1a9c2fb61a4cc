"""The grammar of the captions of scenes: writes the wordings of a scene, and reads them again."""

import itertools
import re
from collections.abc import Mapping
from typing import TypeVar

from data.scenes.attributes import COLOURS, REVERSED, SHAPES, Attributes, Group

T = TypeVar("T")

_NUMBERS = {1: ("a", "one"), 2: ("two",), 3: ("three",)}
_SIZES = {"small": ("small", "little"), "large": ("large", "big")}
_PLURALS = {shape: f"{shape}es" if shape.endswith("s") else f"{shape}s" for shape in SHAPES}
# Between the two groups, by relation of the one that stands first in the sentence.
_BETWEEN = {
    "left of": ("left of", "to the left of"),
    "right of": ("right of", "to the right of"),
    "above": ("above", "over"),
    "below": ("below", "under"),
}
# Behind "B with A", by relation of A: `it` stands for B, of which there may be several.
_BEHIND = {
    "left of": "on {its} left",
    "right of": "on {its} right",
    "above": "above {it}",
    "below": "below {it}",
}
_PRONOUNS = ({"it": "it", "its": "its"}, {"it": "them", "its": "their"})
_OPPOSITE = REVERSED | {relation: other for other, relation in REVERSED.items()}


def _words(choices: Mapping[T, tuple[str, ...]]) -> dict[str, T]:
    """Returns by each word what it means."""
    return {word: meaning for meaning, words in choices.items() for word in words}


_NUMBER_OF, _SIZE_OF, _RELATION_OF = _words(_NUMBERS), _words(_SIZES), _words(_BETWEEN)
_SHAPE_OF = {shape: (shape, False) for shape in SHAPES} | {
    plural: (shape, True) for shape, plural in _PLURALS.items()
}
_BEHIND_OF = {
    text.format(**pronouns): (relation, several)
    for relation, text in _BEHIND.items()
    for several, pronouns in zip((False, True), _PRONOUNS, strict=True)
}


def _any_of(*words: str) -> str:
    return f"({'|'.join(words)})"


_GROUP = " ".join(_any_of(*words) for words in (_NUMBER_OF, _SIZE_OF, COLOURS, _SHAPE_OF))
_SENTENCE = re.compile(
    rf"(?:there (is|are) )?{_GROUP}"
    rf"(?: (?:{_any_of(*_RELATION_OF)} {_GROUP}|with {_GROUP} {_any_of(*_BEHIND_OF)}))?"
)


def write_captions(attributes: Attributes, turned: bool = False) -> list[str]:
    """Returns the sentences that say what is in a scene, in a fixed order.

    "a small red circle" has 8: "a" or "one", "small" or "little", with "there is" or without. Of
    two groups, the one on the left or above is named first.

    Args:
        attributes: what the scene shows.
        turned: whether the other group is named first.
    """
    leader, relation, other = attributes
    if other is None:
        sentences = _write_group(leader)
    else:
        if turned:
            leader, relation, other = other, _OPPOSITE[relation], leader
        behind = _BEHIND[_OPPOSITE[relation]].format(**_PRONOUNS[leader.number > 1])
        sentences = []
        for one, two in itertools.product(_write_group(leader), _write_group(other)):
            sentences += [f"{one} {between} {two}" for between in _BETWEEN[relation]]
            sentences.append(f"{one} with {two} {behind}")
    return [*sentences, *(f"{_verb(sentence)} {sentence}" for sentence in sentences)]


def _write_group(group: Group) -> list[str]:
    number, size, colour, shape = group
    noun = shape if number == 1 else _PLURALS[shape]
    words = itertools.product(_NUMBERS[number], _SIZES[size], [colour], [noun])
    return [" ".join(each) for each in words]


def _verb(sentence: str) -> str:
    return "there is" if _NUMBER_OF[sentence.split()[0]] == 1 else "there are"


def read_caption(caption: str) -> Attributes | None:
    """Returns what a caption says of its scene, or None if it is no sentence of the grammar.

    Args:
        caption: in lower case, without punctuation.
    """
    match = _SENTENCE.fullmatch(caption)
    if match is None:
        return None
    verb, *cells = match.groups()
    first = _read_group(cells[:4])
    if first is None or verb not in (None, "is" if first.number == 1 else "are"):
        return None
    between, behind = cells[4], cells[13]
    if between:
        second = _read_group(cells[5:9])
        return second and Attributes.relate(first, _RELATION_OF[between], second)
    if behind:
        second = _read_group(cells[9:13])
        relation, several = _BEHIND_OF[behind]
        if several != (first.number > 1):
            return None
        return second and Attributes.relate(second, relation, first)
    return Attributes(first)


def _read_group(cells: list[str]) -> Group | None:
    number, (shape, plural) = _NUMBER_OF[cells[0]], _SHAPE_OF[cells[3]]
    return Group(number, _SIZE_OF[cells[1]], cells[2], shape) if plural == (number > 1) else None

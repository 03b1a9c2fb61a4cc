"""Terms that name groups of people: found in texts, and swapped for one another."""

import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from data.text.characters import drop_invisible

# Links and user names are taken whole, so that no term is found in them.
_WORD = re.compile(r"(?i:https?:\S*|www\.\S+)|@\w+|(\w+)")
_HYPHENS = ("-", "\u2010", "\u2011")
# "a European", "a Ukrainian", "a one-armed man": letters that are vowels, and no vowels to the ear.
_VOWEL_SOUND = re.compile(r"(?!eu|one\b|u[kgsry]|uni)[aeiou]", re.IGNORECASE)


@dataclass(frozen=True)
class Term:
    """One term.

    Attributes:
        kind: of the group, such as `religion`; a term is swapped within its kind alone.
        group: whom it names.
        written: as it stands in the file.
        words: its words in lower case.
        forms: what it can stand for in a sentence, such as `noun_plural`; one or several.
    """

    kind: str
    group: str
    written: str
    words: tuple[str, ...]
    forms: frozenset[str]


class Word(NamedTuple):
    """A word of a text: in lower case, and its place."""

    lower: str
    start: int
    end: int


class Place(NamedTuple):
    """A term in a text; `article` is the `a` or `an` before it, if there is one."""

    term: Term
    start: int
    end: int
    article: Word | None


class Swap(NamedTuple):
    """A text in which one term was replaced.

    Attributes:
        group: whose term was replaced.
        share: one by the number of swaps of that text and group.
        text: the new text.
    """

    group: str
    share: float
    text: str


class IdentityTerms:
    """The terms of a file.

    Args:
        terms: no two of a kind have the same words.
        name: of the file.
        checksum: its sha256, hexadecimal.

    Attributes:
        groups: the kind of each group, in the order of the file.
    """

    def __init__(self, terms: list[Term], name: str, checksum: str):
        self.name, self.checksum = name, checksum
        self.groups = {term.group: term.kind for term in terms}
        self._of_kind, self._beginning_with, self._partners = defaultdict(list), {}, {}
        # The longest first: "African American" is not "African".
        for term in sorted(terms, key=lambda term: -len(term.words)):
            self._of_kind[term.kind].append(term)
            self._beginning_with.setdefault(term.words[0], []).append(term)

    def found(self, text: str) -> list[Place]:
        """The terms in a text, as whole words and whatever their case, in their order; those of one
        kind do not overlap."""
        words = [Word(m[1].lower(), *m.span(1)) for m in _WORD.finditer(text) if m[1]]
        places, taken = [], {}
        for i, word in enumerate(words):
            for term in self._beginning_with.get(word.lower, ()):
                after = i + len(term.words)
                free = i >= taken.get(term.kind, 0)
                if free and _stand(term.words, words[i:after], text):
                    taken[term.kind] = after
                    article = _article(words[i - 1], word, text) if i else None
                    places.append(Place(term, word.start, words[after - 1].end, article))
        return places

    def groups_in(self, text: str) -> set[str]:
        """The groups that a text names, whatever invisible characters stand in it."""
        return {place.term.group for place in self.found(drop_invisible(text))}

    def partners(self, term: Term) -> list[Term]:
        """What can stand where `term` stands: terms of its kind, of another group, with all of its
        forms. A term that is a noun and an adjective is not replaced by one that is a noun alone.
        """
        if term not in self._partners:
            self._partners[term] = [
                other
                for other in self._of_kind[term.kind]
                if other.group != term.group and other.forms >= term.forms
            ]
        return self._partners[term]

    def swaps(self, text: str) -> Iterator[Swap]:
        """The text once for each of its terms and each partner of it, which takes the term's place
        wherever it stands; upper and lower case are kept, and `a` and `an` mended. Invisible
        characters, which no model reads, are gone."""
        text = drop_invisible(text)
        places_of = defaultdict(list)
        for place in self.found(text):
            places_of[place.term].append(place)
        number = Counter()
        for term in places_of:
            number[term.group] += len(self.partners(term))
        for term, places in places_of.items():
            for partner in self.partners(term):
                replaced = _replaced(text, places, partner.written)
                yield Swap(term.group, 1 / number[term.group], replaced)


def _stand(expected: tuple[str, ...], words: list[Word], text: str) -> bool:
    """Whether these are the words, with nothing but white space or a hyphen between them."""
    if expected != tuple(word.lower for word in words):
        return False
    gaps = [text[a.end : b.start] for a, b in itertools.pairwise(words)]
    return all(gap.isspace() or gap in _HYPHENS for gap in gaps)


def _article(before: Word, word: Word, text: str) -> Word | None:
    stands = before.lower in ("a", "an") and text[before.end : word.start].isspace()
    return before if stands else None


def _replaced(text: str, places: list[Place], new: str) -> str:
    pieces, end = [], 0
    for place in places:
        written = text[place.start : place.end]
        article = place.article
        if article and _before(written) != _before(new):
            pieces.append(text[end : article.start])
            pieces.append(_in_case_of(text[article.start : article.end], _before(new)))
            end = article.end
        pieces += [text[end : place.start], _in_case_of(written, new)]
        end = place.end
    return "".join([*pieces, text[end:]])


def _before(term: str) -> str:
    """The article that a term wants."""
    return "an" if _VOWEL_SOUND.match(term) else "a"


def _in_case_of(written: str, new: str) -> str:
    """`new` in capitals or lower case if `written` is, else with the case of its first letter."""
    if written.isupper() and len(written) > 1:
        return new.upper()
    if written.islower():
        return new.lower()
    return (new[0].upper() if written[0].isupper() else new[0].lower()) + new[1:]

"""Terms that name groups of people: finds them in texts and swaps them for one another."""

import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from data.text.characters import drop_invisible

# Links and user names are matched as a whole, so that no term is found in them.
_WORD = re.compile(r"(?i:https?:\S*|www\.\S+)|@\w+|(\w+)")
_HYPHENS = ("-", "\u2010", "\u2011")
# "a European", "a Ukrainian", "a one-armed man" begin with vowels that do not sound like vowels.
_VOWEL_SOUND = re.compile(r"(?!eu|one\b|u[kgsry]|uni)[aeiou]", re.IGNORECASE)


@dataclass(frozen=True)
class Term:
    """One term of identity.

    Attributes:
        kind: of the group, such as `religion`; a term is swapped only for terms of its kind.
        group: the group that it names.
        written: the term as the file has it.
        words: its words in lower case.
        forms: what it can be in a sentence, such as `noun_plural`; one or several.
    """

    kind: str
    group: str
    written: str
    words: tuple[str, ...]
    forms: frozenset[str]


class Word(NamedTuple):
    """A word of a text, in lower case, and its place."""

    lower: str
    start: int
    end: int


class Place(NamedTuple):
    """A term in a text, and the `a` or `an` before it, if there is one."""

    term: Term
    start: int
    end: int
    article: Word | None


class Swap(NamedTuple):
    """A text in which one term was replaced.

    Attributes:
        group: the group whose term was replaced.
        share: 1 divided by the number of swaps of this text and group.
        text: the new text.
    """

    group: str
    share: float
    text: str


class IdentityTerms:
    """The terms of a file, and what can be done with them.

    Args:
        terms: no two of a kind have the same words.
        name: of the file.
        checksum: its sha256, hexadecimal.

    Attributes:
        groups: the kind of each group by its name, in the order of the file.
    """

    def __init__(self, terms: list[Term], name: str, checksum: str):
        self.name, self.checksum = name, checksum
        self.groups = {term.group: term.kind for term in terms}
        self._of_kind: defaultdict[str, list[Term]] = defaultdict(list)
        self._beginning_with: dict[str, list[Term]] = {}
        self._partners: dict[Term, list[Term]] = {}
        # The longest terms first: "African American" is not "African".
        for term in sorted(terms, key=lambda term: -len(term.words)):
            self._of_kind[term.kind].append(term)
            self._beginning_with.setdefault(term.words[0], []).append(term)

    def find(self, text: str) -> list[Place]:
        """Finds the terms in a text, in order, as whole words in any case. Terms of one kind do not
        overlap."""
        words = [Word(m[1].lower(), *m.span(1)) for m in _WORD.finditer(text) if m[1]]
        places: list[Place] = []
        taken: dict[str, int] = {}
        for i, word in enumerate(words):
            for term in self._beginning_with.get(word.lower, ()):
                after = i + len(term.words)
                free = i >= taken.get(term.kind, 0)
                if free and _words_match(term.words, words[i:after], text):
                    taken[term.kind] = after
                    article = _find_article(words[i - 1], word, text) if i else None
                    places.append(Place(term, word.start, words[after - 1].end, article))
        return places

    def find_groups(self, text: str) -> set[str]:
        """Returns the groups that a text names, even if it has invisible characters."""
        return {place.term.group for place in self.find(drop_invisible(text))}

    def find_partners(self, term: Term) -> list[Term]:
        """Returns the terms that can take the place of a term: those of its kind and of another
        group that have all of its forms. A noun that is an adjective, too, is not replaced by one
        that is only a noun."""
        if term not in self._partners:
            self._partners[term] = [
                other
                for other in self._of_kind[term.kind]
                if other.group != term.group and other.forms >= term.forms
            ]
        return self._partners[term]

    def swaps(self, text: str) -> Iterator[Swap]:
        """Yields the text once for each of its terms and each partner of the term, which replaces
        it wherever it occurs. Upper and lower case are kept, and `a` and `an` are corrected.
        Invisible characters, which no model reads, are dropped."""
        text = drop_invisible(text)
        places_of = defaultdict(list)
        for place in self.find(text):
            places_of[place.term].append(place)
        number: Counter[str] = Counter()
        for term in places_of:
            number[term.group] += len(self.find_partners(term))
        for term, places in places_of.items():
            for partner in self.find_partners(term):
                replaced = _replace(text, places, partner.written)
                yield Swap(term.group, 1 / number[term.group], replaced)


def _words_match(expected: tuple[str, ...], words: list[Word], text: str) -> bool:
    """Whether words are the expected ones, with only white space or a hyphen between them."""
    if expected != tuple(word.lower for word in words):
        return False
    gaps = [text[a.end : b.start] for a, b in itertools.pairwise(words)]
    return all(gap.isspace() or gap in _HYPHENS for gap in gaps)


def _find_article(before: Word, word: Word, text: str) -> Word | None:
    stands = before.lower in ("a", "an") and text[before.end : word.start].isspace()
    return before if stands else None


def _replace(text: str, places: list[Place], new: str) -> str:
    pieces, end = [], 0
    for place in places:
        written = text[place.start : place.end]
        article = place.article
        if article and _article_for(written) != _article_for(new):
            pieces.append(text[end : article.start])
            pieces.append(_match_case(text[article.start : article.end], _article_for(new)))
            end = article.end
        pieces += [text[end : place.start], _match_case(written, new)]
        end = place.end
    return "".join([*pieces, text[end:]])


def _article_for(term: str) -> str:
    """Returns the article before a term."""
    return "an" if _VOWEL_SOUND.match(term) else "a"


def _match_case(written: str, new: str) -> str:
    """Writes a term in capitals or lower case if another one is, else with the case of its first
    letter."""
    if written.isupper() and len(written) > 1:
        return new.upper()
    if written.islower():
        return new.lower()
    return (new[0].upper() if written[0].isupper() else new[0].lower()) + new[1:]

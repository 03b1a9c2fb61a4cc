"""Cues, which recognisers give, and the sentences that they are joined to."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from data.transcription.options import CUE, Transcription

# So much silence ends a sentence, whatever stands before it.
SENTENCE_PAUSE = 0.8
# Speech without an end of a sentence, such as that of recognisers without punctuation.
LONGEST_SENTENCE = 30.0
# Above this probability that nobody spoke, the recogniser has invented the text.
_INVENTED = 0.8
_END = re.compile(r"[.?!…][\"'”’)\]]*$")
# A point after these ends no sentence. "No." does: it is an answer more often than a number.
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\"'“‘])(?:(?:mr|mrs|ms|mx|dr|prof|st|sr|jr|rev|hon|gen|col|lt|sgt|capt|vs|approx|dept"
    r"|ca|cf|mt|ft)|(?:[a-z]\.)*[a-z])\.$",
    re.IGNORECASE,
)
# "I" is a word, and so is "A" where somebody reads letters; both end sentences.
_WORD_OF_ONE_LETTER = re.compile(r"(?:^|[\s(\"'“‘])[Ii]\.$")


class Word(NamedTuple):
    """A word, and when it was said, in seconds of the file."""

    start: float
    end: float
    text: str


@dataclass(frozen=True)
class Cue:
    """What was said from one moment of a file to another.

    Attributes:
        start: in seconds of the file.
        end: in seconds of the file.
        text: what was understood.
        confidence: from 0 to 1, None if the recogniser does not tell.
        no_speech: the probability that nobody spoke.
        words: the words of `text` with their times, if the recogniser tells.
    """

    start: float
    end: float
    text: str
    confidence: float | None = None
    no_speech: float = 0.0
    words: tuple[Word, ...] = ()

    @property
    def is_invented(self) -> bool:
        """Whether the recogniser has probably made up the text, in silence or music."""
        return self.no_speech > _INVENTED


def join_cues(cues: Iterable[Cue], transcription: Transcription) -> Iterator[Cue]:
    """Joins cues, which are fragments, to what shall be one row.

    A sentence goes up to its punctuation or to a silence, inside of a cue, too, if the recogniser
    tells the times of words. What was probably invented is joined to nothing.

    Args:
        cues: in the order of the file.
        transcription: `segment` says what is one row.
    """
    if transcription.segment == CUE:
        yield from cues
        return
    most = transcription.most_seconds()
    open_: list[Cue] = []
    for part in (part for cue in cues for part in _parts(cue)):
        if open_ and _parts_from(open_, part, most):
            yield _join(open_)
            open_ = []
        open_.append(part)
        if most is None and ends_sentence(part.text):
            yield _join(open_)
            open_ = []
    if open_:
        yield _join(open_)


def ends_sentence(text: str) -> bool:
    """Returns whether a text ends as a sentence does, which abbreviations and initials do not."""
    if not _END.search(text):
        return False
    return not _ABBREVIATION.search(text) or bool(_WORD_OF_ONE_LETTER.search(text))


def _parts(cue: Cue) -> Iterator[Cue]:
    if cue.is_invented or not cue.words:
        yield cue
        return
    for word in cue.words:
        yield Cue(word.start, word.end, word.text, cue.confidence, cue.no_speech)


def _parts_from(open_: list[Cue], part: Cue, most: float | None) -> bool:
    """Returns whether a part begins a new row."""
    if part.is_invented or open_[-1].is_invented:
        return True
    if most is None and part.start - open_[-1].end >= SENTENCE_PAUSE:
        return True
    return part.end - open_[0].start > (LONGEST_SENTENCE if most is None else most)


def _join(parts: list[Cue]) -> Cue:
    """Joins parts; the confidence is the mean of theirs, by the lengths of their texts."""
    text = " ".join(part.text for part in parts)
    known = [(part.confidence, len(part.text)) for part in parts if part.confidence is not None]
    length = sum(size for _, size in known)
    confidence = sum(value * size for value, size in known) / length if length else None
    return Cue(
        parts[0].start,
        max(part.end for part in parts),
        " ".join(text.split()),
        confidence,
        max(part.no_speech for part in parts),
    )

"""Dialogues, and the pairs of turns and answer in them."""

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

from data.examples.parallel import Pair, ParallelCorpus, ParallelTexts
from data.examples.splits import split_by_content

# Ends a turn within a context. Every vocabulary of sub-words has it as a token of its own, and no
# turn has it, for its white space becomes single spaces.
TURN_END = "\n"

# The turns of a dialogue; its speakers alternate.
Dialogue = tuple[str, ...]

_SIGNS = re.compile(r"[\W_]+")


def clean_turn(text: str) -> str:
    """Returns a turn in one line."""
    return " ".join(text.split())


def join_turns(turns: Sequence[str]) -> str:
    """Returns turns as a model reads them: the context of the next one.

    >>> join_turns(["Hello!", "Hi.  How are you?"])
    'Hello!\\nHi. How are you?'
    """
    return TURN_END.join(filter(None, map(clean_turn, turns)))


def join_speakers(spoken: Iterable[tuple[str, str]]) -> Dialogue:
    """Returns the turns of a dialogue, where a speaker may have written several texts in a row.

    Args:
        spoken: speakers and texts, in order.

    >>> join_speakers([("A", "Hi."), ("A", "Are you there?"), ("B", "Yes.")])
    ('Hi. Are you there?', 'Yes.')
    """
    turns: list[str] = []
    last = None
    for speaker, text in spoken:
        if turns and speaker == last:
            turns[-1] += f" {text}"
        else:
            turns.append(text)
        last = speaker
    return tuple(turns)


def pairs_of(dialogues: Iterable[Dialogue], turns: int, is_reversed: bool = False) -> ParallelTexts:
    """Returns each turn but the first of each dialogue, as an answer to those before it.

    Args:
        dialogues: cleaned turns.
        turns: how many of the last turns an answer is given to.
        is_reversed: whether the sources are the answers, and the targets the turn before each.
    """
    if is_reversed:
        return ParallelTexts(
            [Pair(answer, turn) for dialogue in dialogues for turn, answer in pairwise(dialogue)]
        )
    return ParallelTexts(
        [
            Pair(join_turns(dialogue[max(0, place - turns) : place]), dialogue[place])
            for dialogue in dialogues
            for place in range(1, len(dialogue))
        ]
    )


def split_dialogues(
    dialogues: Sequence[Dialogue], fractions: dict[str, float]
) -> dict[str, list[Dialogue]]:
    """Splits dialogues by a hash of their content; a dialogue and its copies are in one split.

    Args:
        dialogues: all of them.
        fractions: share of each split.
    """
    texts = [join_turns(dialogue) for dialogue in dialogues]
    parts = split_by_content(texts, [0] * len(texts), fractions=fractions)
    return {name: [dialogues[row] for row in rows] for name, rows in parts.items() if rows}


def letters_of(text: str) -> str:
    """Returns the form that a turn shares with its copies: its letters and digits alone.

    >>> letters_of("Let ' s go now .") == letters_of("Let's go now!")
    True
    """
    return _SIGNS.sub("", text.lower())


def drop_copies(dialogues: Iterable[Dialogue], known: Iterable[Dialogue]) -> list[Dialogue]:
    """Drops the dialogues that stand among the known ones, see `letters_of`."""
    forms = {letters_of(join_turns(dialogue)) for dialogue in known}
    return [each for each in dialogues if letters_of(join_turns(each)) not in forms]


def dialogue_corpus(
    name: str,
    sides: tuple[str, str],
    splits: dict[str, list[Dialogue]],
    turns: int,
    is_reversed: bool = False,
) -> ParallelCorpus:
    """Returns the pairs of all splits; see `pairs_of`.

    Args:
        name: of the corpus.
        sides: what sources and targets are called.
        splits: dialogues by split name.
        turns, is_reversed: as `pairs_of`.
    """
    pairs = {split: pairs_of(dialogues, turns, is_reversed) for split, dialogues in splits.items()}
    return ParallelCorpus.from_splits(name, sides, pairs)

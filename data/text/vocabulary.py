"""The vocabularies of classifiers and taggers, learned from the training texts alone."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import tensorflow as tf

from data.errors import UserError
from data.graphs import graph
from data.text.cleaning import tokenize
from data.text.special_tokens import (
    FIRST_ENTRY,
    PADDING_TOKEN,
    START_TOKEN,
    UNKNOWN_TEXT,
    UNKNOWN_TOKEN,
)

_BATCH = 1024


@dataclass(frozen=True)
class Vocabularies:
    """The tokens and characters that a classifier or tagger knows.

    They are in descending order of frequency; after them come the tokens of pretrained vectors.

    The id of an entry is its position plus 2: 0 is padding, 1 is the unknown.

    Attributes:
        tokens: the start token is the first.
        characters: single characters.
    """

    tokens: list[str]
    characters: list[str]

    FILES: ClassVar[dict[str, str]] = {"tokens": "vocabulary.txt", "characters": "characters.txt"}

    @property
    def vocabulary_size(self) -> int:
        """How many ids tokens have, padding and the unknown included."""
        return FIRST_ENTRY + len(self.tokens)

    @property
    def character_vocabulary_size(self) -> int:
        """How many ids characters have, padding and the unknown included."""
        return FIRST_ENTRY + len(self.characters)

    def with_words(self, words: list[str]) -> "Vocabularies":
        """Returns these vocabularies with those words appended to the tokens that they lack."""
        known = {*self.tokens, PADDING_TOKEN, UNKNOWN_TOKEN}
        new = [word for word in dict.fromkeys(words) if word not in known]
        return Vocabularies(self.tokens + new, self.characters)

    def save(self, folder: Path) -> None:
        """Writes one entry a line, in UTF-8. Entries hold no white space, so lines are safe."""
        for field, name in self.FILES.items():
            # newline="": entries may hold U+2028 and the like, which end no line here.
            with (folder / name).open("w", encoding="utf-8", newline="") as file:
                file.writelines(f"{entry}\n" for entry in getattr(self, field))

    def files(self, folder: Path) -> list[Path]:
        """Returns the paths that `save` writes."""
        return [folder / name for name in self.FILES.values()]

    @classmethod
    def load(cls, folder: Path) -> "Vocabularies":
        """Reads what `save` wrote.

        Raises:
            UserError: a file is missing or damaged.
        """
        entries = {}
        for field, name in cls.FILES.items():
            try:
                with (folder / name).open(encoding="utf-8", newline="") as file:
                    *entries[field], rest = file.read().split("\n")
                _check_entries(field, entries[field], rest)
            except (OSError, ValueError) as error:
                raise UserError(f"cannot read {folder / name}: {error}. Train again") from None
        return cls(**entries)


def _check_entries(field: str, entries: list[str], rest: str) -> None:
    """Raises ValueError if `Vocabularies.save` cannot have written the lines: ids would shift."""
    if rest or not all(entries) or len(set(entries)) < len(entries):
        raise ValueError("it is cut short, or has empty or repeated lines")
    if entries[:1] != [START_TOKEN] if field == "tokens" else any(len(e) != 1 for e in entries):
        raise ValueError(f"its lines are no {field}")
    if not entries:
        raise ValueError("it is empty")


def build_vocabularies(
    train_texts: list[str], standardize: str, max_tokens: int, min_count: int
) -> Vocabularies:
    """Learns vocabularies from the tokens and characters of the training texts.

    Args:
        train_texts: raw texts, of the training split alone.
        standardize: a name in `data.registry.STANDARDIZERS`.
        max_tokens: how many of the most frequent tokens are kept, the start token included.
        min_count: how often a token has to occur; rarer ones train the vector of the unknown.
    """
    split = graph(
        lambda texts: tokenize(texts, standardize).flat_values,
        input_signature=[tf.TensorSpec([None], tf.string)],
    )
    encoded: Counter[bytes] = Counter()
    for start in range(0, len(train_texts), _BATCH):
        encoded.update(split(tf.constant(train_texts[start : start + _BATCH])).numpy())
    counts = Counter({token.decode("utf-8"): count for token, count in encoded.items()})
    characters: Counter[str] = Counter()
    for token, count in counts.items():
        characters.update(dict.fromkeys(token, count))
    # A text may say "<unk>" itself, but the lookup has that word already.
    special = (START_TOKEN, UNKNOWN_TOKEN)
    tokens = [token for token in sort_by_frequency(counts, min_count) if token not in special]
    # A lookup needs at least one entry; U+FFFD is what bytes that are not UTF-8 become.
    letters = sort_by_frequency(characters, min_count) or [UNKNOWN_TEXT]
    return Vocabularies([START_TOKEN, *tokens[: max_tokens - 1]], letters)


def sort_by_frequency(counts: Counter[str], min_count: int) -> list[str]:
    """Returns the entries that occur often enough, in descending order of their counts.

    Equal counts are in code point order, so that ids do not depend on the order of the rows.
    """
    kept = [entry for entry, count in counts.items() if count >= min_count]
    return sorted(kept, key=lambda entry: (-counts[entry], entry))

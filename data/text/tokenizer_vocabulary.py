"""The vocabularies of language models and translators, learned from the training texts."""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, partial
from itertools import islice
from pathlib import Path

import tensorflow as tf

from data.errors import UserError, choose
from data.files.json_files import parse_json
from data.graphs import graph
from data.registry import CLASSIFIER_TOKENS, TAGGER_TOKENS, TOKENIZERS
from data.text.byte_pairs import Pair, learn_merges
from data.text.cleaning import drop_format_characters, drop_format_characters_from, tokenize
from data.text.pretokenizer import pretokenize
from data.text.special_tokens import END, START_TOKEN, UNKNOWN_TOKEN
from data.text.vocabulary import sort_by_frequency
from data.text.word_tokenizer import normalize_case_and_digits, tokenize_words

BYTES = 256
# The name of the file in a run, and that in older runs, which called tokens units.
NAME, _FORMER_NAME = "tokenizer", "units"
_BATCH = 1024
_STRINGS = tf.TensorSpec([None], tf.string)


@dataclass(frozen=True)
class TokenizerVocabulary:
    """The tokens that a tokenizer knows.

    The id of a token is its position plus 4: `data.text.special_tokens` has the ids before them.

    Attributes:
        kind: a name in `TOKENIZERS` or `CLASSIFIER_TOKENS` of `data.registry`, or `TAGGER_TOKENS`.
        tokens: in descending order of frequency; of sub-words first the single characters and then
            the merged ones in the order of the merges. None for bytes, whose ids are the byte plus
            4.
        merges: of sub-words, the pairs that are merged, in the order in which they were learned.
    """

    kind: str
    tokens: tuple[str, ...] = ()
    merges: tuple[Pair, ...] = ()

    @property
    def vocabulary_size(self) -> int:
        """The number of ids, the four special ones included."""
        return END + 1 + (BYTES if self.kind == "bytes" else len(self.tokens))

    def save(self, folder: Path, name: str = NAME) -> None:
        """Writes `<name>.json`."""
        record = {"kind": self.kind, "tokens": self.tokens, "merges": self.merges}
        text = json.dumps(record, ensure_ascii=False, indent=0)
        (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8", newline="")

    @classmethod
    def load(cls, folder: Path, name: str = NAME) -> "TokenizerVocabulary":
        """Reads what `save` wrote, under this name or under the former one.

        Raises:
            UserError: the file is missing or damaged.
        """
        path = find_vocabulary(folder, name)
        try:
            record = parse_json(path.read_bytes())
            vocabulary = cls(
                record["kind"],
                tuple(record["tokens"]),
                tuple((left, right) for left, right in record["merges"]),
            )
            vocabulary._check()
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise UserError(f"cannot read {path}: {error}. Train again") from None
        return vocabulary

    def _check(self) -> None:
        """Raises ValueError if this cannot have been learned: ids would shift."""
        tokens = set(self.tokens)
        choose("tokenizer", self.kind, _LEARN)
        if not all(isinstance(token, str) for token in tokens):
            raise ValueError("its tokens are not all texts")
        if "" in tokens or len(tokens) < len(self.tokens):
            raise ValueError("it has empty or repeated tokens")
        if not all({left, right, left + right} <= tokens for left, right in self.merges):
            raise ValueError("its merges do not fit its tokens")


def find_vocabulary(folder: Path, name: str = NAME) -> Path:
    """Returns the file of a vocabulary in a run: in an older run it has its former name.

    Args:
        folder: of the run.
        name: of the vocabulary, "tokenizer" or "source_tokenizer".
    """
    path, former = (folder / f"{each}.json" for each in (name, name.replace(NAME, _FORMER_NAME)))
    return former if former.exists() and not path.exists() else path


def learn_vocabulary(kind: str, texts: Iterable[str], size: int) -> TokenizerVocabulary:
    """Learns a vocabulary from the training texts.

    Args:
        kind: a name in `TOKENIZERS` or `CLASSIFIER_TOKENS` of `data.registry`, or `TAGGER_TOKENS`.
        texts: raw texts, of the training split alone; for a vocabulary that two languages share,
            the texts of both.
        size: most tokens wanted.

    Raises:
        ValueError: unknown `kind`.
    """
    return choose("tokenizer", kind, _LEARN)(texts, size)


def find_splitter(kind: str) -> Callable[[tf.Tensor], tf.RaggedTensor] | None:
    """Returns what splits texts into the tokens of classifiers or taggers, from which a text cannot
    be restored; None for other kinds of tokens.

    Args:
        kind: as `learn_vocabulary` takes it.

    Returns:
        A function of <string>[batch] to <string>[batch, (length)].
    """
    return _SPLITTERS.get(kind)


def _split_for_taggers(texts: tf.Tensor) -> tf.RaggedTensor:
    tokens = tokenize_words(texts).strings
    return tokens.with_flat_values(normalize_case_and_digits(tokens.flat_values))


_SPLITTERS: dict[str, Callable[[tf.Tensor], tf.RaggedTensor]] = {
    TAGGER_TOKENS: _split_for_taggers,
    **{
        kind: partial(tokenize, standardize=standardize)
        for kind, standardize in CLASSIFIER_TOKENS.items()
    },
}


def _learn_characters(texts: Iterable[str], size: int) -> TokenizerVocabulary:
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(drop_format_characters_from(text))
    return TokenizerVocabulary("characters", tuple(sort_by_frequency(counts, 1)[:size]))


def _learn_bytes(texts: Iterable[str], size: int) -> TokenizerVocabulary:
    return TokenizerVocabulary("bytes")


def _learn_words(texts: Iterable[str], size: int) -> TokenizerVocabulary:
    return TokenizerVocabulary("words", tuple(sort_by_frequency(_count_pieces(texts), 1)[:size]))


def _learn_split_tokens(texts: Iterable[str], size: int, kind: str) -> TokenizerVocabulary:
    tokens = sort_by_frequency(_count_pieces(texts, _SPLITTERS[kind]), 1)
    # The vocabulary of a classifier has these already.
    kept = [token for token in tokens if token not in (START_TOKEN, UNKNOWN_TOKEN)]
    return TokenizerVocabulary(kind, tuple(kept[:size]))


def _learn_subwords(texts: Iterable[str], size: int) -> TokenizerVocabulary:
    pieces = _count_pieces(texts)
    counts: Counter[str] = Counter()
    for piece, count in pieces.items():
        for character in piece:
            counts[character] += count
    # Half of the room is for merges: texts may have the signs of many scripts.
    characters = sort_by_frequency(counts, 1)[: (size + 1) // 2]
    merges = learn_merges(pieces, characters, size)
    # Two merges may lead to the same token.
    tokens = dict.fromkeys([*characters, *(left + right for left, right in merges)])
    return TokenizerVocabulary("subwords", tuple(tokens), tuple(merges))


@cache
def _split_flat(split: Callable) -> tf.types.experimental.PolymorphicFunction:
    def flat(texts: tf.Tensor) -> tf.Tensor:
        return split(drop_format_characters(texts)).flat_values

    return graph(flat, input_signature=[_STRINGS])


def _count_pieces(texts: Iterable[str], split: Callable = pretokenize) -> Counter[str]:
    counts: Counter[bytes] = Counter()
    flat, texts = _split_flat(split), iter(texts)
    while chunk := list(islice(texts, _BATCH)):
        counts.update(flat(tf.constant(chunk)).numpy())
    return Counter({piece.decode("utf-8"): count for piece, count in counts.items()})


_LEARN: dict[str, Callable[[Iterable[str], int], TokenizerVocabulary]] = {
    **dict(
        zip(
            TOKENIZERS,
            (_learn_characters, _learn_bytes, _learn_words, _learn_subwords),
            strict=True,
        )
    ),
    **{
        kind: partial(_learn_split_tokens, kind=kind)
        for kind in (*CLASSIFIER_TOKENS, TAGGER_TOKENS)
    },
}

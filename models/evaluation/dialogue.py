"""Metrics of chatbots: how near answers are to what was said, and how much they differ."""

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import numpy as np
from sacrebleu.metrics import BLEU
from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a

# The more answers, the smaller is the share of different words in them: distinct-n is of this many.
ROWS = 1000
_tokenize = Tokenizer13a()


def words_of(text: str) -> list[str]:
    """Returns the words and signs of a text, in small letters, as BLEU counts them."""
    return _tokenize(text.lower()).split()


def dialogue_scores(written: list[str], references: list[str]) -> dict[str, float]:
    """Computes all numbers of a split.

    Args:
        written: the answers.
        references: what was said.

    Returns:
        `bleu_2` and `bleu_4` (Papineni et al. 2002; sacreBLEU without regard to case, up to pairs
        and up to four words), from 0 to 100; `distinct_1` and `distinct_2` (Li et al. 2016), the
        share of different words and pairs, of `ROWS` answers at even distances; the same of the
        references, `reference_distinct_1` and `_2`; `words`, the mean length of an answer;
        `most_frequent`, the share of the most frequent answer.
    """
    answers = [words_of(text) for text in written]
    counts = Counter(map(tuple, answers))
    found = {
        f"bleu_{order}": BLEU(max_ngram_order=order, lowercase=True)
        .corpus_score(written, [references])
        .score
        for order in (2, 4)
    }
    shown = {"": answers, "reference_": [words_of(text) for text in references]}
    for name, texts in shown.items():
        some = [texts[row] for row in evenly(len(texts), ROWS)]
        found[f"{name}distinct_1"] = distinct(word for text in some for word in text)
        found[f"{name}distinct_2"] = distinct(pair for text in some for pair in pairwise(text))
    found["words"] = sum(map(len, answers)) / max(1, len(answers))
    found["most_frequent"] = max(counts.values(), default=0) / max(1, len(answers))
    return found


def evenly(rows: int, most: int) -> list[int]:
    """Returns the numbers of rows at even distances, all if there are no more than `most`."""
    return [int(row) for row in np.linspace(0, rows - 1, min(rows, most))]


def distinct(ngrams: Iterable[object]) -> float:
    """Returns the share of different ones among n-grams.

    >>> distinct(["a", "b", "a", "a"])
    0.5
    """
    found = list(ngrams)
    return len(set(found)) / max(1, len(found))


def dialogue_table(report: dict[str, Any]) -> str:
    """Formats the numbers of a split for the terminal."""
    lines = []
    if "perplexity_word" in report:
        lines.append(
            f"perplexity   {report['perplexity_word']:.2f} per word, "
            f"{report['perplexity']:.2f} per token"
        )
    for order in (2, 4):
        lines.append(f"BLEU-{order}       {report[f'bleu_{order}']:.2f}")
    for size in (1, 2):
        lines.append(
            f"distinct-{size}   {report[f'distinct_{size}']:.3f}  (what was said: "
            f"{report[f'reference_distinct_{size}']:.3f})"
        )
    lines.append(f"{report['words']:.1f} words an answer")
    lines.append(f"{report['most_frequent']:.1%} of the answers are the most frequent one")
    return "\n".join(lines)

"""ROUGE of summaries (Lin 2004) with the package rouge-score, and its bootstrap intervals."""

from collections.abc import Sequence
from typing import Any

import numpy as np

# Names in reports, and in the package.
_KINDS = {"rouge_1": "rouge1", "rouge_2": "rouge2", "rouge_l": "rougeL"}
TITLES = {"rouge_1": "ROUGE-1", "rouge_2": "ROUGE-2", "rouge_l": "ROUGE-L"}
_RESAMPLES, _SEED = 1000, 0


def rouge_rows(written: list[str], references: Sequence[str | Sequence[str]]) -> np.ndarray:
    """Computes the F1 of ROUGE-1, ROUGE-2 and ROUGE-L of each text, of stems in lower case.

    Args:
        written: the texts.
        references: what each should be; of several the nearest one counts, for ROUGE-1, -2 and -L
            each (`RougeScorer.score_multi`).

    Returns:
        <float64>[rows, 3], from 0 to 100.
    """
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer([*_KINDS.values()], use_stemmer=True)
    rows = []
    for text, known in zip(written, references, strict=True):
        found = scorer.score_multi([known] if isinstance(known, str) else known, text)
        rows.append([100.0 * found[kind].fmeasure for kind in _KINDS.values()])
    return np.array(rows).reshape(-1, len(_KINDS))


def rouge_scores(written: list[str], references: list[str]) -> dict[str, float]:
    """Computes the means of `rouge_rows`: `rouge_1`, `rouge_2` and `rouge_l`."""
    means = rouge_rows(written, references).mean(axis=0)
    return {name: float(mean) for name, mean in zip(_KINDS, means, strict=True)}


def rouge_report(written: list[str], references: Sequence[str | Sequence[str]]) -> dict[str, Any]:
    """Computes `rouge_scores`, and the `intervals` of 95 % that a bootstrap over the rows gives;
    arguments as `rouge_rows`."""
    rows = rouge_rows(written, references)
    generator = np.random.default_rng(_SEED)
    drawn = generator.integers(len(rows), size=(_RESAMPLES, len(rows)))
    ends = np.quantile(
        np.stack([rows[numbers].mean(axis=0) for numbers in drawn]), (0.025, 0.975), axis=0
    )
    means = rows.mean(axis=0)
    return {
        **{name: float(mean) for name, mean in zip(_KINDS, means, strict=True)},
        "intervals": {name: ends[:, place].tolist() for place, name in enumerate(_KINDS)},
    }

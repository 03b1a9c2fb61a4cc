"""Metrics of captions: BLEU-1 to 4, chrF, ROUGE-L and CIDEr-D, with bootstrap intervals."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sacrebleu.metrics import BLEU, CHRF

from models.evaluation.captions.cider import cider_d
from models.evaluation.captions.rouge import rouge_l
from models.evaluation.captions.words import compared_words

# The metrics by their titles, in the order in which they are shown.
TITLES = {
    "BLEU-1": "bleu_1",
    "BLEU-2": "bleu_2",
    "BLEU-3": "bleu_3",
    "BLEU-4": "bleu_4",
    "chrF": "chrf",
    "ROUGE-L": "rouge_l",
    "CIDEr-D": "cider_d",
}
_LONGEST = 4
# Percentile bootstrap (Efron & Tibshirani 1993): resamples of pictures, and the interval's ends.
_RESAMPLES = 1000
_PERCENTILES = (2.5, 97.5)


def caption_metrics(
    captions: Sequence[str], references: Sequence[Sequence[str]], seed: int = 0
) -> dict[str, Any]:
    """Computes all metrics of the captions of one split.

    Captions and references are compared in lower case and without punctuation, as in published
    figures.

    Args:
        captions: one a picture.
        references: by picture, one or more sentences that people said of it.
        seed: of the bootstrap.

    Returns:
        From 0 to 100: `bleu_1` to `bleu_4` (Papineni et al. 2002, of the corpus, the nearest
        reference length, not smoothed), `chrf` (Popovic 2015, by the best reference) and `rouge_l`
        (Lin 2004). `cider_d` (Vedantam et al. 2015), from 0 to 10, of which publications often show
        a hundredfold. `intervals`, 95 %, by these names but `chrf`; `length_ratio`, of the captions
        to their nearest references; `distinct`, the share of captions that differ from all before;
        and `pictures`, their number. CIDEr-D's intervals are of these frequencies of words.

    Raises:
        ValueError: a picture has no reference, or there is none.
    """
    if not captions or not all(references):
        raise ValueError("Metrics need pictures, and each needs a reference.")
    said = [compared_words(caption) for caption in captions]
    wanted = [[compared_words(reference) for reference in group] for group in references]
    counts = _bleu_counts(said, wanted)
    means = np.stack([100 * rouge_l(said, wanted), cider_d(said, wanted)], axis=1)
    rows = len(said)
    weights = np.random.default_rng(seed).multinomial(rows, np.full(rows, 1 / rows), _RESAMPLES)
    names = ("bleu_1", "bleu_2", "bleu_3", "bleu_4", "rouge_l", "cider_d")
    all_at_once, samples = (
        np.concatenate([_bleu(weight @ counts), weight @ means / rows], axis=1)
        for weight in (np.ones((1, rows)), weights)
    )
    values = dict(zip(names, map(float, all_at_once[0]), strict=True))
    ends = np.percentile(samples, _PERCENTILES, axis=0).T.tolist()
    values["chrf"] = _chrf(said, wanted)
    length, reference_length = counts[:, -2:].sum(axis=0)
    return {
        **{name: values[name] for name in TITLES.values()},
        "intervals": dict(zip(names, ends, strict=True)),
        "length_ratio": float(length / max(reference_length, 1)),
        "distinct": len(set(map(tuple, said))) / rows,
        "pictures": rows,
    }


def _bleu_counts(said: list[list[str]], wanted: list[list[list[str]]]) -> np.ndarray:
    """Returns what BLEU adds up: by picture, the right n-grams of each length, all n-grams of each
    length, the words of the caption and of its nearest reference; <float64>[pictures, 10]."""
    bleu = BLEU(tokenize="none", effective_order=True)
    rows = []
    for words, group in zip(said, wanted, strict=True):
        score = bleu.sentence_score(" ".join(words), [" ".join(each) for each in group])
        rows.append([*score.counts, *score.totals, score.sys_len, score.ref_len])
    return np.array(rows, np.float64)


def _bleu(sums: np.ndarray) -> np.ndarray:
    """Returns BLEU-1 to 4 of added counts, <float64>[samples, 10], as <float64>[samples, 4]."""
    right, total = sums[:, :_LONGEST], sums[:, _LONGEST : 2 * _LONGEST]
    length, reference_length = sums[:, -2], sums[:, -1]
    with np.errstate(divide="ignore"):
        logarithms = np.log(right) - np.log(np.maximum(total, 1))
    means = np.cumsum(logarithms, axis=1) / np.arange(1, _LONGEST + 1)
    penalty = np.minimum(0, 1 - reference_length / np.maximum(length, 1))
    return 100 * np.exp(means + penalty[:, np.newaxis])


def _chrf(said: list[list[str]], wanted: list[list[list[str]]]) -> float:
    most = max(map(len, wanted))
    # sacreBLEU takes the first references of all pictures, then the second ones, and so on.
    streams = [
        [" ".join(group[place]) if place < len(group) else None for group in wanted]
        for place in range(most)
    ]
    return float(CHRF().corpus_score([" ".join(words) for words in said], streams).score)


def main_metrics(report: dict[str, Any]) -> dict[str, float]:
    """Returns the metrics to compare models by, by their titles."""
    return {title: report[name] for title, name in TITLES.items()}


def caption_table(report: dict[str, Any]) -> str:
    """Formats the report of a split for the terminal."""
    lines = [f"{'':7}  {'value':>6}   95 % interval"]
    for title, name in TITLES.items():
        ends = report["intervals"].get(name)
        interval = f"   {ends[0]:6.2f} - {ends[1]:.2f}" if ends else ""
        lines.append(f"{title:7}  {report[name]:6.2f}{interval}")
    lines.append(
        f"{report['pictures']:,} pictures, captions have {report['length_ratio']:.3f} of the "
        f"references' words, {report['distinct']:.1%} are different"
    )
    return "\n".join(lines)

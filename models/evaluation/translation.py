"""Metrics of translators: BLEU and chrF of a split, and BLEU by the length of the source."""

import itertools
from collections.abc import Sequence
from typing import Any

from sacrebleu.metrics import BLEU, CHRF

_SENTENCE_CHRF = CHRF()
# The most words of a source in each group of lengths but the last.
_LENGTHS = (6, 9, 12, 15, 19, 24)


def translation_metrics(
    translations: list[str], references: Sequence[str | Sequence[str]]
) -> dict[str, float]:
    """Computes `bleu` (Papineni et al. 2002) and `chrf` (Popovic 2015), from 0 to 100, of unchanged
    texts with sacreBLEU (Post 2018).

    Args:
        translations: the predicted translations.
        references: the true one of each, or several, all of which BLEU counts the n-grams of, and
            of which chrF takes the nearest.
    """
    return {**bleu_score(translations, references), **chrf_score(translations, references)}


def bleu_score(
    translations: list[str], references: Sequence[str | Sequence[str]]
) -> dict[str, float]:
    """Computes `bleu`, see `translation_metrics`."""
    return {"bleu": BLEU().corpus_score(translations, _streams(references)).score}


def chrf_score(
    translations: list[str], references: Sequence[str | Sequence[str]]
) -> dict[str, float]:
    """Computes `chrf`, see `translation_metrics`."""
    return {"chrf": CHRF().corpus_score(translations, _streams(references)).score}


def _streams(references: Sequence[str | Sequence[str]]) -> list[list[str | None]]:
    """Returns the first references of all texts, the second ones, ...; None where there is none."""
    known = [(each,) if isinstance(each, str) else tuple(each) for each in references]
    return [list(stream) for stream in itertools.zip_longest(*known)] or [[]]


def sentence_chrf(translation: str, reference: str) -> float:
    """Computes the chrF of one translation, from 0 to 100."""
    return _SENTENCE_CHRF.sentence_score(translation, [reference]).score


def translation_report(
    translations: list[str], references: list[str], sources: list[str]
) -> dict[str, Any]:
    """Computes all metrics of a split.

    Args:
        translations: the predicted translations.
        references: the true ones.
        sources: the texts that were translated.

    Returns:
        `bleu` and `chrf` as in `translation_metrics`, the `signatures` of both, `length_ratio` (of
        the translations to the references), `sentences`, and `by_length`, the BLEU of sources of
        similar length: `from` and `to` words, `sentences` and `bleu`.
    """
    bleu, chrf = BLEU(), CHRF()
    score = bleu.corpus_score(translations, [references])
    return {
        "bleu": score.score,
        "chrf": chrf.corpus_score(translations, [references]).score,
        "signatures": {
            "bleu": f"BLEU|{bleu.get_signature()}",
            "chrf": f"chrF2|{chrf.get_signature()}",
        },
        "length_ratio": score.sys_len / max(score.ref_len, 1),
        "sentences": len(translations),
        "by_length": bleu_by_length(translations, references, sources),
    }


def bleu_by_length(
    translations: list[str], references: list[str], sources: list[str]
) -> list[dict[str, Any]]:
    """Computes the BLEU of sources of similar length; see `translation_report`."""
    words = [len(source.split()) for source in sources]
    bounds = [0, *_LENGTHS, max([*words, _LENGTHS[-1] + 1])]
    rows = []
    for low, high in itertools.pairwise(bounds):
        chosen = [i for i, count in enumerate(words) if low < count <= high]
        if chosen:
            group, wanted = ([texts[i] for i in chosen] for texts in (translations, references))
            bleu = BLEU().corpus_score(group, [wanted]).score
            rows.append({"from": low + 1, "to": high, "sentences": len(chosen), "bleu": bleu})
    return rows


def translation_table(report: dict[str, Any], answers: str = "translations") -> str:
    """Formats the report of a split for the terminal; `answers` is what the texts are called."""
    lines = [
        f"BLEU  {report['bleu']:.2f}  {report['signatures']['bleu']}",
        f"chrF  {report['chrf']:.2f}  {report['signatures']['chrf']}",
        f"{report['sentences']:,} sentences, {answers} have {report['length_ratio']:.3f} of the "
        "references' words",
        "words of the source   sentences    BLEU",
    ]
    for row in report["by_length"]:
        words = f"{row['from']} - {row['to']}"
        lines.append(f"{words:>19}   {row['sentences']:9,}   {row['bleu']:5.2f}")
    return "\n".join(lines)


def main_metrics(report: dict[str, Any]) -> dict[str, float]:
    """Returns the metrics to compare models by, by their titles."""
    return {"BLEU": report["bleu"], "chrF": report["chrf"]}

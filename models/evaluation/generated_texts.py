"""Metrics of models that write texts, by name: each application names those that suit it."""

from collections.abc import Callable, Sequence
from typing import Any

from models.evaluation import dialogue, rouge, translation

# Each takes texts and their references, and returns numbers by name.
METRICS: dict[str, Callable[[list[str], list[str]], dict[str, float]]] = {
    "bleu": translation.bleu_score,
    "chrf": translation.chrf_score,
    "dialogue": dialogue.dialogue_scores,
    "rouge": rouge.rouge_scores,
}


def main_scores(
    metrics: tuple[str, ...], written: list[str], references: list[str]
) -> dict[str, float]:
    """Computes the numbers that choose an epoch.

    Args:
        metrics: names in `METRICS`.
        written: the texts.
        references: what they should be.
    """
    return {
        name: value
        for metric in metrics
        for name, value in METRICS[metric](written, references).items()
    }


def text_report(
    metrics: tuple[str, ...],
    written: list[str],
    references: list[str],
    sources: list[str],
    others: Sequence[tuple[str, ...]] = (),
) -> dict[str, Any]:
    """Computes all metrics of a split.

    Args:
        metrics: names in `METRICS`.
        written: the texts.
        references: what they should be.
        sources: the texts that were answered.
        others: of each text, what it could be, too; empty if nothing is known of that.

    Returns:
        What `models.evaluation.translation.translation_report` does, with what
        `models.evaluation.rouge.rouge_report` does if `rouge` is one of the metrics. With `others`
        there is `several_references`, too: their number at `most`, that of the reference among
        them, and the metrics of each text by all of its references.
    """
    report = translation.translation_report(written, references, sources)
    if "rouge" in metrics:
        report = {**rouge.rouge_report(written, references), **report}
    if not any(others):
        return report
    known = [(first, *more) for first, more in zip(references, others, strict=True)]
    several: dict[str, Any] = {"most": max(map(len, known))}
    several |= translation.translation_metrics(written, known)
    if "rouge" in metrics:
        several |= rouge.rouge_report(written, known)
    return {**report, "several_references": several}


def text_table(report: dict[str, Any], answers: str) -> str:
    """Formats the report of a split for the terminal.

    Args:
        report: of `text_report`.
        answers: what the texts are, such as `translations`.
    """
    lines = [*_rouge_lines(report), translation.translation_table(report, answers)]
    if several := report.get("several_references"):
        most = f", up to {several['most']}" if "most" in several else ""
        lines += [f"by all references of a text{most}:", *_rouge_lines(several)]
        lines += [f"BLEU  {several['bleu']:.2f}", f"chrF  {several['chrf']:.2f}"]
    return "\n".join(lines)


def _rouge_lines(report: dict[str, Any]) -> list[str]:
    lines = []
    for name, title in rouge.TITLES.items():
        if name in report:
            ends = report.get("intervals", {}).get(name)
            interval = "" if ends is None else f"  (95 %: {ends[0]:.2f} - {ends[1]:.2f})"
            lines.append(f"{title}  {report[name]:.2f}{interval}")
    return lines


def main_metrics(report: dict[str, Any]) -> dict[str, float]:
    """Returns the metrics to compare models by, by their titles."""
    found = {title: report[name] for name, title in rouge.TITLES.items() if name in report}
    return {**found, **translation.main_metrics(report)}

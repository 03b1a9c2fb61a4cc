"""The bias report of a text classifier: metrics by group, and answers to swapped terms."""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from data.errors import UserError
from data.examples.labelled import LabelledTexts
from data.identity_terms.files import read_identity_terms
from data.identity_terms.terms import IdentityTerms, Swap
from data.registry import IDENTITY_TERMS
from models.evaluation.bias import FEWEST_ROWS, Counterfactuals, bias_table, group_aucs

# Texts that are answered at once: memory does not grow with the split.
_SWAPS = 4096
_CHARACTERS = 2**22


@dataclass(frozen=True)
class BiasReport:
    """The bias of the score of one class.

    Attributes:
        metrics: those of `bias_report`.
    """

    metrics: dict

    def to_json(self) -> dict:
        """Returns the metrics as `metrics.json` holds them."""
        return self.metrics

    def table(self) -> str:
        """Formats the metrics for the terminal."""
        return describe(self.metrics)

    def draw(self, split: str, folder: Path) -> None:
        """Draws the metrics of a split into `bias_<split>.png`."""
        draw(self.metrics, folder / f"bias_{split}.png")


@dataclass(frozen=True)
class BiasRequest:
    """What a bias report is asked for, as `evaluate` measures it (an
    `apps.tasks.task.Measurement`).

    Attributes:
        class_name: the class whose score is looked at.
        terms: the groups and their terms.
    """

    name: ClassVar[str] = "bias"

    class_name: str
    terms: IdentityTerms

    def measure(self, task: Any, examples: LabelledTexts) -> BiasReport:
        """Measures a trained classifier on a split."""
        return BiasReport(bias_report(task, examples, self))


def bias_request(class_names: tuple[str, ...], name: str | None, terms: str | None) -> BiasRequest:
    """Returns what `--bias` asks of a run.

    Args:
        class_names: of the run.
        name: the class whose score is looked at; None for the first.
        terms: a file of identity terms; None for the list that ships with the suite.

    Raises:
        UserError: no such class, or a file of terms that cannot be used.
    """
    names = class_names or (name or "",)
    if name not in (None, *names):
        raise UserError(
            f"no class {name!r} in the model: it has {', '.join(names)}. Check --bias-class"
        )
    return BiasRequest(name or names[0], read_identity_terms(terms or IDENTITY_TERMS))


def bias_report(task: Any, examples: LabelledTexts, asked: BiasRequest) -> dict:
    """Returns all metrics, as plain numbers for JSON.

    Args:
        task: a trained classifier, with `scores`, `decided` and `class_names`.
        examples: a split.
        asked: the class and the terms.

    Returns:
        `models.evaluation.bias.group_aucs`, in each group `kind` and
        `models.evaluation.bias.Counterfactuals.metrics`; with `class`, `identity_terms` and their
        `checksum`, `fewest_rows`, `texts` (how many name a group) and `absent` (groups that no text
        names).
    """
    terms, column = asked.terms, task.class_names.index(asked.class_name)
    scores, members = task.scores(examples.texts), _members(terms, examples.texts)
    report = group_aucs(examples.targets[:, column] > 0.5, scores[:, column], members)
    named = np.flatnonzero(np.any(list(members.values()), axis=0))
    swapped = _counterfactuals(task, examples.texts, named, scores, column, terms).metrics()
    groups = {
        name: {"kind": terms.groups[name], **group, **swapped[name]}
        for name, group in report.pop("groups").items()
    }
    return {
        "class": asked.class_name,
        "identity_terms": terms.name,
        "checksum": terms.checksum,
        "fewest_rows": FEWEST_ROWS,
        **report,
        "texts": len(named),
        "groups": groups,
        "absent": [name for name in terms.groups if name not in groups],
    }


def _members(terms: IdentityTerms, texts: list[str]) -> dict[str, np.ndarray]:
    """For each group <bool>[rows], whether a text names it."""
    members = {group: np.zeros(len(texts), bool) for group in terms.groups}
    for row, text in enumerate(texts):
        for group in terms.find_groups(text):
            members[group][row] = True
    return members


def _counterfactuals(
    task: Any,
    texts: list[str],
    rows: np.ndarray,
    scores: np.ndarray,
    column: int,
    terms: IdentityTerms,
) -> Counterfactuals:
    """Answers the swaps of the texts at `rows`, whose own `scores` are <float32>[rows, classes]."""
    from tqdm import tqdm

    names, decided = list(terms.groups), task.decide(scores)
    position = {name: i for i, name in enumerate(names)}
    sums = Counterfactuals(names)
    swaps = ((row, swap) for row in rows for swap in terms.swaps(texts[row]))
    with tqdm(desc="swaps", unit=" texts", disable=None, file=sys.stderr) as bar:
        for window in _windows(swaps):
            before = np.array([row for row, _ in window])
            after = task.scores([swap.text for _, swap in window])
            sums.add(
                np.array([position[swap.group] for _, swap in window]),
                np.array([swap.share for _, swap in window]),
                scores[before, column] - after[:, column],
                (decided[before] != task.decide(after)).any(axis=1),
            )
            bar.update(len(window))
    return sums


def _windows(swaps: Iterable[tuple[int, Swap]]) -> Iterator[list[tuple[int, Swap]]]:
    """Cuts into lists of a number and a length that memory can hold."""
    window, characters = [], 0
    for row, swap in swaps:
        window.append((row, swap))
        characters += len(swap.text)
        if len(window) == _SWAPS or characters >= _CHARACTERS:
            yield window
            window, characters = [], 0
    if window:
        yield window


def describe(report: dict) -> str:
    """Formats the metrics of `bias_report` for the terminal."""
    absent = ", ".join(report["absent"])
    return "\n".join(
        [
            f"bias of the score of {report['class']}: {report['texts']:,} of {report['rows']:,} "
            f"texts name a group of {report['identity_terms']}",
            bias_table(report),
            f"-: of fewer than {FEWEST_ROWS} texts, on one side or both; a few more say little too",
            *([f"named by no text: {absent}"] if absent else []),
        ]
    )


def draw(report: dict, path: Path) -> None:
    """Draws the metrics of `bias_report` into a .png file."""
    from apps.plots.bias import bias_picture

    bias_picture(report, path)

"""The bias report of a text classifier: figures by group, and answers to swapped terms."""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from apps.runs.description import RunDescription
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
class BiasRequest:
    """What a bias report is asked for: the score of one class, and the terms."""

    class_name: str
    terms: IdentityTerms


def bias_request(options: dict, description: RunDescription) -> BiasRequest | None:
    """What `--bias` and its options ask of the run that `description` describes; None without it.

    Raises:
        UserError: no such class, a file of terms that cannot be used, or an option without --bias.
    """
    terms, name = options.get("identity_terms"), options.get("bias_class")
    if not options.get("bias"):
        if terms or name:
            raise UserError("--identity-terms and --bias-class go with --bias. Add it")
        return None
    names = description.class_names or (name,)
    if name not in (None, *names):
        raise UserError(
            f"no class {name!r} in the model: it has {', '.join(names)}. Check --bias-class"
        )
    return BiasRequest(name or names[0], read_identity_terms(terms or IDENTITY_TERMS))


def bias_report(task, examples: LabelledTexts, asked: BiasRequest) -> dict:
    """All figures, as plain numbers for JSON.

    Args:
        task: a trained classifier, with `scores`, `decided` and `class_names`.
        examples: a split.
        asked: the class and the terms.

    Returns:
        `models.evaluation.bias.group_aucs`, in each group `kind` and
        `models.evaluation.bias.Counterfactuals.figures`; with `class`, `identity_terms` and their
        `checksum`, `fewest_rows`, `texts` (how many name a group) and `absent` (groups that no text
        names).
    """
    terms, column = asked.terms, task.class_names.index(asked.class_name)
    scores, members = task.scores(examples.texts), _members(terms, examples.texts)
    report = group_aucs(examples.targets[:, column] > 0.5, scores[:, column], members)
    named = np.flatnonzero(np.any(list(members.values()), axis=0))
    swapped = _counterfactuals(task, examples.texts, named, scores, column, terms).figures()
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
        for group in terms.groups_in(text):
            members[group][row] = True
    return members


def _counterfactuals(
    task, texts: list[str], rows: np.ndarray, scores: np.ndarray, column: int, terms: IdentityTerms
) -> Counterfactuals:
    """Answers the swaps of the texts at `rows`, whose own `scores` are <float32>[rows, classes]."""
    from tqdm import tqdm

    names, decided = list(terms.groups), task.decided(scores)
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
                (decided[before] != task.decided(after)).any(axis=1),
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
    """The figures of `bias_report`, for the terminal."""
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
    """Draws the figures of `bias_report` into a .png file."""
    from apps.plots.bias import bias_picture

    bias_picture(report, path)

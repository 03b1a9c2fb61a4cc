"""Options that a data set suggests, each with its reason."""

from collections.abc import Iterable
from dataclasses import dataclass

from apps.inspection.texts.lengths import quantiles, share_above
from apps.pages.parts import Code, Paragraph, Part, Section, Table

# A cut of fewer texts is hardly worth longer training steps.
_MANY_CUT = 0.02
_FEW_ROWS = 2000


@dataclass(frozen=True)
class Advice:
    """An option and why.

    Attributes:
        options: as on a command line.
        reason: a sentence.
    """

    options: tuple[str, ...]
    reason: str


def advise_length(lengths: Iterable[int], limit: int, option: str = "--max-length") -> list[Advice]:
    """Suggests a longer text where a training would cut many."""
    values = list(lengths)
    cut = share_above(values, limit)
    if cut <= _MANY_CUT:
        return []
    wanted = -(-quantiles(values)["99 %"] // 10) * 10
    return [
        Advice(
            (option, str(wanted)), f"{cut:.1%} of the texts have more than {limit} words and signs"
        )
    ]


def advise_batches(rows: int, batch_size: int) -> list[Advice]:
    """Suggests small batches for few rows, as the recipes of the samples have them."""
    if rows >= _FEW_ROWS or batch_size <= 16:
        return []
    return [Advice(("--batch-size", "16"), f"{rows:,} training rows: small steps, and enough")]


def describe_command(command: str, advice: list[Advice], problem: str = "") -> Section:
    """Returns the section with the command that trains on the data.

    Args:
        command: ready to be copied.
        advice: what it follows.
        problem: why it would be refused as the data are; or the empty text.
    """
    parts: list[Part] = []
    if problem:
        parts.append(Paragraph(f"Refused as it is: {problem}", "warning"))
    if advice:
        rows = [(" ".join(each.options), each.reason) for each in advice]
        parts.append(Table(("option", "because"), rows))
    parts.append(Code(command))
    facts = {
        "command": command,
        "options": {each.options[0]: each.reason for each in advice},
        "problem": problem,
    }
    return Section("command", "How to train on it", parts, facts)

"""Texts that stand in a data set more than once, by the rule that keeps copies in one split."""

import hashlib
from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

from apps.inspection.texts.rows import Rows
from apps.pages.parts import Paragraph, Part, Section, Table
from data.examples.splits import canonical_form

_SHOWN = 5


@dataclass
class _Copies:
    """The rows of one form.

    Attributes:
        text: the first of them.
        splits: how many rows each split has.
        labels: how many each label has.
    """

    text: str
    splits: Counter = field(default_factory=Counter)
    labels: Counter = field(default_factory=Counter)


def find_copies(rows: Rows) -> list[_Copies]:
    """Gathers rows whose texts differ by case, punctuation, links and the like alone, as
    `data.examples.splits.canonical_form` has it; returns those that stand more than once."""
    first: dict[bytes, tuple[str, str, Hashable]] = {}
    found: dict[bytes, _Copies] = {}
    for split, text, label in rows:
        form = canonical_form(text).encode("utf-8", "surrogatepass")
        digest = hashlib.blake2b(form, digest_size=12).digest()
        if digest not in first:
            # Most texts stand once: for them nothing else is kept.
            first[digest] = (split, text, label)
            continue
        if digest not in found:
            former = first[digest]
            found[digest] = _Copies(former[1], Counter([former[0]]), Counter([former[2]]))
        found[digest].splits[split] += 1
        found[digest].labels[label] += 1
    return list(found.values())


def describe_copies(rows: Rows, show_label: Any = str) -> Section:
    """Returns the section on duplicates: within splits, across them, and under several labels.

    Args:
        rows: the texts.
        show_label: formats a label.
    """
    copies = find_copies(rows)
    spare = Counter[str]()
    shared = Counter[str]()
    for each in copies:
        spare.update({split: count - 1 for split, count in each.splits.items() if count > 1})
        for split in list(each.splits)[1:]:
            shared[f"{next(iter(each.splits))} and {split}"] += each.splits[split]
    disputed = [each for each in copies if len(each.labels) > 1]
    facts = {
        "within": dict(spare),
        "across": dict(shared),
        "disputed": len(disputed),
        "disputed_rows": sum(each.labels.total() for each in disputed),
    }
    parts: list[Part] = [
        Paragraph(
            "Texts that differ by case, punctuation, user names, links or HTML escapes alone are "
            "copies of each other."
        ),
        Table(
            ("split", "rows", "further copies of a row"),
            [(split, len(texts), spare[split]) for split, texts in rows.texts.items()],
        ),
    ]
    for splits, count in shared.items():
        parts.append(
            Paragraph(f"{count:,} row(s) of a later split are copies: {splits}.", "warning")
        )
    if len(rows.texts) > 1 and not shared:
        parts.append(Paragraph("No text has a copy in another split."))
    if disputed:
        parts.append(
            Paragraph(
                f"{len(disputed):,} text(s) stand under several labels: one of them is wrong, or "
                "the labels cannot be told apart.",
                "warning",
            )
        )
        disputed.sort(key=lambda each: -each.labels.total())
        shown = [
            (each.text, ", ".join(f"{show_label(k)} ({n})" for k, n in each.labels.most_common()))
            for each in disputed[:_SHOWN]
        ]
        parts.append(Table(("text", "labels (rows)"), shown))
    most = sorted(copies, key=lambda each: -each.splits.total())[:_SHOWN]
    if most:
        frequent = [(each.text, each.splits.total()) for each in most]
        parts.append(Table(("most frequent", "rows"), frequent))
    return Section("duplicates", "Duplicates", parts, facts)

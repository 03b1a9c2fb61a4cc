"""Inspects labelled texts: classes, label errors, and what a classifier would learn from them."""

import itertools
from collections import Counter
from collections.abc import Hashable
from typing import Any

from apps.inspection.advice import Advice, advise_batches, advise_length
from apps.inspection.labels import find_alike_names, warn_of_alike_names
from apps.inspection.texts.duplicates import describe_copies
from apps.inspection.texts.lengths import WORDS_AND_SIGNS, count_words, describe_lengths
from apps.inspection.texts.near_duplicates import describe_near_duplicates
from apps.inspection.texts.oddities import count_oddities, describe_oddities
from apps.inspection.texts.rows import Rows
from apps.inspection.texts.vocabulary import describe_vocabulary
from apps.pages.parts import Bars, Paragraph, Part, Section, Table
from data.errors import list_values
from data.examples.labelled import LabelledCorpus

# A class of fewer training rows is hardly learned.
_RARE = 20
# Rows from which on a linear model of n-grams adds little to a recurrent one.
_MANY_ROWS = 10_000
_LONG_TEXTS = 60
_OFTEN = 0.05
_SEPARATORS = (";", "|", ",")
_KEPT = {
    "head": "are cut to their head",
    "tail": "are cut to their tail",
    "head-tail": "are cut to a quarter of their head and three of their tail",
}


def inspect_labelled(corpus: LabelledCorpus, config: Any) -> tuple[list[Section], list[Advice]]:
    """Inspects labelled texts.

    Args:
        corpus: the texts.
        config: the options of the training, of which it reads those of a classifier.
    """
    names = corpus.class_names
    labels: dict[str, list[Hashable]] = {
        split: [tuple(names[place] for place in row.nonzero()[0]) for row in part.targets]
        for split, part in corpus.splits.items()
    }
    rows = Rows({split: part.texts for split, part in corpus.splits.items()}, labels)
    lengths = {split: [*map(count_words, texts)] for split, texts in rows.texts.items()}
    sections = [
        _describe_classes(corpus),
        describe_lengths(lengths, WORDS_AND_SIGNS, config.max_length, _KEPT[config.truncate]),
        describe_copies(rows, ", ".join),
        describe_near_duplicates(rows),
        describe_oddities(rows),
        describe_vocabulary(rows, config.min_count, config.max_tokens),
        _describe_training(corpus, config),
    ]
    return sections, _advise(corpus, config, rows, lengths)


def _describe_classes(corpus: LabelledCorpus) -> Section:
    counts = {split: part.targets.sum(axis=0) for split, part in corpus.splits.items()}
    total = sum(counts.values())
    table: list[list[Any]] = [
        [name, *(int(count[place]) for count in counts.values()), int(total[place])]
        for place, name in enumerate(corpus.class_names)
    ]
    bars = [(name, int(total[place])) for place, name in enumerate(corpus.class_names)]
    parts: list[Part] = [
        Table(("class", *counts, "all"), table),
        Bars("class", sorted(bars, key=lambda bar: -bar[1])),
    ]
    if corpus.multi_label:
        parts.append(Paragraph("A text may have any number of classes."))
    alike = find_alike_names(corpus.class_names)
    parts += warn_of_alike_names(alike)
    rare = [name for name, *_, count in table if count < _RARE]
    if rare:
        parts.append(
            Paragraph(
                f"Fewer than {_RARE} rows have the class {list_values(map(repr, rare))}: too few "
                "to learn it, and to measure it.",
                "warning",
            )
        )
    facts = {
        "classes": {name: int(total[place]) for place, name in enumerate(corpus.class_names)},
        "by_split": {
            split: dict(zip(corpus.class_names, map(int, count), strict=True))
            for split, count in counts.items()
        },
        "alike": alike,
        "multi_label": corpus.multi_label,
    }
    return Section("classes", "Classes", parts, facts)


def _describe_training(corpus: LabelledCorpus, config: Any) -> Section:
    """Returns the section on what `train` would do with the splits and the classes."""
    train = len(corpus.splits.get("train", ()))
    validation = corpus.splits.get("validation")
    steps = -(-train // config.batch_size)
    lines = [
        ("training rows", train),
        ("steps of an epoch", steps),
        ("epochs, at most", config.epochs),
        ("epoch chosen by", f"{config.monitor} on validation"),
    ]
    parts: list[Part] = [Table(("", ""), lines)]
    if validation is not None:
        counts = validation.targets.sum(axis=0)
        rarest = int(counts.argmin())
        parts.append(
            Paragraph(
                f"Thresholds ({config.thresholds}) are chosen on {len(validation):,} validation "
                f"rows; the rarest class, {corpus.class_names[rarest]!r}, has "
                f"{int(counts[rarest]):,} of them."
            )
        )
    facts = {"training_rows": train, "steps": steps, "thresholds": config.thresholds}
    return Section("training", "What train would do", parts, facts)


def _advise(
    corpus: LabelledCorpus, config: Any, rows: Rows, lengths: dict[str, list[int]]
) -> list[Advice]:
    train = len(corpus.splits.get("train", ()))
    advice = advise_length(lengths.get("train", ()), config.max_length)
    advice += advise_batches(train, config.batch_size)
    if train < _MANY_ROWS and not config.linear:
        advice.append(
            Advice(
                ("--linear",),
                f"{train:,} training rows: n-grams know from a word that stands twice what the "
                "recurrent layer has to see a dozen times",
            )
        )
    odd = {name: count / max(len(rows), 1) for name, (count, _) in count_oddities(rows).items()}
    posts = max(odd.get("user names (@name)", 0.0), odd.get("links", 0.0))
    every = sorted(itertools.chain(*lengths.values())) or [0]
    if posts > _OFTEN and config.standardize != "tweet":
        advice.append(Advice(("--standardize", "tweet"), f"{posts:.0%} have user names or links"))
    elif (
        posts <= _OFTEN
        and config.standardize == "tweet"
        and (odd.get("HTML tags", 0.0) > _OFTEN or every[len(every) // 2] > _LONG_TEXTS)
    ):
        advice.append(
            Advice(("--standardize", "review"), "long texts, or tags, without user names")
        )
    if separator := _find_separator(corpus.class_names):
        advice.append(
            Advice(
                ("--label-separator", separator),
                f"class names such as {max(corpus.class_names, key=len)!r} look like several",
            )
        )
    return advice


def _find_separator(names: tuple[str, ...]) -> str:
    """Returns what separates several classes in one name, if names look like that."""
    for separator in _SEPARATORS:
        parts = Counter(part.strip() for name in names for part in name.split(separator))
        joined = [name for name in names if separator in name]
        if joined and all(part.strip() in parts for n in joined for part in n.split(separator)):
            # Each part stands in several names: they are classes of their own.
            repeated = sum(count > 1 for count in parts.values())
            if repeated > len(parts) / 2:
                return separator
    return ""

"""Inspects texts with their translations, or the like: pairs that are copies, uneven or
ambiguous."""

from collections import defaultdict
from typing import Any

import numpy as np

from apps.inspection.advice import Advice, advise_length
from apps.inspection.texts.duplicates import describe_copies
from apps.inspection.texts.lengths import WORDS_AND_SIGNS, count_words, describe_lengths
from apps.inspection.texts.near_duplicates import describe_near_duplicates
from apps.inspection.texts.oddities import describe_oddities, find_scripts
from apps.inspection.texts.rows import Rows
from apps.pages.parts import Paragraph, Part, Section, Table
from data.examples.parallel import Pair, ParallelCorpus
from data.examples.splits import canonical_form

_SHOWN = 5
# A translation of three times the length, or a third, of some words is hardly one.
_UNEVEN, _FEWEST_WORDS = 3.0, 4


def inspect_parallel(corpus: ParallelCorpus, config: Any) -> tuple[list[Section], list[Advice]]:
    """Inspects texts with their translations.

    Args:
        corpus: the pairs.
        config: the options of the training, a `Seq2SeqConfig`.
    """
    source, target = corpus.languages
    sides = {
        source: Rows({split: part.texts for split, part in corpus.splits.items()}),
        target: Rows({split: part.translations for split, part in corpus.splits.items()}),
    }
    lengths = {
        f"{split}, {language}": [*map(count_words, texts)]
        for language, rows in sides.items()
        for split, texts in rows.texts.items()
    }
    limit, fate = config.max_length, "are not trained on, and are cut to be answered"
    measured = lengths
    if config.max_source_length:
        limit, fate = config.max_source_length, "are cut"
        measured = {name: each for name, each in lengths.items() if name.endswith(f", {source}")}
    pairs = Rows(
        sides[source].texts,
        {
            split: [canonical_form(text) for text in part.translations]
            for split, part in corpus.splits.items()
        },
    )
    sections = [
        _describe_pairs(corpus, config.one_language),
        describe_lengths(
            measured, WORDS_AND_SIGNS, limit, f"{fate} (sub-words are more than words)"
        ),
        _describe_targets(pairs),
        describe_near_duplicates(sides[source]),
        describe_oddities(sides[source]),
        _describe_scripts(sides),
        _describe_training(corpus, config),
    ]
    names = [name for name in lengths if name.startswith("train")]
    if config.max_source_length:
        names = [name for name in names if name.endswith(f", {target}")]
    train = [length for name in names for length in lengths[name]]
    return sections, advise_length(train, config.max_length)


def _describe_pairs(corpus: ParallelCorpus, one_language: bool) -> Section:
    """Returns the section on the pairs; those of one language are uneven by their nature."""
    lines, facts = [], {}
    copies: list[Pair] = []
    uneven: list[tuple[float, Pair]] = []
    for split, part in corpus.splits.items():
        words = np.array([[count_words(row.source), count_words(row.target)] for row in part])
        ratios = words[:, 1] / np.maximum(words[:, 0], 1)
        same = [row for row in part if row.source.strip() == row.target.strip()]
        odd = [
            (max(ratio, 1 / max(ratio, 1e-9)), row)
            for ratio, row, sizes in zip(ratios, part, words, strict=True)
            if max(ratio, 1 / max(ratio, 1e-9)) > _UNEVEN
            and sizes.max() >= _FEWEST_WORDS
            and not one_language
        ]
        copies += same
        uneven += odd
        low, median, high = (float(each) for each in np.quantile(ratios, (0.05, 0.5, 0.95)))
        facts[split] = {
            "pairs": len(part),
            "ratio": median,
            "copies": len(same),
            "uneven": len(odd),
        }
        lines.append((split, len(part), median, f"{low:.2f} - {high:.2f}", len(same), len(odd)))
    head: tuple = ("split", "pairs", "median ratio", "5 % - 95 %", "untranslated copies")
    note = "The ratio is that of the words and signs of the translation to those of the source; "
    note += f"uneven are pairs beyond {_UNEVEN:g} times."
    rows: list[tuple] = [*lines]
    head = (*head, "uneven pairs")
    if one_language:
        head, rows = (*head[:4], "copies"), [line[:5] for line in lines]
        note = "The ratio is that of the words and signs of the target to those of the source."
    parts: list[Part] = [Table(head, rows), Paragraph(note)]
    if copies:
        parts.append(
            Table(("untranslated", "target"), [(row.source, row.target) for row in copies[:_SHOWN]])
        )
    if uneven:
        uneven.sort(key=lambda each: -each[0])
        shown = [(f"{ratio:.1f}", row.source, row.target) for ratio, row in uneven[:_SHOWN]]
        parts.append(Table(("times as long", "source", "target"), shown))
    return Section("pairs", "Pairs", parts, facts)


def _describe_targets(rows: Rows) -> Section:
    """Returns the section on sources that stand several times, with one target or several."""
    targets: dict[str, set] = defaultdict(set)
    for _, text, label in rows:
        targets[text].add(label)
    several = {text: found for text, found in targets.items() if len(found) > 1}
    copies = describe_copies(Rows(rows.texts))
    parts: list[Part] = [*copies.parts]
    if several:
        parts.append(
            Paragraph(f"{len(several):,} source(s) have several targets: a metric knows one alone.")
        )
        most = sorted(several.items(), key=lambda item: -len(item[1]))[:_SHOWN]
        shown = [(text, len(found), " / ".join(sorted(found)[:3])) for text, found in most]
        parts.append(Table(("source", "targets", "such as"), shown))
    facts = {**copies.facts, "several_targets": len(several)}
    return Section("duplicates", "Duplicates", parts, facts)


def _describe_scripts(sides: dict[str, Rows]) -> Section:
    lines, facts = [], {}
    for language, rows in sides.items():
        scripts = find_scripts(rows)
        facts[language] = {script: count for script, (count, _) in scripts.items()}
        lines += [(language, script, count, text) for script, (count, text) in scripts.items()]
    parts = [Table(("side", "script", "texts", "the first one"), lines)]
    return Section("scripts", "Scripts of both sides", parts, facts)


def _describe_training(corpus: ParallelCorpus, config: Any) -> Section:
    train = len(corpus.splits.get("train", ()))
    lines = [
        ("training pairs", train),
        ("steps of an epoch", -(-train // config.batch_size)),
        ("epochs, at most", config.epochs),
        ("tokens", config.tokenizer),
        ("epoch chosen by", f"{config.monitor} on validation"),
    ]
    facts = {"training_pairs": train}
    return Section("training", "What train would do", [Table(("", ""), lines)], facts)

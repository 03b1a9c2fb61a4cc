"""Inspects texts to learn a language from: characters, words, and lines that come again."""

from collections import Counter
from typing import Any

from apps.inspection.advice import Advice
from apps.inspection.texts.duplicates import describe_copies
from apps.inspection.texts.lengths import count_words, describe_lengths
from apps.inspection.texts.near_duplicates import describe_near_duplicates
from apps.inspection.texts.oddities import describe_oddities
from apps.inspection.texts.rows import Rows
from apps.inspection.texts.vocabulary import count_tokens
from apps.pages.parts import Paragraph, Part, Section, Table
from data.errors import list_values
from data.examples.documents import DocumentCorpus

_SHOWN = 8
# A line of fewer letters may well come again.
_SHORTEST_LINE = 20
_FEW_CHARACTERS = 500_000


def inspect_documents(corpus: DocumentCorpus, config: Any) -> tuple[list[Section], list[Advice]]:
    """Inspects texts to learn a language from.

    Args:
        corpus: the texts.
        config: the options of the training, of which it reads those of a language model.
    """
    labels = None
    if corpus.class_names:
        labels = {
            split: [corpus.class_names[label] for label in part.labels]
            for split, part in corpus.splits.items()
            if part.labels is not None
        }
    rows = Rows({split: part.texts for split, part in corpus.splits.items()}, labels or None)
    sections = [_describe_characters(corpus), _describe_words(corpus, config)]
    if len(rows) > len(rows.texts):
        lengths = {split: [*map(len, texts)] for split, texts in rows.texts.items()}
        sections += [
            describe_lengths(lengths, "characters of a text"),
            describe_copies(rows),
            describe_near_duplicates(rows),
        ]
    sections += [
        _describe_lines(rows),
        describe_oddities(rows),
        _describe_training(corpus, config),
    ]
    characters = sum(map(len, rows.texts.get("train", [])))
    advice = []
    if characters < _FEW_CHARACTERS and config.tokenizer == "words":
        advice.append(
            Advice(
                ("--tokenizer", "subwords"),
                f"{characters:,} characters: most words stand too seldom to be learned as one",
            )
        )
    return sections, advice


def _describe_characters(corpus: DocumentCorpus) -> Section:
    counts = {
        split: Counter(character for text in part.texts for character in text)
        for split, part in corpus.splits.items()
    }
    train = counts.get("train", Counter())
    lines = []
    for split, count in counts.items():
        new = [character for character in count if character not in train]
        size = len(corpus.splits[split])
        lines.append((split, size, count.total(), len(count), len(new), list_values(new, 8)))
    head = ("split", "texts", "characters", "different", "not in train", "such as")
    facts = {
        split: {"texts": len(corpus.splits[split]), "characters": n.total(), "different": len(n)}
        for split, n in counts.items()
    }
    return Section("characters", "Characters", [Table(head, lines)], facts)


def _describe_words(corpus: DocumentCorpus, config: Any) -> Section:
    counts = {split: count_tokens(part.texts) for split, part in corpus.splits.items()}
    train = counts.get("train", Counter())
    known = {word for word, _ in train.most_common(config.vocabulary_size)}
    lines: list[tuple] = [
        ("words between spaces in train", train.total()),
        ("different ones", len(train)),
        ("that stand once", sum(count == 1 for count in train.values())),
    ]
    unknown = {}
    for split, count in counts.items():
        missing = sum(number for word, number in count.items() if word not in known)
        unknown[split] = missing / max(count.total(), 1)
        lines.append((f"unknown in {split} to {config.vocabulary_size:,} words", unknown[split]))
    parts: list[Part] = [
        Table(("", ""), lines),
        Paragraph("Characters, bytes and sub-words leave no word unknown."),
    ]
    facts = {"words": train.total(), "different": len(train), "unknown": unknown}
    return Section("words", "Words", parts, facts)


def _describe_lines(rows: Rows) -> Section:
    """Returns the section on lines that come again: boilerplate, or a text that stands twice."""
    counts = Counter(
        line
        for texts in rows.texts.values()
        for text in texts
        for line in text.splitlines()
        if len(line) >= _SHORTEST_LINE
    )
    again = {line: count for line, count in counts.items() if count > 1}
    spare = sum(again.values()) - len(again)
    share = spare / max(counts.total(), 1)
    parts: list[Part] = [
        Paragraph(
            f"{spare:,} of {counts.total():,} lines of at least {_SHORTEST_LINE} characters "
            f"({share:.1%}) are copies of another line."
        )
    ]
    if again:
        most = sorted(again.items(), key=lambda item: -item[1])[:_SHOWN]
        parts.append(Table(("line", "times"), most))
    return Section("lines", "Repeated lines", parts, {"lines": counts.total(), "copies": spare})


def _describe_training(corpus: DocumentCorpus, config: Any) -> Section:
    train = corpus.splits["train"].texts if "train" in corpus.splits else []
    if config.tokenizer == "characters":
        tokens, about = sum(map(len, train)), ""
    elif config.tokenizer == "bytes":
        tokens, about = sum(len(text.encode("utf-8", "surrogatepass")) for text in train), ""
    else:
        # Sub-words are learned from the texts; words and signs are fewer than they are.
        tokens, about = sum(map(count_words, train)), "at least"
    steps = -(-tokens // (config.batch_size * config.sequence_length))
    lines = [
        (f"tokens ({config.tokenizer}) to train on", f"{about} {tokens:,}".strip()),
        ("steps of an epoch", f"{about} {steps:,}".strip()),
        ("epochs, at most", config.epochs),
    ]
    facts = {"tokens": tokens, "steps": steps, "tokenizer": config.tokenizer}
    return Section("training", "What train would do", [Table(("", ""), lines)], facts)

"""The words of a data set: how many there are, and how many of other splits are unknown."""

from collections import Counter

from apps.inspection.texts.rows import Rows
from apps.pages.parts import Paragraph, Part, Section, Table


def count_tokens(texts: list[str]) -> Counter[str]:
    """Counts the words between spaces, in lower case."""
    return Counter(word for text in texts for word in text.lower().split())


def describe_vocabulary(rows: Rows, min_count: int, most: int) -> Section:
    """Returns the section on words: those of the training split, and those unknown elsewhere.

    Args:
        rows: the texts.
        min_count: below which a word is unknown.
        most: words that a model knows.
    """
    counts = count_tokens(rows.texts.get("train", []))
    known = {word for word, count in counts.most_common(most) if count >= min_count}
    lines: list[tuple[str, float]] = [
        ("words of the training texts", counts.total()),
        ("different ones", len(counts)),
        (f"that stand at least {min_count} time(s)", len(known)),
    ]
    unknown = {}
    for split, texts in rows.texts.items():
        if split == "train":
            continue
        others = count_tokens(texts)
        missing = sum(count for word, count in others.items() if word not in known)
        unknown[split] = missing / max(others.total(), 1)
        lines.append((f"share of the words of {split} that are unknown", unknown[split]))
    parts: list[Part] = [
        Table(("", ""), lines, "words between spaces"),
        Paragraph("A model's own tokens, without punctuation at words, are known more often."),
    ]
    facts = {"words": counts.total(), "different": len(counts), "known": len(known)}
    return Section("vocabulary", "Vocabulary", parts, {**facts, "unknown": unknown})

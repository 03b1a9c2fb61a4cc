"""What a list of the training texts' entities finds: the baseline of taggers."""

from collections import Counter, defaultdict

from data.examples.tags import find_entities


def gazetteer_tags(
    train_tokens: list[list[str]], train_tags: list[list[str]], tokens: list[list[str]]
) -> list[list[str]]:
    """Tags the longest runs of tokens that the training texts know as an entity, from the left.

    What is no entity more often than it is one stays outside, as the baseline of CoNLL-2003 has it
    for ambiguous ones (Tjong Kim Sang & De Meulder 2003).

    Args:
        train_tokens, train_tags: of each training text, tags in BIO.
        tokens: of each text to tag.

    Returns:
        Their BIO tags.
    """
    kinds = _kinds(train_tokens, train_tags)
    longest = max(map(len, kinds), default=0)
    return [_tagged(row, kinds, longest) for row in tokens]


def _kinds(train_tokens, train_tags) -> dict[tuple[str, ...], str]:
    """The type of each entity that is one more often than not."""
    counts = defaultdict(Counter)
    for row, tags in zip(train_tokens, train_tags, strict=True):
        for first, after, kind in find_entities(tags):
            counts[tuple(row[first:after])][kind] += 1
    longest, seen = max(map(len, counts), default=0), Counter()
    for row in train_tokens:
        for first in range(len(row)):
            runs = (tuple(row[first : first + size]) for size in range(1, longest + 1))
            seen.update(run for run in set(runs) if run in counts)
    best = {run: kinds.most_common(1)[0] for run, kinds in counts.items()}
    return {run: kind for run, (kind, count) in best.items() if 2 * count > seen[run]}


def _tagged(row: list[str], kinds: dict, longest: int) -> list[str]:
    tags, at = ["O"] * len(row), 0
    while at < len(row):
        sizes = range(min(longest, len(row) - at), 0, -1)
        size = next((size for size in sizes if tuple(row[at : at + size]) in kinds), 0)
        if size:
            kind = kinds[tuple(row[at : at + size])]
            tags[at : at + size] = [f"B-{kind}"] + [f"I-{kind}"] * (size - 1)
        at += max(size, 1)
    return tags

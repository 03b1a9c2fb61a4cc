"""The baseline of taggers: a list of the training texts' entities."""

from collections import Counter, defaultdict

from data.examples.tags import find_entities


def gazetteer_tags(
    train_tokens: list[list[str]], train_tags: list[list[str]], tokens: list[list[str]]
) -> list[list[str]]:
    """Tags texts with the entities of the training texts, from the left, the longest ones first.

    What is more often no entity than one stays outside, as ambiguous entities do in the baseline of
    CoNLL-2003 (Tjong Kim Sang & De Meulder 2003).

    Args:
        train_tokens, train_tags: tokens and BIO tags of each training text.
        tokens: tokens of each text to tag.

    Returns:
        The BIO tags of `tokens`.
    """
    kinds = _list_entities(train_tokens, train_tags)
    longest = max(map(len, kinds), default=0)
    return [_tag(row, kinds, longest) for row in tokens]


def _list_entities(
    train_tokens: list[list[str]], train_tags: list[list[str]]
) -> dict[tuple[str, ...], str]:
    """Returns the type of each run of tokens that is more often an entity than not."""
    counts: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    for row, tags in zip(train_tokens, train_tags, strict=True):
        for first, after, kind in find_entities(tags):
            counts[tuple(row[first:after])][kind] += 1
    longest = max(map(len, counts), default=0)
    seen: Counter[tuple[str, ...]] = Counter()
    for row in train_tokens:
        for first in range(len(row)):
            runs = (tuple(row[first : first + size]) for size in range(1, longest + 1))
            seen.update(run for run in set(runs) if run in counts)
    best = {run: kinds.most_common(1)[0] for run, kinds in counts.items()}
    return {run: kind for run, (kind, count) in best.items() if 2 * count > seen[run]}


def _tag(row: list[str], kinds: dict[tuple[str, ...], str], longest: int) -> list[str]:
    tags, at = ["O"] * len(row), 0
    while at < len(row):
        sizes = range(min(longest, len(row) - at), 0, -1)
        size = next((size for size in sizes if tuple(row[at : at + size]) in kinds), 0)
        if size:
            kind = kinds[tuple(row[at : at + size])]
            tags[at : at + size] = [f"B-{kind}"] + [f"I-{kind}"] * (size - 1)
        at += max(size, 1)
    return tags

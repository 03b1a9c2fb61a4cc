"""The exact accuracy of captions of scenes: what of a scene they say rightly, and what wrongly."""

import itertools
from collections.abc import Sequence

from data.scenes.attributes import Attributes, Group
from data.scenes.grammar import read_caption

# What a caption says of each group of shapes.
_PARTS = ("colour", "shape", "number", "size")


def scene_accuracy(captions: Sequence[str], scenes: Sequence[Attributes]) -> dict[str, float | int]:
    """Computes the shares of captions that are right, wholly and in each respect.

    A caption may name two groups in either order. Its groups are compared with those of the scene
    that they have most in common with; where their numbers differ, nothing but sentences is right.

    Args:
        captions: one a scene.
        scenes: what they show.

    Returns:
        Shares from 0 to 1: `caption` (wholly right), `sentence` (of the grammar), `colour`,
        `shape`, `number` and `size` (of all groups in the picture) and `relation` (of the scenes
        with two groups; left out if there is none); and `scenes`, their number.
    """
    rights = [
        _compare(read_caption(said), true) for said, true in zip(captions, scenes, strict=True)
    ]
    names = ("caption", "sentence", *_PARTS, "relation")
    shares: dict[str, float | int] = {}
    for name in names:
        values = [right[name] for right in rights if name in right]
        if values:
            shares[name] = sum(values) / len(values)
    return {**shares, "scenes": len(rights)}


def _compare(said: Attributes | None, true: Attributes) -> dict[str, bool]:
    """Returns whether a caption is right, by respect."""
    right = dict.fromkeys(("caption", *_PARTS), False)
    if true.relation:
        right["relation"] = False
    if said is not None and len(said.groups) == len(true.groups):
        # In either order; the one that counts has the most in common.
        orders = list(itertools.permutations(said.groups))
        order = max(orders, key=lambda groups: sum(_agreement(groups, true.groups).values()))
        agreement = _agreement(order, true.groups)
        right |= {part: agreement[part] == len(order) for part in _PARTS}
        if true.relation:
            right["relation"] = order == said.groups and said.relation == true.relation
    return {**right, "caption": said == true, "sentence": said is not None}


def _agreement(groups: Sequence[Group], others: Sequence[Group]) -> dict[str, int]:
    """Returns the number of groups that agree with their partners, by respect."""
    return {
        part: sum(
            getattr(group, part) == getattr(other, part)
            for group, other in zip(groups, others, strict=True)
        )
        for part in _PARTS
    }

"""Metrics of taggers: precision, recall and F1 of entities, as in conlleval and WNUT-17.

They are computed here, since seqeval, whose results are the same, gives neither intervals nor
errors.
"""

from typing import Any

import numpy as np

from data.examples.tags import find_entities
from models.evaluation.entity_errors import NOTHING, Entity, confusion, count_errors, pair_entities

# Resamples and ends of the percentile bootstrap over texts (Efron & Tibshirani 1993).
_RESAMPLES = 1000
_PERCENTILES = (2.5, 97.5)


def entity_metrics(
    tokens: list[list[str]],
    truth: list[list[str]],
    predicted: list[list[str]],
    types: tuple[str, ...],
    seed: int = 0,
) -> dict[str, Any]:
    """Computes all metrics of one split, as plain numbers for JSON.

    An entity is right if its type and both ends are (Tjong Kim Sang & De Meulder 2003, conlleval).

    Args:
        tokens: the tokens of each text.
        truth, predicted: their BIO tags.
        types: of entities.
        seed: of the bootstrap.

    Returns:
        `rows`, `tokens`, `precision`, `recall`, `f1` (over all entities), `macro_f1`,
        `token_accuracy`, `surface` (`precision`, `recall`, `f1` of distinct entities with their
        types, each of which is found if one of its occurrences is, as WNUT-17 counts them),
        `per_class` by type (`precision`, `recall`, `f1`, `support`), `intervals` (95 %, of `f1`),
        `confusion_names` and `confusion_matrix` (rows: true type, columns: predicted; an entity is
        paired with the one that it shares most tokens with), and `errors` by kind (`count`, and the
        most frequent ones as `text`, `true`, `predicted`, `count`).
    """
    wanted, given = _entities(truth), _entities(predicted)
    pairs = pair_entities(wanted, given)
    per_class = {
        kind: {
            **_compare(
                {entity for entity in wanted if entity.kind == kind},
                {entity for entity in given if entity.kind == kind},
            ),
            "support": sum(entity.kind == kind for entity in wanted),
        }
        for kind in types
    }
    hits = sum(
        a == b
        for row, other in zip(truth, predicted, strict=True)
        for a, b in zip(row, other, strict=True)
    )
    size = sum(map(len, truth))
    return {
        "rows": len(tokens),
        "tokens": size,
        **_compare(set(wanted), set(given)),
        "macro_f1": float(np.mean([row["f1"] for row in per_class.values()])),
        "token_accuracy": hits / max(size, 1),
        "surface": _compare_surfaces(set(wanted), set(given), tokens),
        "per_class": per_class,
        "intervals": {"f1": _interval(len(tokens), wanted, given, seed)},
        "confusion_names": [*types, NOTHING],
        "confusion_matrix": confusion(pairs, types).tolist(),
        "errors": count_errors(pairs, tokens),
    }


def main_metrics(report: dict[str, Any]) -> dict[str, float]:
    """Returns the metrics to compare models by, by their titles.

    Args:
        report: from `entity_metrics`, or anything of its structure.
    """
    by_type = {f"F1 {name}": row["f1"] for name, row in report["per_class"].items()}
    return {"F1": report["f1"], "macro F1": report["macro_f1"], **by_type}


def micro_f1(truth: list[list[str]], predicted: list[list[str]]) -> float:
    """Computes F1 over all entities, as in `entity_metrics`."""
    return _compare(set(_entities(truth)), set(_entities(predicted)))["f1"]


def _compare(wanted: set, given: set) -> dict[str, float]:
    """Returns precision, recall and F1 of a set of entities; 0 where there is nothing to count."""
    return _to_metrics(len(wanted & given), len(wanted), len(given))


def _compare_surfaces(wanted: set, given: set, tokens: list[list[str]]) -> dict[str, float]:
    """Returns the metrics of distinct texts of entities.

    A text that is missed in one place and invented in another is no hit.
    """
    hits, true, guessed = (
        len({(entity.text(tokens), entity.kind) for entity in entities})
        for entities in (wanted & given, wanted, given)
    )
    return _to_metrics(hits, true, guessed)


def _to_metrics(hits: int, wanted: int, given: int) -> dict[str, float]:
    return {
        "precision": hits / max(given, 1),
        "recall": hits / max(wanted, 1),
        "f1": 2 * hits / max(wanted + given, 1),
    }


def _entities(sequences: list[list[str]]) -> list[Entity]:
    return [
        Entity(row, first, after - 1, kind)
        for row, tags in enumerate(sequences)
        for first, after, kind in find_entities(tags)
    ]


def _interval(rows: int, wanted: list[Entity], given: list[Entity], seed: int) -> list[float]:
    counts = np.zeros((rows, 3))
    for column, entities in enumerate((set(wanted) & set(given), wanted, given)):
        np.add.at(counts[:, column], [entity.row for entity in entities], 1)
    weights = np.random.default_rng(seed).multinomial(rows, np.full(rows, 1 / rows), _RESAMPLES)
    hits, true, guessed = (weights @ counts).T
    f1 = 2 * hits / np.maximum(true + guessed, 1)
    return [float(end) for end in np.percentile(f1, _PERCENTILES)]


def entity_table(report: dict[str, Any], shown: int = 3) -> str:
    """Formats the metrics of one split for the terminal, with some of the most frequent errors.

    Args:
        report: from `entity_metrics`.
        shown: the most errors of each kind.
    """
    width = max(14, *(len(name) for name in report["per_class"]))
    lines = [f"{'':{width}}  precision  recall      F1  entities"]
    rows = {
        **report["per_class"],
        "all": {**report, "support": sum(r["support"] for r in report["per_class"].values())},
        "different ones": {**report["surface"], "support": ""},
    }
    for name, row in rows.items():
        lines.append(
            f"{name:{width}}  {row['precision']:9.3f}  {row['recall']:6.3f}  {row['f1']:6.3f}  "
            f"{row['support']:>8}"
        )
    low, high = report["intervals"]["f1"]
    lines.append(
        f"F1 {report['f1']:.3f} (95 % interval {low:.3f} - {high:.3f}), macro F1 "
        f"{report['macro_f1']:.3f}, accuracy of {report['tokens']:,} tokens "
        f"{report['token_accuracy']:.3f}"
    )
    if cut := report.get("cut_words"):
        lines.append(
            f"{cut['count']} words such as {cut['first']!r} have the beginning or end of an entity "
            "inside: all entities count, but answers are of whole words"
        )
    for kind, wrong in report["errors"].items():
        examples = [_describe(error) for error in wrong["most_frequent"][:shown]]
        lines.append(f"{kind}: {wrong['count']}" + "".join(f"\n    {e}" for e in examples))
    return "\n".join(lines)


def _describe(error: dict[str, Any]) -> str:
    true, guess = error["true"] or NOTHING, error["predicted"] or NOTHING
    return (
        f"{error['text']}: {true if true == guess else f'{true}, said {guess}'} ({error['count']})"
    )

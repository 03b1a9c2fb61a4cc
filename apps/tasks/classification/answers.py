"""The answers of a classifier: from tensors of the serving model to columns and lines."""

import itertools

import numpy as np

MULTI_LABEL_SEPARATOR = "|"


def output_rows(answer: dict, class_names: tuple[str, ...]) -> list[dict]:
    """Returns the output columns of each text of a batch.

    Args:
        answer: of `models.serving.classifier.ServingClassifier`.
        class_names: the order of the columns `score_<class>`.
    """
    classes = [[name.decode() for name in row] for row in answer["classes"].numpy()]
    rows = zip(classes, answer["scores"].numpy(), answer["predicted"].numpy(), strict=True)
    return [_row(*row, class_names) for row in rows]


def _row(names: list[str], scores: np.ndarray, predicted: np.ndarray, class_names: tuple) -> dict:
    # Nine digits are all that a float32 holds; more would be noise in the file.
    values = {name: float(f"{score:.9g}") for name, score in zip(names, scores, strict=True)}
    label = MULTI_LABEL_SEPARATOR.join(itertools.compress(names, predicted))
    by_class = {f"score_{name}": values[name] for name in class_names}
    return {"predicted_label": label, "predicted_score": values[names[0]], **by_class}


def empty_row(class_names: tuple[str, ...]) -> dict:
    """Returns the output columns of a row that could not be answered."""
    names = ["predicted_label", "predicted_score", *(f"score_{name}" for name in class_names)]
    return dict.fromkeys(names)


def describe_row(row: dict, class_names: tuple[str, ...]) -> str:
    """Formats an answer: the classes that the text gets, then the others, each by falling score."""
    scores = {name: row[f"score_{name}"] for name in class_names}
    given = row["predicted_label"].split(MULTI_LABEL_SEPARATOR)
    ranked = sorted(scores, key=lambda name: (name not in given, -scores[name]))
    return "   ".join(f"{name} {100 * scores[name]:.1f} %" for name in ranked)

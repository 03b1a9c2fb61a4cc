"""The model card of a run, `README.md`: what the model is, how good, and what it is not for.

Its layout is that of the Hugging Face Hub: a header of YAML (JSON is YAML, too), then Markdown.
"""

import json
import re
import shlex
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from apps.reports.metrics import Metric, list_metrics
from apps.reports.sources import SOURCES
from apps.runs.contents import CARD, CARD_MARK, METRICS, is_card
from apps.runs.description import RunDescription
from apps.runs.folder import RunFolder, read_object
from data.errors import UserError, list_values
from data.files.writing import whole_file
from data.messages import printable

# By the kind of a run: the Hub's name of the task, what the model does, and what it is not for.
_KINDS = {
    "classifier": (
        "text-classification",
        "gives texts a class, or any number of them",
        "A text of another kind than the training data gets an answer, too, with a score that "
        "need not be low. What it says of a text is no reason to act against a person who wrote "
        "it without somebody having read it.",
    ),
    "tagger": (
        "token-classification",
        "finds entities in texts",
        "It knows the types above and no others, and misses more names in texts of another kind "
        "than the training data.",
    ),
    "language model": (
        "text-generation",
        "continues texts",
        "It writes what looks like its training data. None of it need be true, and parts may stand "
        "in the training data word for word.",
    ),
    "translator": (
        "translation",
        "translates texts",
        "Words that the training data lack are copied or made up, and long sentences lose parts. "
        "Nobody should rely on a translation that nobody has checked.",
    ),
    "summarizer": (
        "summarization",
        "writes a line about a text",
        "It may name what the text does not say, and of a long text it reads the beginning. Nobody "
        "should act on a line without having read the text.",
    ),
    "chatbot": (
        "text-generation",
        "answers in a dialogue",
        "It knows nothing but how people answer in its training data: none of what it says need be "
        "true, and it takes either side. Nobody should ask it for advice, and nobody should take "
        "it for a person.",
    ),
    "captioner": (
        "image-to-text",
        "describes a picture in a sentence",
        "It says of any picture what the captions of its training pictures might say, and names "
        "what is not there. Nobody should rely on a caption without seeing the picture, nor let it "
        "say who or what a person is.",
    ),
}
# Fewer rows of a class give a wide interval.
_FEW = 50
_SHOWN = 12


def write_model_card(run: Path, name: str | None = None) -> Path | None:
    """Writes the model card of a run, unless a user has written a `README.md` of his own there.

    Args:
        run: the folder, with `config.json` and, if anything was measured, `metrics.json`.
        name: of the run, where the folder has another one yet.

    Returns:
        The path, or None if the file is the user's.

    Raises:
        UserError: the run cannot be read, or the card not written.
    """
    path = run / CARD
    if path.exists() and not is_card(path):
        return None
    folder = RunFolder(run)
    metrics: dict[str, Any] = {}
    with suppress(UserError):
        metrics = read_object(run / METRICS)
    text = format_card(folder.describe(), metrics, name or folder.path.name)
    with whole_file(path) as partial:
        partial.write_bytes(text.encode("utf-8", "replace"))
    return path


def format_card(description: RunDescription, metrics: dict[str, Any], name: str) -> str:
    """Formats a model card.

    Args:
        description: of the run.
        metrics: the object of `metrics.json`, by split.
        name: of the run.
    """
    kind = description.kind or _guess_kind(description)
    task, does, limits = _KINDS.get(kind, ("other", "answers texts", ""))
    splits = {split: each for split, each in metrics.items() if isinstance(each, dict)}
    measured = {split: found for split, each in splits.items() if (found := list_metrics(each))}
    config = description.config
    cell = config.get("cell")
    parts = [
        _header(description, task, measured, splits, name),
        CARD_MARK,
        f"# {_plain(name)}",
        f"A {kind} that {does}: {f'recurrent ({cell}), ' if cell else ''}trained on "
        f"{_plain(description.provenance.dataset or 'data that were not noted')} with "
        "recurrent-text-suite, on Keras.",
        "## Data",
        *_describe_data(description),
        "## Metrics",
        *(_describe_split(split, found, splits[split]) for split, found in measured.items()),
        *([] if measured else ["Nothing was measured."]),
        "## Limits",
        *filter(None, [limits, *_describe_weak_spots(splits)]),
        "## Bias",
        *_describe_bias(splits),
        "## Use",
        *_describe_use(description, name),
        "## Training",
        _fence(description.provenance.command or ""),
        *_describe_training(description),
    ]
    return "\n\n".join(parts) + "\n"


def _guess_kind(description: RunDescription) -> str:
    """Returns the kind of a run that was written before runs named it."""
    config = description.config
    if "decision" in description.details:
        return "classifier"
    if "sequence_length" in config:
        return "language model"
    return "translator" if "source" in config else "tagger"


def _header(
    description: RunDescription,
    task: str,
    measured: dict[str, list[Metric]],
    splits: dict[str, dict],
    name: str,
) -> str:
    """Returns the header, a line a key."""
    dataset = description.provenance.dataset
    source = SOURCES.get(dataset or "")
    config = description.config
    sides = ("source", "target") if task == "translation" else ()
    languages = [config[side] for side in sides if side in config]
    results = [
        {
            "task": {"type": task},
            "dataset": {
                "name": str(splits[split].get("dataset", dataset)),
                "type": str(splits[split].get("dataset", dataset)),
                "split": split,
            },
            "metrics": [
                {"type": each.name, "name": each.title, "value": round(each.value, 6)}
                for each in found
            ],
        }
        for split, found in measured.items()
    ]
    values = {
        "library_name": "keras",
        "pipeline_tag": task,
        "tags": ["recurrent-text-suite", "tensorflow", *filter(None, [config.get("cell")])],
        "language": languages,
        "datasets": [dataset] if source else [],
        "model-index": [{"name": name, "results": results}] if results else [],
    }
    lines = [f"{key}: {json.dumps(value)}" for key, value in values.items() if value]
    return "\n".join(["---", *lines, "---"])


def _describe_data(description: RunDescription) -> Iterator[str]:
    provenance = description.provenance
    dataset = provenance.dataset or ""
    if source := SOURCES.get(dataset):
        licence = f"licence: {source.licence}" if source.licence else "the source states no licence"
        yield f"`{dataset}`: {source.title}, {source.home}; {licence}."
    elif dataset:
        yield (
            f"`{_code(dataset)}`, a file whose licence the suite does not know. State it here "
            "before you hand the model on; without the comment at the top the suite leaves this "
            "text."
        )
    if provenance.checksum:
        yield f"SHA-256: `{_code(provenance.checksum)}`."
    if names := description.class_names:
        yield f"Classes, types or languages: {_plain(list_values(names, _SHOWN))}."


def _describe_split(split: str, found: list[Metric], metrics: dict[str, Any]) -> str:
    lines = [f"### {_plain(split)}", "", "| metric | value | 95 % interval |", "|---|---|---|"]
    for each in found:
        ends = "" if each.interval is None else "{:.3f} - {:.3f}".format(*each.interval)
        lines.append(f"| {_plain(each.title)} | {each.value:.4g} | {ends} |")
    if isinstance(command := metrics.get("command"), str):
        lines += ["", f"Measured by `{_code(command)}`."]
    return "\n".join(lines)


def _describe_weak_spots(splits: dict[str, dict]) -> Iterator[str]:
    for split, metrics in splits.items():
        per_class = metrics.get("per_class")
        if not isinstance(per_class, dict):
            continue
        supports = {
            name: row["support"]
            for name, row in per_class.items()
            if isinstance(row, dict) and isinstance(row.get("support"), int)
        }
        few = [f"{name} ({count})" for name, count in supports.items() if count < _FEW]
        if few:
            yield (
                f"On {_plain(split)} these have fewer than {_FEW} examples, and their metrics wide "
                f"intervals: {_plain(list_values(few, _SHOWN))}."
            )


def _describe_bias(splits: dict[str, dict]) -> Iterator[str]:
    found = {
        split: each["bias"] for split, each in splits.items() if isinstance(each.get("bias"), dict)
    }
    if not found:
        yield "Not measured. Classifiers are measured by `evaluate --bias`."
    for split, report in found.items():
        groups = report.get("groups")
        if not isinstance(groups, dict):
            continue
        lines = [
            f"### {_plain(split)}, score of {_plain(str(report.get('class', '')))}",
            "",
            "| group | texts | AUC of its texts | answers that change with a swapped term |",
            "|---|---|---|---|",
        ]
        for group, row in groups.items():
            cells = [row.get("texts"), row.get("subgroup_auc"), row.get("flip_rate")]
            shown = [f"{v:.3f}" if isinstance(v, float) else _plain(str(v or "-")) for v in cells]
            lines.append(f"| {_plain(group)} | {' | '.join(shown)} |")
        yield "\n".join(lines)


def _describe_use(description: RunDescription, name: str) -> Iterator[str]:
    # A name with a folder says where the run lies.
    place = name if "/" in name else f"runs/{name}"
    run = shlex.quote(place)
    yield _fence(f'recurrent-text {description.application} predict --run {run} "a text"')
    yield (
        "```python\nimport apps\n\n"
        f'model = apps.load({json.dumps(place)})\nprint(model.predict("a text"))\n```'
    )


def _describe_training(description: RunDescription) -> Iterator[str]:
    lines = ["| option | value |", "|---|---|"]
    for name, value in description.config.items():
        shown = " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
        lines.append(f"| `--{name.replace('_', '-')}` | {_plain(shown)} |")
    yield "\n".join(lines)
    facts = []
    if description.training_seconds is not None:
        facts.append(f"{description.training_seconds:.0f} s")
    facts += [f"{name} {each}" for name, each in (description.provenance.versions or {}).items()]
    if facts:
        yield f"{_plain(', '.join(facts))}."


def _plain(text: str) -> str:
    """Returns a text in one line in which Markdown finds neither markup nor HTML."""
    line = " ".join(printable(text).split())
    return re.sub(r"([\\`*_\[\]<>|#&])", r"\\\1", line)


def _fence(text: str) -> str:
    """Returns a line of code as a block of its own."""
    return f"```\n{_code(text)}\n```"


def _code(text: str) -> str:
    """Returns a text in one line that can stand between backticks."""
    return " ".join(printable(text).split()).replace("`", "'")

"""`report.html` of a run: how good the model is on a split, and what it gets wrong."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from apps.pages.page import Page
from apps.pages.parts import Code, Paragraph, Part, Picture, Section, Table
from apps.reports.metrics import list_metrics
from apps.runs.contents import REPORT
from apps.runs.description import RunDescription

# Names of pictures and what they show; `{split}` is the name of what was measured.
_PICTURES = {
    "confusion_{split}.png": "true and predicted classes",
    "reliability_{split}.png": "calibration: how often answers of a score are right",
    "bleu_by_length_{split}.png": "BLEU by the length of the source",
    "bias_{split}.png": "bias: metrics and changed answers by group",
    "training_curves.png": "losses and metrics by epoch",
    "gradient_norms.png": "norms of the gradients",
}
# A larger picture is that of very many classes, and stays a file of its own.
_LARGEST_PICTURE = 4 * 2**20


def write_run_page(
    folder: Path,
    name: str,
    description: RunDescription,
    metrics: dict[str, Any],
    tables: dict[str, str],
    further: Sequence[Section] = (),
) -> Path:
    """Writes `report.html` into a run, in place of the one that is there.

    Args:
        folder: of the run, with the pictures that were drawn.
        name: of the split, as `metrics.json` has it.
        description: of the run.
        metrics: of the split.
        tables: tables of the terminal by title, those of baselines among them.
        further: what else the page shows, such as the worst mistakes.

    Returns:
        The path of the page.

    Raises:
        UserError: it cannot be written.
    """
    rows = [
        (each.title, each.value, "" if each.interval is None else _format_ends(each.interval))
        for each in list_metrics(metrics)
    ]
    shown: list[Part] = [Table(("metric", "value", "95 % interval"), rows)]
    shown += [part for title, table in tables.items() for part in _titled(title, table)]
    sections = [Section("metrics", "Metrics", shown)]
    if pictures := _find_pictures(folder, name):
        sections.append(Section("pictures", "Pictures", pictures))
    sections += [*further, _describe_origin(description, metrics)]
    data = metrics.get("dataset", "")
    page = Page(
        f"{description.application}: {folder.name}",
        f"Measured on {name if data in name else f'{data}, {name}'}.",
        sections,
    )
    path = folder / REPORT
    page.write(path)
    return path


def _titled(title: str, table: str) -> list[Part]:
    return [Paragraph(title), Code(table)] if title else [Code(table)]


def _format_ends(interval: tuple[float, float]) -> str:
    return f"{interval[0]:.3f} - {interval[1]:.3f}"


def _find_pictures(folder: Path, name: str) -> list[Part]:
    split = re.sub(" ", "_", name)
    found: list[Part] = []
    for pattern, title in _PICTURES.items():
        path = folder / pattern.format(split=split)
        if not path.is_file():
            continue
        if path.stat().st_size > _LARGEST_PICTURE:
            found.append(Paragraph(f"{title}: {path.name}, a large picture beside this page."))
        else:
            found.append(Picture(path.read_bytes(), title))
    return found


def _describe_origin(description: RunDescription, metrics: dict[str, Any]) -> Section:
    """Returns the section on what the model and the metrics were computed from."""
    provenance = description.provenance
    lines = [
        ("trained by", provenance.command or "-"),
        ("data of the training", provenance.dataset or "-"),
        ("their checksum", provenance.checksum or "-"),
        ("measured by", str(metrics.get("command", "-"))),
        ("seconds of the training", description.training_seconds),
        ("fingerprint of the run", description.fingerprint or "-"),
    ]
    options = [
        (f"--{name.replace('_', '-')}", _show(value)) for name, value in description.config.items()
    ]
    versions = ", ".join(f"{name} {each}" for name, each in (provenance.versions or {}).items())
    parts: list[Part] = [
        Table(("", ""), lines),
        Paragraph(versions),
        Table(("option", "value"), options),
    ]
    return Section("origin", "Where it comes from", parts)


def _show(value: object) -> str:
    if isinstance(value, list | tuple):
        return " ".join(map(str, value))
    return "-" if value is None else str(value)

"""Packs trained runs as the models that ship, and says what half precision costs.

    python benchmarks/pretrained.py --runs runs/pretrained --data-dir corpora

reads runs/pretrained/<application> and writes apps/pretrained/<application>: weights of 16 bits,
vocabularies, `config.json`, the metrics of the packed model, measured on the test split or, where
the corpus has none, on validation, and its model card. Prints the main metrics of the run and of
the packed model.
"""

import argparse
import dataclasses
import os
import shutil
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# What the card says after all that every card says.
STORAGE = """
## Storage

The weights are stored as 16-bit numbers and computed with as 32-bit ones. On {split}, {costs}.
`benchmarks/pretrained.py` has packed the run that the command above trains.
"""


def pack(application, source, folder: Path) -> None:
    """Writes the files that the answers of a run depend on into a folder, its weights in half."""
    from apps.runs.contents import MODEL
    from apps.runs.folder import RunFolder
    from models.half_precision import write_in_half

    with source.copied() as copy:
        for path in copy.iterdir():
            if path.name != MODEL:
                shutil.copy(path, folder)
        write_in_half(copy / MODEL, folder / MODEL)
    RunFolder(folder).write_description(source.description)


def measured(application, files, options: argparse.Namespace):
    """Returns what `evaluate` measures of a run, with the bias report of a classifier."""
    from apps.commands.evaluate import measure

    classifier = "decision" in files.description.details
    command = f"python -m apps.{application.name} evaluate --run pretrained"
    if files.description.config["dataset"] != "sample":
        command += " --data-dir corpora"
    given = {"command": command + (" --bias" if classifier else ""), "bias": classifier}
    if files.description.config["dataset"] != "sample":
        given["data_dir"] = options.data_dir
    return measure(application, files, given)


def ship(name: str, options: argparse.Namespace) -> None:
    """Packs and measures the run of one application."""
    from apps.catalog import find_application
    from apps.pretrained.names import FOLDER
    from apps.reports.model_card import format_card
    from apps.runs.contents import CARD, METRICS
    from apps.runs.files import read_run
    from apps.runs.folder import RunFolder, read_object

    application = find_application(name)
    source = application.read_run(options.runs / name)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / name
        folder.mkdir()
        pack(application, source, folder)
        half = measured(application, read_run(RunFolder(folder)), options)
        metrics = read_object(options.runs / name / METRICS)
        # The training has measured validation, and nothing has changed since.
        before = metrics.get(half.name) or measured(application, source, options).metrics
        before = dataclasses.replace(half.report, metrics=before).main_metrics()
        costs = [
            f"{title} is {value:.4f}, and {before[title]:.4f} with weights of 32 bits"
            for title, value in half.report.main_metrics().items()
        ]
        metrics = {"validation": metrics["validation"], half.name: half.to_json()}
        RunFolder(folder).write_json(METRICS, metrics)
        card = format_card(source.description, metrics, f"pretrained/{name}")
        card += STORAGE.format(split=half.split, costs="; ".join(costs))
        (folder / CARD).write_text(card, encoding="utf-8")
        shutil.rmtree(FOLDER / name, ignore_errors=True)
        shutil.copytree(folder, FOLDER / name)
    size = sum(path.stat().st_size for path in (FOLDER / name).iterdir())
    print(f"{name}: {size / 1e6:.2f} MB; {half.split}: {'; '.join(costs)}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=Path, required=True, help="folder with a run of each name")
    parser.add_argument("--data-dir", help="folder with the original files of the corpora")
    parser.add_argument("--only", nargs="+", help="applications (default: all that have a run)")
    options = parser.parse_args()
    names = options.only or sorted(path.name for path in options.runs.iterdir() if path.is_dir())
    for name in names:
        if not name.startswith("."):
            ship(name, options)


if __name__ == "__main__":
    main()

"""Which beam, length penalty and coverage penalty answer a validation split best.

    python benchmarks/search_options.py --run runs/multi30k --data-dir corpora

Prints the metrics of a translator or summarizer for greedy decoding and for each combination of
`--beam-width`, `--length-penalty` and `--coverage-penalty`, the best one by the metric that chose
the epoch first, and writes `search_options.json`. The test split is never read.
"""

import argparse
import dataclasses
import itertools
import json
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


_SHOWN = ("rouge_1", "rouge_2", "rouge_l", "bleu", "chrf", "length_ratio")


def combinations(options: argparse.Namespace) -> list[dict]:
    """Returns those to be tried, as options of `predict`; greedy decoding has no penalties."""
    names = ("beam_width", "length_penalty", "coverage_penalty")
    tried = [
        dict(zip(names, values, strict=True))
        for values in itertools.product(*(getattr(options, name) for name in names))
    ]
    return [dict(zip(names, (1, 0.0, 0.0), strict=True)), *tried]


def figures(options: argparse.Namespace) -> list[dict]:
    """Returns a row for each combination, the best one by the metric that chose the epoch first."""
    from apps.catalog import find_application
    from apps.runs.folder import RunFolder

    application = find_application(RunFolder(Path(options.run)).describe().application)
    task = application.trained(options.run)
    config = task.config
    if options.data_dir:
        config = dataclasses.replace(config, data_dir=options.data_dir)
    validation = application.read_data(config).split("validation")
    if options.rows:
        validation = validation.take(range(min(options.rows, len(validation))))
    shown = [*dict.fromkeys([config.monitor, *_SHOWN])]
    rows = []
    for combination in combinations(options):
        task.set_options(application.options["predict"](**combination))
        metrics = task.evaluate(validation).metrics
        rows.append({**combination, **{name: metrics[name] for name in shown if name in metrics}})
        print(line(rows[-1].values()), flush=True)
    return sorted(rows, key=lambda row: -row[config.monitor])


def line(cells) -> str:
    shown = (f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in cells)
    return "  ".join(f"{cell:>16}" for cell in shown)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", required=True, help="the run folder of a translator or summarizer")
    parser.add_argument("--data-dir", help="folder with the original files")
    parser.add_argument("--beam-width", type=int, nargs="+", default=[5])
    parser.add_argument("--length-penalty", type=float, nargs="+", default=[0.6, 0.8, 1.0, 1.2])
    parser.add_argument("--coverage-penalty", type=float, nargs="+", default=[0.0, 0.1, 0.2])
    parser.add_argument("--rows", type=int, default=0, help="first rows to answer; 0: all")
    parser.add_argument("--json", default="search_options.json", help="where the figures go")
    options = parser.parse_args()
    rows = figures(options)
    Path(options.json).write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    print()
    for row in [list(rows[0]), *(row.values() for row in rows)]:
        print(line(row))


if __name__ == "__main__":
    main()

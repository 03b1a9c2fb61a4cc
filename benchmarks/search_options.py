"""Which beam, length penalty and coverage penalty translate a validation split best.

    python benchmarks/search_options.py --run runs/multi30k --data-dir corpora

Prints BLEU, chrF and the ratio of the lengths for greedy decoding and for each combination of
`--beam-width`, `--length-penalty` and `--coverage-penalty`, the best BLEU first, and writes
`search_options.json`. The test split is never read.
"""

import argparse
import dataclasses
import itertools
import json
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def combinations(options: argparse.Namespace) -> list[dict]:
    """Returns those to be tried, as options of `predict`; greedy decoding has no penalties."""
    names = ("beam_width", "length_penalty", "coverage_penalty")
    tried = [
        dict(zip(names, values, strict=True))
        for values in itertools.product(*(getattr(options, name) for name in names))
    ]
    return [dict(zip(names, (1, 0.0, 0.0), strict=True)), *tried]


def figures(options: argparse.Namespace) -> list[dict]:
    """Returns a row for each combination."""
    from apps.tasks.seq2seq.config import TranslationPredictOptions
    from apps.translation import APPLICATION

    task = APPLICATION.trained(options.run)
    config = task.config
    if options.data_dir:
        config = dataclasses.replace(config, data_dir=options.data_dir)
    validation = APPLICATION.read_data(config).split("validation")
    rows = []
    for combination in combinations(options):
        task.set_options(TranslationPredictOptions(**combination))
        metrics = task.evaluate(validation).metrics
        shown = ("bleu", "chrf", "length_ratio")
        rows.append({**combination, **{name: metrics[name] for name in shown}})
        print(line(rows[-1].values()), flush=True)
    return rows


def line(cells) -> str:
    shown = (f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in cells)
    return "  ".join(f"{cell:>16}" for cell in shown)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", required=True, help="the run folder of a trained translator")
    parser.add_argument("--data-dir", help="folder with the original files")
    parser.add_argument("--beam-width", type=int, nargs="+", default=[5])
    parser.add_argument("--length-penalty", type=float, nargs="+", default=[0.6, 0.8, 1.0, 1.2])
    parser.add_argument("--coverage-penalty", type=float, nargs="+", default=[0.0, 0.1, 0.2])
    parser.add_argument("--json", default="search_options.json", help="where the figures go")
    options = parser.parse_args()
    rows = sorted(figures(options), key=lambda row: -row["bleu"])
    Path(options.json).write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    print()
    for row in [list(rows[0]), *(row.values() for row in rows)]:
        print(line(row))


if __name__ == "__main__":
    main()

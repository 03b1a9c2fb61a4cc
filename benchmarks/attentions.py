"""What each attention is worth at one equal budget: a translator trained with each.

    python benchmarks/attentions.py --data-dir corpora --epochs 10

Trains and evaluates one run for each row of `VARIANTS` (interrupted, the same command goes on; runs
that are whole are kept), prints a table of BLEU and chrF on the split, and draws BLEU by the length
of the source for all of them into `attentions.png`: without attention, it falls as sources grow.
What follows `--` goes to every training.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

# The options of each; `self` is general attention over a source that looked at itself first.
VARIANTS = {
    "none": ["--attention", "none"],
    "additive": ["--attention", "additive"],
    "dot": ["--attention", "dot"],
    "general": ["--attention", "general"],
    "concat": ["--attention", "concat"],
    "local-m": ["--attention", "local-m"],
    "local-p": ["--attention", "local-p"],
    "self": ["--attention", "general", "--encoder-self-attention"],
}


def command(verb: str, run: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "apps.translation", verb, "--run", str(run), *options]


def figures_of(run: Path, split: str, training: list[str]) -> dict:
    """Returns the figures of a run, which is trained and evaluated if it is not yet."""
    if not (run / "model.keras").is_file():
        unfinished = (run.parent / f".{run.name}.training").exists()
        way = ["--resume"] if unfinished else training
        subprocess.run(command("train", run, *way), check=True)
    metrics = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    if split not in metrics:
        subprocess.run(command("evaluate", run, "--split", split), check=True)
        metrics = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    description = json.loads((run / "config.json").read_text(encoding="utf-8"))
    return {**metrics[split], "training_seconds": description["training_seconds"]}


def markdown(figures: dict[str, dict]) -> str:
    """Returns the table of docs/results/translation.md."""
    lines = ["| attention | BLEU | chrF | training, s |", "|---|---|---|---|"]
    for name, report in figures.items():
        seconds = f"{report['training_seconds']:,.0f}"
        lines.append(f"| {name} | {report['bleu']:.1f} | {report['chrf']:.1f} | {seconds} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", help="folder with the original files")
    parser.add_argument("--dataset", default="multi30k")
    parser.add_argument("--epochs", type=int, default=10, help="the budget of each")
    parser.add_argument("--split", default="validation", choices=("validation", "test"))
    parser.add_argument("--runs", default="runs/attentions", help="the folder of the runs")
    parser.add_argument("--only", nargs="+", choices=VARIANTS, default=[*VARIANTS])
    parser.add_argument("--json", default="attentions.json", help="where the figures go")
    parser.add_argument("options", nargs="*", help="after --: of every training")
    options = parser.parse_args()
    shared = ["--dataset", options.dataset, "--epochs", str(options.epochs), *options.options]
    shared += ["--data-dir", options.data_dir] if options.data_dir else []
    figures = {
        name: figures_of(Path(options.runs) / name, options.split, [*shared, *VARIANTS[name]])
        for name in options.only
    }
    Path(options.json).write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    from apps.plots.translation import bleu_by_length

    curves = {name: report["by_length"] for name, report in figures.items()}
    bleu_by_length(curves, Path(options.json).with_suffix(".png"))
    print(markdown(figures))


if __name__ == "__main__":
    main()

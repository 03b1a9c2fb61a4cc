"""What a chatbot is worth on DailyDialog's validation split, and on the clean part of it.

    python benchmarks/chat.py --run runs/chat --data-dir corpora
    python benchmarks/chat.py --run runs/chat --reversed-run runs/reversed --data-dir corpora
    python benchmarks/chat.py --run runs/chat --data-dir corpora --half second

Prints perplexities, and BLEU and distinct-n of several ways to answer, beside the answer to the
most similar training turns, a random one and the same one for all; then the first answers of the
run. Writes `chat.json`.

Each split, the whole one and the clean one, is measured in halves of its own: all ways to answer on
the first half, and on the second half the one that did best there, beside what the run does by
itself. The best has the highest BLEU-2 of those with a distinct-2 above 0.30 (of 1,000 answers) and
no answer to more than 2 % of the turns. No dialogue but the one in the middle is in both halves.
`--half` measures all ways on one half, or on all.
"""

import argparse
import json
import os
from collections import Counter
from pathlib import Path

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# Answers that are printed.
SHOWN = 20
# What a way to answer must keep to be chosen.
DISTINCT, MOST_FREQUENT = 0.30, 0.02
_ALONE = {"information": 0.0, "agreement": 0.0}
_SIXTEEN = {**_ALONE, "candidates": 16}
# Ways to answer by their names: options that differ from those of the run.
WAYS: dict[str, dict] = {
    "as trained": {},
    "one drawn answer": {**_ALONE, "candidates": 1},
    "greedy": {**_ALONE, "temperature": 0.0, "beam_width": 1},
    "beam of 5": {**_ALONE, "temperature": 0.0, "beam_width": 5},
    "likeliest of 16": _SIXTEEN,
    "best of 16, mutual information": {**_SIXTEEN, "information": 0.5},
    "best of 16, minimum Bayes risk": {**_SIXTEEN, "agreement": 100.0},
}
# The same that take a reversed model.
REVERSED_WAYS: dict[str, dict] = {
    f"best of 16, reversed model {weight:g}": {**_SIXTEEN, "reversed_weight": weight}
    for weight in (0.5, 1.0, 2.0)
}
# The same that take a memory.
_TWELVE = {**_SIXTEEN, "agreement": 100.0, "min_length": 12}
MEMORY_WAYS: dict[str, dict] = {
    "no memory": {"memory": 0.0},
    **{f"memory from {alike:g}": {"memory": alike} for alike in (0.2, 0.25, 0.3, 0.4, 0.5)},
    **{
        f"memory from {alike:g}, else minimum Bayes risk": {**_TWELVE, "memory": alike}
        for alike in (0.2, 0.25, 0.3, 0.4)
    },
}


def figures(options: argparse.Namespace) -> list[dict]:
    """Returns a row for each way to answer on each split and half."""
    from apps.chat import APPLICATION
    from data.datasets import read_dialogues

    task = APPLICATION.trained(options.run)
    config = task.config
    ways = {name: way for name, way in WAYS.items() if name in options.ways}
    if options.reversed_run:
        ways |= {
            name: {**way, "reversed_run": options.reversed_run}
            for name, way in REVERSED_WAYS.items()
        }
    if task.memory is not None:
        ways |= MEMORY_WAYS
    found = []
    for dataset in options.datasets:
        corpus = read_dialogues(
            dataset, APPLICATION.sample, options.data_dir, ("turns", "answer"), config.turns
        )
        train, split = corpus.split("train"), corpus.split("validation")

        def measure(half: str, ways: dict, dataset=dataset, train=train, split=split) -> list[dict]:
            part = split.take(half_of(len(split), half))
            rows = measure_ways(task, train, part, ways, options.rows)
            rows = [{"dataset": dataset, "half": half, **row} for row in rows]
            print(*map(line, rows), sep="\n", flush=True)
            return rows

        if options.half != "choose":
            found += measure(options.half, ways)
            continue
        rows = measure("first", ways)
        best = choose(rows, ways)
        print(f"{dataset}: chosen on the first half: {best or 'none keeps the bounds'}")
        kept = {name: way for name, way in ways.items() if name in ("as trained", best)}
        found += [*rows, *measure("second", kept)]
    first = split.take(range(SHOWN))
    for pair, answer in zip(first, reply(task, first.texts, {}), strict=True):
        print(" | ".join((*pair.source.split("\n"), pair.target, f"-> {answer}")))
    return found


def choose(rows: list[dict], ways: dict) -> str | None:
    """Returns the name of the best way, see above; None where none keeps the bounds."""
    kept = [
        row
        for row in rows
        if row["system"] in ways
        and row["distinct_2"] > DISTINCT
        and row["most_frequent"] <= MOST_FREQUENT
    ]
    return max(kept, key=lambda row: row["bleu_2"])["system"] if kept else None


def reply(task, texts: list[str], way: dict) -> list[str]:
    """Returns the answers of a chatbot with options that differ from its own."""
    from apps.tasks.chat.config import ChatPredictOptions

    config = task.config
    task.set_options(ChatPredictOptions(**way))
    written = task.reply(texts)
    task.config = config
    return written


def measure_ways(task, train, split, ways: dict, rows: int) -> list[dict]:
    """Returns a row for each way to answer, and for each that needs no model."""
    from models.evaluation.dialogue import dialogue_scores, evenly
    from models.evaluation.translation_memory import memory_translations

    perplexities = task.perplexities(split)
    if rows:
        split = split.take(evenly(len(split), rows))
    systems = {name: reply(task, split.texts, way) for name, way in ways.items()}
    known = train.translations
    systems["answer to the most similar training turns"] = memory_translations(train, split.texts)
    chosen = np.random.default_rng(0).integers(len(known), size=len(split))
    systems["a random training answer"] = [known[row] for row in chosen]
    [(same, _)] = Counter(known).most_common(1)
    systems[f"always {same!r}"] = [same] * len(split)
    return [
        {
            "system": name,
            "answers": len(split),
            **dialogue_scores(written, split.translations),
            **(perplexities if name in ways else {}),
        }
        for name, written in systems.items()
    ]


def half_of(rows: int, half: str) -> range:
    """Returns the rows of a half of a split, whose dialogues stand one after the other."""
    middle = rows // 2
    return {"both": range(rows), "first": range(middle), "second": range(middle, rows)}[half]


def line(row: dict) -> str:
    return (
        f"{row['dataset']:18} {row['half']:6} {row['answers']:6,}  {row['system']:42} "
        f"BLEU-2 {row['bleu_2']:5.2f}  "
        f"BLEU-4 {row['bleu_4']:5.2f}  distinct {row['distinct_1']:.3f} {row['distinct_2']:.3f}  "
        f"words {row['words']:4.1f}  most frequent {row['most_frequent']:5.1%}"
        + (f"  perplexity {row['perplexity_word']:.2f}" if "perplexity_word" in row else "")
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", required=True, help="the run folder of a trained chatbot")
    parser.add_argument("--reversed-run", help="that of a model of train --reversed, to choose by")
    parser.add_argument("--data-dir", help="folder with the original files")
    parser.add_argument("--datasets", nargs="+", default=["dailydialog", "dailydialog_clean"])
    parser.add_argument("--ways", nargs="*", default=[*WAYS], choices=WAYS, help="to answer")
    parser.add_argument(
        "--half", default="choose", choices=("choose", "both", "first", "second"), help="see above"
    )
    parser.add_argument(
        "--rows", type=int, default=0, help="turns to answer, at even distances; 0: all"
    )
    parser.add_argument("--json", default="chat.json", help="where the figures go")
    options = parser.parse_args()
    rows = figures(options)
    Path(options.json).write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

"""What a chatbot is worth on DailyDialog's validation split, and on the clean part of it.

    python benchmarks/chat.py --run runs/chat --data-dir corpora
    python benchmarks/chat.py --run runs/chat --data-dir corpora --half second

Prints perplexities, and BLEU and distinct-n of several ways to answer, beside the answer to the
most similar training turns, a random one and the same one for all; then the first answers of the
run. Writes `chat.json`. Ways to answer may be chosen on one half of a split and measured on the
other: no dialogue but the one in the middle is in both.
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
# Ways to answer by their names: options that differ from those of the run.
WAYS: dict[str, dict] = {
    "as trained": {},
    "one drawn answer": {"candidates": 1, "information": 0.0, "agreement": 0.0},
    "greedy": {"temperature": 0.0, "beam_width": 1, "information": 0.0, "agreement": 0.0},
    "beam of 5": {"temperature": 0.0, "beam_width": 5, "information": 0.0, "agreement": 0.0},
    "likeliest of 16": {"candidates": 16, "information": 0.0, "agreement": 0.0},
    "best of 16, mutual information": {"candidates": 16, "information": 0.5, "agreement": 0.0},
    "best of 16, minimum Bayes risk": {"candidates": 16, "information": 0.0, "agreement": 100.0},
}


def figures(options: argparse.Namespace) -> list[dict]:
    """Returns a row for each way to answer on each split."""
    from apps.chat import APPLICATION
    from apps.serving.answers import answer_by_length
    from apps.tasks.chat.config import ChatPredictOptions
    from data.datasets import read_dialogues
    from models.evaluation.dialogue import dialogue_scores, evenly
    from models.evaluation.translation_memory import memory_translations

    task = APPLICATION.trained(options.run)
    config = task.config
    found = []
    for dataset in options.datasets:
        corpus = read_dialogues(
            dataset, APPLICATION.sample, options.data_dir, ("turns", "answer"), config.turns
        )
        train, split = corpus.split("train"), corpus.split("validation")
        split = split.take(half_of(len(split), options.half))
        perplexities = task.perplexities(split)
        first = split.take(range(SHOWN))
        if options.rows:
            split = split.take(evenly(len(split), options.rows))
        part = {"dataset": dataset, "answers": len(split)}
        systems = {}
        for name in options.ways:
            task.config = config
            task.set_options(ChatPredictOptions(**WAYS[name]))
            rows = answer_by_length(task, task.serving().serve, split.texts)
            systems[name] = [row["answer"] for row in rows]
        if dataset == options.datasets[-1]:
            task.config = config
            task.set_options(ChatPredictOptions())
            answers = answer_by_length(task, task.serving().serve, first.texts)
            for pair, row in zip(first, answers, strict=True):
                print(" | ".join((*pair.source.split("\n"), pair.target, f"-> {row['answer']}")))
        known = train.translations
        systems["answer to the most similar training turns"] = memory_translations(
            train, split.texts
        )
        chosen = np.random.default_rng(0).integers(len(known), size=len(split))
        systems["a random training answer"] = [known[row] for row in chosen]
        [(same, _)] = Counter(known).most_common(1)
        systems[f"always {same!r}"] = [same] * len(split)
        for name, written in systems.items():
            scores = dialogue_scores(written, split.translations)
            own = perplexities if name in WAYS else {}
            found.append({"system": name, **part, **scores, **own})
            print(line(found[-1]), flush=True)
    return found


def half_of(rows: int, half: str) -> range:
    """Returns the rows of a half of a split, whose dialogues stand one after the other."""
    middle = rows // 2
    return {"both": range(rows), "first": range(middle), "second": range(middle, rows)}[half]


def line(row: dict) -> str:
    return (
        f"{row['dataset']:18} {row['answers']:6,}  {row['system']:42} BLEU-2 {row['bleu_2']:5.2f}  "
        f"BLEU-4 {row['bleu_4']:5.2f}  distinct {row['distinct_1']:.3f} {row['distinct_2']:.3f}  "
        f"words {row['words']:4.1f}  most frequent {row['most_frequent']:5.1%}"
        + (f"  perplexity {row['perplexity_word']:.2f}" if "perplexity_word" in row else "")
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", required=True, help="the run folder of a trained chatbot")
    parser.add_argument("--data-dir", help="folder with the original files")
    parser.add_argument("--datasets", nargs="+", default=["dailydialog", "dailydialog_clean"])
    parser.add_argument("--ways", nargs="*", default=[*WAYS], choices=WAYS, help="to answer")
    parser.add_argument("--half", default="both", choices=("both", "first", "second"))
    parser.add_argument(
        "--rows", type=int, default=0, help="turns to answer, at even distances; 0: all"
    )
    parser.add_argument("--json", default="chat.json", help="where the figures go")
    options = parser.parse_args()
    rows = figures(options)
    Path(options.json).write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

"""What a summarizer is worth on texts without a near copy in its training split, too.

    python benchmarks/summarization.py --run runs/aeslc --data-dir corpora

Prints ROUGE of the run and of its baselines on all texts of the split, and on those whose most
similar training text has a cosine of at most `--similarity` (TF-IDF of words and pairs): against
the summary of each text, and where the data have several, against the nearest of them. Writes
`summarization.json`.
"""

import argparse
import dataclasses
import json
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def figures(options: argparse.Namespace) -> list[dict]:
    """Returns a row for each system and each part of the split."""
    from apps.serving.answers import answer_by_length
    from apps.summarization import APPLICATION, SummarizationPredictOptions
    from apps.tasks.seq2seq.baselines import BASELINES
    from models.evaluation.rouge import rouge_report
    from models.evaluation.translation_memory import nearest_texts

    task = APPLICATION.trained(options.run)
    config = task.config
    if options.data_dir:
        config = dataclasses.replace(config, data_dir=options.data_dir)
    corpus = APPLICATION.read_data(config)
    train, split = corpus.split("train"), corpus.split(options.split)
    if options.rows:
        split = split.take(range(min(options.rows, len(split))))
    _, similarity = nearest_texts(train.texts, split.texts)
    parts = {"all": similarity <= 2.0, "new": similarity <= options.similarity}
    names = ("beam_width", "length_penalty", "min_length", "no_repeat_ngram")
    task.set_options(SummarizationPredictOptions(**{n: getattr(options, n) for n in names}))
    systems = {name: BASELINES[name](train, split.texts) for name in config.baselines}
    rows = answer_by_length(task, task.serving().serve, split.texts)
    systems = {"this run": [row[config.answer] for row in rows], **systems}
    found = []
    # Further summaries than that of the text stand beside it.
    known = {"first": [(each,) for each in split.translations]}
    if split.others:
        known["nearest"] = [
            (*first, *more) for first, more in zip(known["first"], split.others, strict=True)
        ]
    for references, summaries in known.items():
        for name, written in systems.items():
            for part, chosen in parts.items():
                kept = chosen.nonzero()[0]
                report = rouge_report(
                    [written[row] for row in kept], [summaries[row] for row in kept]
                )
                row = {"system": name, "part": part, "references": references, "texts": len(kept)}
                found.append({**row, **report})
    for row, text in zip(split.rows[: options.shown], systems["this run"], strict=False):
        print(f"{row.target!r}  <-  {text!r}")
    return found


def line(row: dict) -> str:
    scores = [
        f"{row[name]:5.1f} ({row['intervals'][name][0]:.1f} - {row['intervals'][name][1]:.1f})"
        for name in ("rouge_1", "rouge_2", "rouge_l")
    ]
    return (
        f"{row['system']:22} {row['part']:4} {row['references']:9} {row['texts']:6,}  "
        f"{'  '.join(scores)}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", required=True, help="the run folder of a trained summarizer")
    parser.add_argument("--data-dir", help="folder with the original files")
    parser.add_argument("--split", default="test", help="what is measured")
    parser.add_argument("--rows", type=int, default=0, help="texts, the first ones; 0: all")
    parser.add_argument("--similarity", type=float, default=0.5, help="of a near copy: above it")
    parser.add_argument("--shown", type=int, default=10, help="summaries that are printed")
    parser.add_argument("--beam-width", type=int, help="if not that of the run")
    parser.add_argument("--length-penalty", type=float, help="if not that of the run")
    parser.add_argument("--min-length", type=int, help="if not that of the run")
    parser.add_argument("--no-repeat-ngram", type=int, help="if not that of the run")
    parser.add_argument("--json", default="summarization.json", help="where the figures go")
    options = parser.parse_args()
    rows = figures(options)
    Path(options.json).write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    print("system, part, references, texts: ROUGE-1  ROUGE-2  ROUGE-L, with intervals of 95 %")
    for row in rows:
        print(line(row))


if __name__ == "__main__":
    main()

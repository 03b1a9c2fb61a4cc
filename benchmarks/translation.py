"""How many sentences a second a trained translator translates, after its start-up.

    python benchmarks/translation.py --run runs/multi30k --input test_2016_flickr.en --beam-width 5

Prints a table and writes `translation.json`: the start-up (imports and loading), the first batch,
which traces the graph, and then sentences a second, the median of the rounds. Texts are translated
as `predict --input` does it, sorted and batched by length.
"""

import argparse
import gzip
import json
import os
import statistics
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

ROUNDS = 3
# As many as this of the shipped sample, if no file is given.
SENTENCES = 1000


def read_texts(path: str | None) -> list[str]:
    """Returns a text a line; without a file sentences of the sample."""
    if path is None:
        from data.registry import SAMPLES

        lines = (SAMPLES / "translation.tsv").read_text(encoding="utf-8").splitlines()[1:]
        texts = [line.split("\t")[0] for line in lines]
        return [texts[i % len(texts)] for i in range(SENTENCES)]
    opened = gzip.open if path.endswith(".gz") else open
    with opened(path, "rt", encoding="utf-8") as file:
        return [line.strip() for line in file if line.strip()]


def figures(run: Path, texts: list[str], beam_width: int, rounds: int) -> dict:
    """Returns what this process needs for the texts."""
    started = time.perf_counter()
    from apps.serving.answers import answer_by_length
    from apps.tasks.seq2seq.config import TranslationPredictOptions
    from apps.translation import APPLICATION

    task = APPLICATION.trained(run)
    task.set_options(TranslationPredictOptions(beam_width=beam_width))
    serve = task.serving().serve
    loaded = time.perf_counter()
    answer_by_length(task, serve, texts[:1])
    traced, seconds = time.perf_counter(), []
    for _ in range(rounds):
        before = time.perf_counter()
        rows = answer_by_length(task, serve, texts)
        seconds.append(time.perf_counter() - before)
    return {
        "sentences": len(texts),
        "words": sum(len(row["translation"].split()) for row in rows),
        "beam_width": beam_width,
        "start_up_seconds": round(loaded - started, 1),
        "first_sentence_seconds": round(traced - loaded, 1),
        "seconds": [round(each, 2) for each in seconds],
        "sentences_per_second": round(len(texts) / statistics.median(seconds), 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", required=True, help="the run folder of a trained translator")
    parser.add_argument("--input", help="a text a line, also .gz (default: the shipped sample)")
    parser.add_argument("--beam-width", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--json", default="translation.json", help="where the figures go")
    options = parser.parse_args()
    found = figures(
        Path(options.run), read_texts(options.input), options.beam_width, options.rounds
    )
    Path(options.json).write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    for name, value in found.items():
        print(f"{name.replace('_', ' '):24}{value!s:>24}")


if __name__ == "__main__":
    main()

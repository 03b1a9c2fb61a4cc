"""What a CRF costs in a training step beside a softmax, and how many words a second are tagged.

    python benchmarks/tagging.py
    python benchmarks/tagging.py --run runs/wnut17

The first prints the time of a training step of both heads, by turns, medians of the rounds: batches
of 32 sentences of 8 to 40 words, 9 tags, a bidirectional LSTM of 128 units over words of 50 numbers
and a character convolution. The second tags sentences of the shipped sample with a trained model.
"""

import argparse
import json
import os
import statistics
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

from data.datasets import read_tagged_texts
from data.examples.tags import bio_names
from models.optimization.adam import Adam
from models.tagging.tagger import Tagger, TaggingLoss

ROUNDS, STEPS, WARM_UP = 7, 40, 1
LENGTHS = (8, 16, 24, 32, 40)
WORDS = 30_000
# Sentences of the file that measures the speed.
SENTENCES = 20_000


def batches(seed: int = 0) -> list[tuple[dict, np.ndarray]]:
    """One batch of 32 full sentences of each length."""
    generator = np.random.default_rng(seed)
    made = []
    for length in LENGTHS:
        shape = (32, length)
        ids = {
            "token_ids": generator.integers(1, WORDS, shape, np.int32),
            "character_ids": generator.integers(1, 80, (*shape, 20), np.int32),
            "case_ids": generator.integers(1, 9, shape, np.int32),
        }
        made.append((ids, generator.integers(1, 10, shape, np.int32)))
    return made


def trainer(head: str):
    """Returns a function that runs one training step on a batch."""
    keras.utils.set_random_seed(0)
    model = Tagger(
        bio_names(("LOC", "MISC", "ORG", "PER")),
        vocabulary_size=WORDS,
        embedding_dim=50,
        recurrent={"cell": "lstm", "units": 128, "bidirectional": True},
        head=head,
        constrained=False,
        dropout=0.5,
        character_vocabulary_size=80,
        max_word_length=20,
    )
    model.compile(Adam(1e-3, global_clipnorm=5.0), TaggingLoss())
    model.make_train_function()
    return lambda batch: float(model.train_function(iter([batch]))["loss"])


def head_figures() -> dict:
    """Milliseconds of a step by head and round, and the ratio of the medians."""
    trainers, data = {head: trainer(head) for head in ("softmax", "crf")}, batches()
    tensors = [tf.nest.map_structure(tf.constant, batch) for batch in data]
    times = {head: [] for head in trainers}
    for round in range(-WARM_UP, ROUNDS):
        for head, step in trainers.items():
            started = time.perf_counter()
            for number in range(STEPS):
                step(tensors[number % len(tensors)])
            if round >= 0:
                times[head].append(1000 * (time.perf_counter() - started) / STEPS)
    medians = {head: statistics.median(each) for head, each in times.items()}
    return {"milliseconds": times, "medians": medians, "ratio": medians["crf"] / medians["softmax"]}


def speed_figures(run: Path) -> dict:
    """Words a second of the serving model in a process that has started up."""
    from apps.ner import APPLICATION
    from apps.serving.answers import answer_by_length

    task = APPLICATION.trained(run)
    serve = task.serving().serve
    sample = read_tagged_texts("sample", "ner.conll").everything().texts
    texts = [sample[i % len(sample)] for i in range(SENTENCES)]
    answer_by_length(task, serve, texts[:2000])
    started = time.perf_counter()
    rows = answer_by_length(task, serve, texts)
    seconds = time.perf_counter() - started
    words = sum(len(row["tagged_tokens"]) for row in rows)
    return {"words": words, "seconds": seconds, "words_per_second": words / seconds}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", help="the run folder of a trained tagger")
    parser.add_argument("--json", default="tagging.json", help="where the figures go")
    options = parser.parse_args()
    figures = speed_figures(Path(options.run)) if options.run else head_figures()
    Path(options.json).write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    for name, value in figures.items():
        print(f"{name.replace('_', ' ')}: {value}")


if __name__ == "__main__":
    main()

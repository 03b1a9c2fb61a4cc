"""What captioners are worth on a validation split, by beam width and length penalty.

    python benchmarks/captioning.py --run runs/vector runs/attention --data-dir corpora

Prints a table in Markdown, a row for greedy decoding and one for each combination of `--beam-width`
and `--length-penalty`, for each run. The pictures are encoded once, and the test split is never
read. With `--show N` the first captions of the best row of each run follow.
"""

import argparse
import dataclasses
import itertools
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

_CHUNK = 100
_COLUMNS = {
    "bleu_1": ("BLEU-1", ".1f"),
    "bleu_4": ("BLEU-4", ".1f"),
    "rouge_l": ("ROUGE-L", ".1f"),
    "cider_d": ("CIDEr-D", ".3f"),
    "length_ratio": ("length", ".2f"),
}


def searches(widths: list[int], penalties: list[float]) -> list[tuple[int, float]]:
    """Returns the pairs to be tried; greedy decoding has no penalty."""
    return [(1, 0.0), *itertools.product((width for width in widths if width > 1), penalties)]


def row(name: str, width: int, penalty: float, metrics: dict) -> str:
    """Returns a row of the table."""
    cells = [format(metrics[key], style) for key, (_, style) in _COLUMNS.items()]
    return f"| {' | '.join([name, str(width), str(penalty), *cells])} |"


def heading() -> str:
    """Returns the first two rows of the table."""
    names = ["run", "beam", "length penalty", *(title for title, _ in _COLUMNS.values())]
    return f"| {' | '.join(names)} |\n|---{'|---:' * (len(names) - 1)}|"


def measure(run: str, options: argparse.Namespace) -> list[str]:
    """Prints the rows of a run, and returns the captions of the best one by CIDEr-D."""
    import numpy as np
    import tensorflow as tf

    from apps.captioning import APPLICATION
    from apps.tasks.captioning.arrays import make_array
    from apps.tasks.captioning.report import measure_captions
    from models.serving.captioner import decode_captions, search_captions

    task = APPLICATION.trained(run)
    config = dataclasses.replace(task.config, data_dir=options.data_dir or task.config.data_dir)
    validation = APPLICATION.read_data(config).split("validation")
    array = make_array(task.model, validation)
    best, kept = -1.0, []
    for width, penalty in searches(options.beam_width, options.length_penalty):
        search = dataclasses.replace(task.search(), beam_width=width, length_penalty=penalty)

        @tf.function(autograph=False)
        def describe(features: tf.Tensor, search=search) -> tf.Tensor:
            ids, _ = search_captions(task.model.head, features, search)
            return decode_captions(task.tokenizer, ids[:, 0])

        captions = []
        for start in range(0, len(array), _CHUNK):
            features = tf.constant(np.float32(array[start : start + _CHUNK]))
            captions += [text.decode() for text in describe(features).numpy()]
        metrics = measure_captions(captions, validation)
        print(row(run, width, penalty, metrics), flush=True)
        if metrics["cider_d"] > best:
            best, kept = metrics["cider_d"], captions
    return [f"{Path(text).name}: {said}" for text, said in zip(validation.texts, kept, strict=True)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--run", nargs="+", required=True, help="folders of captioners with a trained encoder"
    )
    parser.add_argument("--data-dir", help="folder with the original files")
    parser.add_argument("--beam-width", type=int, nargs="+", default=[3, 5])
    parser.add_argument("--length-penalty", type=float, nargs="+", default=[0.0, 0.5, 1.0])
    parser.add_argument("--show", type=int, default=0, help="captions to print of each run")
    options = parser.parse_args()
    print(heading())
    shown = [measure(run, options) for run in options.run]
    for run, captions in zip(options.run, shown, strict=True):
        if options.show:
            print("", run, *captions[: options.show], sep="\n")


if __name__ == "__main__":
    main()

"""Writes English texts for a language model with which a chatbot begins, from corpora at hand.

    python benchmarks/conversation_texts.py --data-dir corpora --output runs/texts
    recurrent-text text_generation train --dataset runs/texts/train.txt \\
        --validation-file runs/texts/validation.txt ...

`train.txt` has, mixed, the dialogues of DailyDialog's training split, a turn a line; Tatoeba's
English sentences, twenty to a text; the bodies of AESLC's e-mails; and as many of IMDB's training
reviews as `--reviews` says. `validation.txt` has the dialogues of DailyDialog's clean validation
split.
"""

import argparse
import random
import re
from collections.abc import Iterable
from pathlib import Path

from data.corpora.dialogues import dailydialog
from data.corpora.labelled import imdb
from data.corpora.parallel import aeslc, tatoeba

_LINE_BREAKS = re.compile(r"(?:<br\s*/?>\s*)+")
_SENTENCES = 20


def read_texts(data_dir: str, reviews: int) -> tuple[list[str], list[str]]:
    """Returns the texts to train on, in a random order, and those to validate on."""
    order = random.Random(0)
    dialogues = dailydialog.read(data_dir, dailydialog.CLEAN)
    opinions = [_LINE_BREAKS.sub("\n", text) for text in imdb.read(data_dir).split("train").texts]
    order.shuffle(opinions)
    english = tatoeba.read(data_dir, "en", "fr").split("train").texts
    sentences = [*dict.fromkeys(english)]
    order.shuffle(sentences)
    texts = [
        *opinions[:reviews],
        *aeslc.read(data_dir, "body", "subject").split("train").texts,
        *in_groups(sentences, _SENTENCES),
        *("\n".join(turns) for turns in dialogues["train"]),
    ]
    order.shuffle(texts)
    return texts, ["\n".join(turns) for turns in dialogues["validation"]]


def in_groups(sentences: list[str], size: int) -> Iterable[str]:
    """Yields texts of so many sentences, one a line."""
    for start in range(0, len(sentences), size):
        yield "\n".join(sentences[start : start + size])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", required=True, help="folder with the original files")
    parser.add_argument("--output", type=Path, required=True, help="folder for the two files")
    parser.add_argument("--reviews", type=int, default=11_000, help="of IMDB (default: 11,000)")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    for name, texts in zip(
        ("train", "validation"), read_texts(options.data_dir, options.reviews), strict=True
    ):
        (options.output / f"{name}.txt").write_text("\n\n".join(texts) + "\n", encoding="utf-8")
        print(f"{name}: {len(texts):,} texts, {sum(len(text.split()) for text in texts):,} words")


if __name__ == "__main__":
    main()

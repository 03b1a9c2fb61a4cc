"""What answers without learning, by name: each application names those that suit it."""

from collections.abc import Callable
from functools import partial

from data.errors import UserError
from data.examples.parallel import ParallelTexts
from models.evaluation.extracts import central_sentences, leading_sentences
from models.evaluation.translation_memory import memory_translations


def _copy(train: ParallelTexts, texts: list[str]) -> list[str]:
    return texts


def _lead(train: ParallelTexts, texts: list[str], count: int) -> list[str]:
    return leading_sentences(texts, count)


def _text_rank(train: ParallelTexts, texts: list[str]) -> list[str]:
    try:
        return central_sentences(texts)
    except ImportError:
        raise UserError(
            "the baseline TextRank needs the package sumy. Install it: pip install "
            "'recurrent-text-suite[summarization]'"
        ) from None


# Each takes the training split and texts, and returns what it writes for each.
BASELINES: dict[str, Callable[[ParallelTexts, list[str]], list[str]]] = {
    "copy": _copy,
    "translation memory": memory_translations,
    "lead-1": partial(_lead, count=1),
    "lead-3": partial(_lead, count=3),
    "TextRank": _text_rank,
    "nearest training text": memory_translations,
    "nearest training turns": memory_translations,
}

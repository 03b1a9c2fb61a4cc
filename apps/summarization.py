"""Summaries of texts in a line: subjects of e-mails, headlines of notices.

python -m apps.summarization train --dataset aeslc --data-dir DIR --run runs/aeslc
"""

from dataclasses import dataclass
from typing import ClassVar

from apps.commands.application import Application
from apps.commands.main import main
from apps.config.options import option, redefault
from apps.tasks.loading import load_seq2seq
from apps.tasks.seq2seq.config import (
    PairsConfig,
    Seq2SeqExportOptions,
    Seq2SeqPredictOptions,
)
from apps.tasks.seq2seq.options import LanguageModelStart


@dataclass(frozen=True)
class SummarizationConfig(LanguageModelStart, PairsConfig):
    """All options of a summarizer: both sides are of one language, and words are copied."""

    kind: ClassVar[str] = "summarizer"
    begins_with: ClassVar[tuple[str, ...]] = ("language model", "summarizer")
    answer: ClassVar[str] = "summary"
    answers: ClassVar[str] = "summaries"
    sides: ClassVar[str] = "columns"
    one_language: ClassVar[bool] = True
    sample_sides: ClassVar[tuple[str, str]] = ("text", "summary")
    metrics: ClassVar[tuple[str, ...]] = ("rouge", "bleu", "chrf")
    baselines: ClassVar[tuple[str, ...]] = ("lead-1", "lead-3", "TextRank", "nearest training text")

    source: str = redefault(PairsConfig, "source", "text", "column of the texts")
    target: str = redefault(PairsConfig, "target", "summary", "column of their summaries")
    max_length: int = redefault(
        PairsConfig,
        "max_length",
        30,
        "tokens of a summary; longer ones are not trained on",
    )
    max_source_length: int = redefault(
        PairsConfig, "max_source_length", 400, "tokens of a text that are read; the rest is cut"
    )
    copy: bool = redefault(PairsConfig, "copy", True)
    no_repeat_ngram: int = redefault(PairsConfig, "no_repeat_ngram", 3)
    monitor: str = option(
        "rouge_l",
        "validation metric, of greedy decoding, that chooses the epoch",
        ("rouge_1", "rouge_2", "rouge_l", "bleu", "chrf"),
    )


@dataclass(frozen=True)
class SummarizationPredictOptions(Seq2SeqPredictOptions):
    """How texts are summarized, and what is said of the summaries."""

    answer: ClassVar[str] = "summary"


APPLICATION = Application(
    name="summarization",
    summary="Write the subject or the headline of a text.",
    config=SummarizationConfig,
    load_task=load_seq2seq,
    sample="summarization.tsv",
    corpora=("aeslc",),
    recipes={
        # Names are copied piece by piece: with few tokens each has several pieces.
        "sample": {
            "vocabulary_size": 1200,
            "max_source_length": 200,
            "units": 96,
            "embedding_dim": 96,
            "batch_size": 32,
            "dropout": 0.2,
            "word_dropout": 0.02,
            "label_smoothing": 0.0,
            "learning_rate": 5e-3,
            "epochs": 10,
            "patience": 10,
            "average_weights": 0.99,
        },
        # A body says in its first sentences what it is about. Batches of texts of like length
        # have less padding.
        "aeslc": {
            "max_source_length": 80,
            "units": 160,
            "embedding_dim": 160,
            "batch_tokens": 2500,
            "dropout": 0.3,
            "word_dropout": 0.05,
            "subword_dropout": 0.1,
            "label_smoothing": 0.0,
            "learning_rate": 3e-3,
            "epochs": 12,
            "patience": 5,
            "average_weights": 0.998,
            "beam_width": 3,
            "length_penalty": 1.2,
        },
    },
    options={"predict": SummarizationPredictOptions, "export": Seq2SeqExportOptions},
)

if __name__ == "__main__":
    main(APPLICATION)

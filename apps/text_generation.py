"""Text generation: a language model of characters, bytes, words or sub-words.

python -m apps.text_generation train --dataset tiny_shakespeare --data-dir DIR
"""

from apps.commands.application import Application
from apps.commands.main import main
from apps.tasks.generation.config import (
    DynamicOptions,
    GenerationConfig,
    GenerationOptions,
    GenerationPredictOptions,
)
from apps.tasks.loading import load_generation

APPLICATION = Application(
    name="text_generation",
    summary="Learn a language from texts, and go on with beginnings of them.",
    config=GenerationConfig,
    load_task=load_generation,
    sample="",
    corpora=("tiny_shakespeare", "aeslc", "davidson", "imdb", "sms_spam", "sst2"),
    recipes={
        # Of sub-words even a small model, in less than two minutes of two cores, writes words that
        # exist.
        "sample": {
            "tokenizer": "subwords",
            "vocabulary_size": 2000,
            "sequence_length": 64,
            "dropout": 0.3,
            "epochs": 12,
        },
        # A million characters, read again and again: what keeps 3.4 million weights from learning
        # them by heart decides. Two hours of two cores.
        "tiny_shakespeare": {
            "units": 512,
            "num_layers": 2,
            "embedding_dim": 96,
            "dropout": 0.4,
            "weight_drop": 0.3,
            "activation_penalty": 1.0,
            "slowness_penalty": 1.0,
            "average_weights": 0.998,
            "epochs": 36,
            "patience": 8,
        },
        # Reviews as the tokens that the sentiment classifier reads, so that it can begin with the
        # model; most of 30,000 outputs are left out of a step.
        "imdb": {
            "tokenizer": "review-tokens",
            "vocabulary_size": 30_000,
            "units": 768,
            "embedding_dim": 256,
            "tied": True,
            "candidates": 2048,
            "sequence_length": 64,
            "batch_size": 64,
            "weight_drop": 0.2,
            "epochs": 6,
        },
    },
    options={
        "evaluate": DynamicOptions,
        "predict": GenerationPredictOptions,
        "export": GenerationOptions,
    },
)

if __name__ == "__main__":
    main(APPLICATION)

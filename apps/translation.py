"""Translation from one language to another.

python -m apps.translation train --dataset multi30k --data-dir DIR --run runs/multi30k
"""

from apps.commands.application import Application
from apps.commands.main import main
from apps.tasks.loading import load_seq2seq
from apps.tasks.seq2seq.config import (
    TranslationConfig,
    TranslationExportOptions,
    TranslationPredictOptions,
)

APPLICATION = Application(
    name="translation",
    summary="Translate texts from one language to another.",
    config=TranslationConfig,
    load_task=load_seq2seq,
    sample="translation.tsv",
    corpora=("multi30k", "tatoeba"),
    recipes={
        # Whole words: a closed vocabulary is soon learned, and what is not in it is copied, where
        # sub-words would make up French that does not exist.
        "sample": {
            "tokenizer": "words",
            "vocabulary_size": 930,
            "units": 128,
            "embedding_dim": 128,
            "dropout": 0.2,
            "word_dropout": 0.02,
            "label_smoothing": 0.05,
            "epochs": 10,
            "patience": 10,
            "learning_rate": 5e-3,
            "average_weights": 0.99,
        },
        # Few texts for their words: half of the regularisation is dropout.
        "multi30k": {"dropout": 0.4, "epochs": 30, "patience": 10, "coverage_penalty": 0.1},
        "tatoeba": {"batch_size": 128, "dropout": 0.2, "epochs": 12},
    },
    options={"predict": TranslationPredictOptions, "export": TranslationExportOptions},
)

if __name__ == "__main__":
    main(APPLICATION)

"""Translation from one language to another.

python -m apps.translation train --dataset multi30k --data-dir DIR --run runs/multi30k
"""

from apps.application import Application
from apps.command_line import main
from apps.translation_config import (
    TranslationConfig,
    TranslationExportOptions,
    TranslationPredictOptions,
    load_translating,
)

APPLICATION = Application(
    name="translation",
    summary="Translate texts from one language to another.",
    config=TranslationConfig,
    load_task=load_translating,
    sample="translation.tsv",
    corpora=("multi30k", "tatoeba"),
    recipes={
        # Too few sentences to learn a language from. What is learned by heart can at least be seen.
        "sample": {
            "dropout": 0.0,
            "word_dropout": 0.0,
            "label_smoothing": 0.0,
            "monitor": "chrf",
            "batch_size": 16,
            "units": 96,
            "embedding_dim": 96,
            "vocabulary_size": 1000,
            "epochs": 25,
            "patience": 25,
            "learning_rate": 3e-3,
            "average_weights": 0.0,
        },
        # Few texts for their words: half of the regularisation is dropout.
        "multi30k": {"dropout": 0.4, "epochs": 30, "patience": 10, "coverage_penalty": 0.1},
        "tatoeba": {"batch_size": 128, "dropout": 0.2, "epochs": 12},
    },
    predict_options=TranslationPredictOptions,
    export_options=TranslationExportOptions,
)

if __name__ == "__main__":
    main(APPLICATION)

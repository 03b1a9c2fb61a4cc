"""Sentiment of reviews: positive or negative, from a sentence to pages.

python -m apps.sentiment train --dataset imdb --data-dir DIR --run runs/imdb
"""

from dataclasses import dataclass

from apps.commands.application import Application
from apps.commands.main import main
from apps.config.options import redefault
from apps.tasks.classification.config import ClassificationConfig
from apps.tasks.classification.options import BiasOptions, ExplainOptions
from apps.tasks.loading import load_classification
from data.registry import GLOVE


@dataclass(frozen=True)
class SentimentConfig(ClassificationConfig):
    """The options of `ClassificationConfig`, for texts that are written with care."""

    standardize: str = redefault(ClassificationConfig, "standardize", "review")


# 5 % of the words of new sentences are not in the training ones: vectors know them.
_SENTENCES = {
    "vectors": GLOVE,
    "open_vocabulary": 50_000,
    "embedding_dim": 50,
    "min_count": 1,
    "linear": True,
    "monitor": "accuracy",
}
# A verdict stands at the end of a review, and at times at its beginning.
_REVIEWS = {
    "max_length": 400,
    "truncate": "head-tail",
    "characters": False,
    "batch_tokens": 12_800,
    "embedding_dim": 100,
    "linear": True,
    "dropout": 0.5,
    "word_dropout": 0.15,
    # From the third on it learns the training reviews by heart.
    "epochs": 3,
}

APPLICATION = Application(
    name="sentiment",
    summary="Classify reviews as positive or negative.",
    config=SentimentConfig,
    load_task=load_classification,
    sample="sentiment.csv",
    corpora=("sst2", "sst2_phrases", "imdb", "imdb_films"),
    recipes={
        # Half of the texts deny something: no word is dropped, since "not" is one.
        "sample": {"batch_size": 32, "epochs": 6, "monitor": "accuracy", "linear": True},
        "sst2": {**_SENTENCES, "epochs": 6},
        # An epoch has thirteen times as many texts.
        "sst2_phrases": {**_SENTENCES, "epochs": 3},
        "imdb": _REVIEWS,
        "imdb_films": _REVIEWS,
    },
    options={"evaluate": BiasOptions, "predict": ExplainOptions},
)

if __name__ == "__main__":
    main(APPLICATION)

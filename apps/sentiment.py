"""Sentiment of reviews: positive or negative, from a sentence to pages.

python -m apps.sentiment train --dataset imdb --data-dir DIR --run runs/imdb
"""

from dataclasses import dataclass

from apps.application import Application
from apps.classification_config import ClassificationConfig, load_classification
from apps.command_line import main
from apps.options import option
from data.names import STANDARDIZERS


@dataclass(frozen=True)
class SentimentConfig(ClassificationConfig):
    """The options of `ClassificationConfig`, for texts that are written with care."""

    standardize: str = option("review", "clean-up of texts", STANDARDIZERS)


APPLICATION = Application(
    name="sentiment",
    summary="Classify reviews as positive or negative.",
    config=SentimentConfig,
    load_task=load_classification,
    sample="sentiment.csv",
    corpora=("sst2", "imdb"),
    recipes={
        "sample": {"batch_size": 16, "epochs": 8},
        "sst2": {},
        "imdb": {},
    },
)

if __name__ == "__main__":
    main(APPLICATION)

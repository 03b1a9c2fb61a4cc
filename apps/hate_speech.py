"""Hate speech, offensive language, or neither: a classifier of short texts.

python -m apps.hate_speech train --dataset davidson --data-dir DIR --run runs/davidson
"""

from dataclasses import dataclass

from apps.commands.application import Application
from apps.commands.main import main
from apps.tasks.classification.config import ClassificationConfig
from apps.tasks.classification.options import BiasOptions, ExplainOptions
from apps.tasks.loading import load_classification


@dataclass(frozen=True)
class HateSpeechConfig(ClassificationConfig):
    """The options of `ClassificationConfig`; their defaults suit tweets."""


APPLICATION = Application(
    name="hate_speech",
    summary="Classify short texts as hate speech, offensive language, or neither.",
    config=HateSpeechConfig,
    load_task=load_classification,
    sample="hate_speech.csv",
    corpora=("davidson",),
    recipes={
        # 1,400 training rows: small steps, and enough of them. The linear model knows from a word
        # that stands twice what the recurrent one has to see a dozen times.
        "sample": {"batch_size": 16, "epochs": 8, "linear": True},
        # Chosen on validation: from the fourth epoch on it learns single annotators' mistakes.
        "davidson": {"epochs": 3},
    },
    options={"evaluate": BiasOptions, "predict": ExplainOptions},
)

if __name__ == "__main__":
    main(APPLICATION)

"""Spam among short messages.

python -m apps.spam train --dataset sms_spam --data-dir DIR --run runs/spam
"""

from apps.commands.application import Application
from apps.commands.main import main
from apps.tasks.classification.config import ClassificationConfig
from apps.tasks.classification.options import BiasOptions, ExplainOptions
from apps.tasks.loading import load_classification

APPLICATION = Application(
    name="spam",
    summary="Classify short messages as spam or ham (wanted).",
    config=ClassificationConfig,
    load_task=load_classification,
    sample="spam.csv",
    corpora=("sms_spam",),
    recipes={
        # 1,279 training rows: small steps, and enough of them.
        "sample": {"batch_size": 16, "epochs": 8, "linear": True},
        # Two thousand words say all: without the dropout single ones are learned by heart. The
        # linear model makes trainings agree: of 66 spam messages each counts.
        "sms_spam": {"batch_size": 32, "epochs": 5, "word_dropout": 0.1, "linear": True},
    },
    options={"evaluate": BiasOptions, "predict": ExplainOptions},
)

if __name__ == "__main__":
    main(APPLICATION)

"""Spam among short messages.

python -m apps.spam train --dataset sms_spam --data-dir DIR --run runs/spam
"""

from apps.application import Application
from apps.classification_config import ClassificationConfig, load_classification
from apps.command_line import main

APPLICATION = Application(
    name="spam",
    summary="Classify short messages as spam or ham (wanted).",
    config=ClassificationConfig,
    load_task=load_classification,
    sample="spam.csv",
    corpora=("sms_spam",),
    recipes={
        "sample": {"batch_size": 16, "epochs": 8},
        "sms_spam": {},
    },
)

if __name__ == "__main__":
    main(APPLICATION)

"""Captions of pictures.

python -m apps.captioning train --dataset flickr8k --data-dir DIR --run runs/flickr8k
"""

from apps.commands.application import Application
from apps.commands.main import main
from apps.tasks.captioning.config import (
    CaptioningConfig,
    CaptioningExportOptions,
    CaptioningPredictOptions,
)
from apps.tasks.loading import load_captioning

APPLICATION = Application(
    name="captioning",
    summary="Describe pictures in a sentence.",
    config=CaptioningConfig,
    load_task=load_captioning,
    sample="",  # it is drawn
    corpora=("flickr8k",),
    recipes={
        "sample": {
            "units": 128,
            "embedding_dim": 64,
            "dropout": 0.1,
            "word_dropout": 0.1,
            "batch_size": 16,
            "epochs": 30,
            "patience": 30,
            "learning_rate": 3e-3,
            "monitor": "exact",
        },
        "flickr8k": {
            "encoder": "efficientnet-lite0",
            "vocabulary_size": 2500,
            "batch_size": 16,
            "dropout": 0.3,
            "label_smoothing": 0.1,
            "epochs": 16,
            "patience": 16,
            "beam_width": 3,
        },
    },
    options={"predict": CaptioningPredictOptions, "export": CaptioningExportOptions},
)

if __name__ == "__main__":
    main(APPLICATION)

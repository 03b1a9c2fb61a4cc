"""Answers to the last turns of a dialogue.

python -m apps.chat train --dataset dailydialog --data-dir DIR --run runs/chat
"""

from apps.commands.application import Application
from apps.commands.main import main
from apps.tasks.chat.config import ChatConfig, ChatExportOptions, ChatPredictOptions
from apps.tasks.chat.evaluate_options import ChatEvaluateOptions
from apps.tasks.loading import load_chat

_DAILYDIALOG = {
    "turns": 2,
    "max_source_length": 50,
    "vocabulary_size": 5000,
    "units": 128,
    "decoder_units": 256,
    "embedding_dim": 128,
    "dropout": 0.2,
    "word_dropout": 0.05,
    "learning_rate": 3e-3,
    "epochs": 10,
    "average_weights": 0.998,
    # Short answers suit everything, and the likeliest of several is the shortest: that which shares
    # most with the others is nearer to what people say.
    "min_length": 12,
    "temperature": 0.8,
    "candidates": 8,
    "information": 0.0,
    "agreement": 100.0,
    "memory": 0.3,
}

APPLICATION = Application(
    name="chat",
    summary="Answer in a dialogue.",
    config=ChatConfig,
    load_task=load_chat,
    sample="chat.jsonl",
    corpora=("dailydialog", "dailydialog_clean"),
    recipes={
        "sample": {
            "vocabulary_size": 1200,
            "units": 96,
            "decoder_units": 192,
            "embedding_dim": 96,
            "batch_size": 32,
            "dropout": 0.1,
            "word_dropout": 0.02,
            "learning_rate": 5e-3,
            "epochs": 10,
            "patience": 10,
            "average_weights": 0.99,
            "temperature": 0.3,
            "information": 0.0,
        },
        # Two turns and few tokens are what an epoch of four minutes on one core allows.
        "dailydialog": _DAILYDIALOG,
        "dailydialog_clean": _DAILYDIALOG,
    },
    options={
        "evaluate": ChatEvaluateOptions,
        "predict": ChatPredictOptions,
        "export": ChatExportOptions,
    },
)

if __name__ == "__main__":
    main(APPLICATION)

"""Named entities: persons, places, organisations and others in running text.

python -m apps.ner train --dataset wnut17 --data-dir DIR --run runs/wnut17
"""

from dataclasses import dataclass

from apps.commands.application import Application
from apps.commands.main import main
from apps.tasks.loading import load_tagging
from apps.tasks.tagging.config import TaggingConfig, TagPredictOptions
from data.registry import GLOVE


@dataclass(frozen=True)
class NerConfig(TaggingConfig):
    """The options of `TaggingConfig`."""


# Names are rare words: all that have a vector join the vocabulary.
_VECTORS = {"vectors": GLOVE, "open_vocabulary": 400_000, "embedding_dim": 50}
# Texts of many writers, and few of them: a tagger knows them by heart after eight epochs.
_POSTS = {**_VECTORS, "dropout": 0.3, "epochs": 16, "patience": 5}
# Validation chooses the epoch in any case; all are tried, for each is a matter of seconds.
_NEWS = {**_VECTORS, "patience": 30, "refit": True}

APPLICATION = Application(
    name="ner",
    summary="Find names of persons, places, organisations and others in texts.",
    config=NerConfig,
    load_task=load_tagging,
    sample="ner.conll",
    corpora=("btc", "conll2003", "wnut17"),
    recipes={
        # Few training sentences: small steps, and enough of them. Most names stand in one sentence
        # alone, and are read as unknown words are: by their letters and by what is around them.
        "sample": {"batch_size": 16, "epochs": 12, "units": 64, "patience": 12},
        "btc": _POSTS,
        "conll2003": _NEWS,
        "wnut17": {**_POSTS, "refit": True},
    },
    options={"predict": TagPredictOptions},
)

if __name__ == "__main__":
    main(APPLICATION)

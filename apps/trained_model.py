"""The trained model that `--init-from` names."""

from pathlib import Path

import keras

from apps.language_model_builder import load_language_model
from apps.model_builder import load
from apps.run_folder import MODEL, RunFolder
from data.preprocessor import Vocabularies


def holds_a_language_model(run: str) -> bool:
    """Whether a run folder is that of a language model.

    Raises:
        UserError: there is no run.
    """
    return RunFolder(Path(run)).describe()["application"] == "text_generation"


def trained_model(run: str) -> keras.Model:
    """The model in the run folder of a language model, a tagger or a classifier.

    Raises:
        UserError: files are missing or damaged.
    """
    if holds_a_language_model(run):
        return load_language_model(run)
    folder = Path(run)
    return load(folder / MODEL, {"vocabulary_size": len(Vocabularies.load(folder).tokens) + 2})

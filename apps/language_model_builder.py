"""From the options to an untrained language model."""

from apps.generation_config import GenerationConfig
from apps.model_builder import build, recurrent_options
from data.unit_tokenizer import UnitTokenizer
from data.units import Units
from models.language_model import LanguageModel
from models.names import PRECISIONS


def sizes(units: Units, num_labels: int) -> dict[str, int]:
    """The arguments of the model that follow from the data."""
    return {"vocabulary_size": UnitTokenizer(units).vocabulary_size, "num_labels": num_labels}


def build_language_model(config: GenerationConfig, units: Units, num_labels: int) -> LanguageModel:
    """The untrained model.

    Raises:
        UserError: options that do not fit each other, or an unknown initializer.
    """
    settings = {
        **sizes(units, num_labels),
        "embedding_dim": config.embedding_dim,
        "recurrent": recurrent_options(config),
        "tied": config.tied,
        "dropout": config.dropout,
        "input_dropout": config.input_dropout,
        "embedding_dropout": config.embedding_dropout,
        "dtype": PRECISIONS[config.mixed_precision],
    }
    return build(LanguageModel, settings)

"""From the options to an untrained language model."""

from apps.tasks.builder import build, recurrent_options
from apps.tasks.generation.config import GenerationConfig
from apps.tasks.pretrained import TrainedModel
from data.messages import say
from data.text.tokenizer_vocabulary import TokenizerVocabulary
from models.language_model.language_model import LanguageModel
from models.registry import PRECISIONS
from models.transfer import load_language_model_weights


def sizes(vocabulary: TokenizerVocabulary, num_labels: int) -> dict[str, int]:
    """Returns the arguments of the model that follow from the data."""
    return {"vocabulary_size": vocabulary.vocabulary_size, "num_labels": num_labels}


def build_language_model(
    config: GenerationConfig,
    vocabulary: TokenizerVocabulary,
    num_labels: int,
    trained: TrainedModel | None = None,
) -> LanguageModel:
    """Returns the untrained model, or one with the weights of a `trained` one.

    Raises:
        UserError: options that do not fit each other, or an unknown initializer.
    """
    settings = {
        **sizes(vocabulary, num_labels),
        "embedding_dim": config.embedding_dim,
        "recurrent": recurrent_options(config),
        "tied": config.tied,
        "dropout": config.dropout,
        "input_dropout": config.input_dropout,
        "embedding_dropout": config.embedding_dropout,
        "backward": config.backward,
        "dtype": PRECISIONS[config.mixed_precision],
    }
    model = build(LanguageModel, settings)
    if trained is not None:
        load_language_model_weights(model, trained.model)
        both = not config.backward or trained.model.backward_stack is not None
        layers = "all layers" if both else "all layers but those that read backward"
        say(f"{layers}: weights from {config.init_from}")
    return model

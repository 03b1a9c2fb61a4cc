"""The weights of a language model in a classifier, or in another language model."""

import keras
import numpy as np

from data.names import END
from models.language_model import LanguageModel


def take_over(model: keras.Model, language_model: LanguageModel) -> None:
    """Gives a classifier the vectors and the recurrent stack of a language model (Dai & Le 2015,
    "Semi-supervised Sequence Learning").

    Args:
        model: has the layers `embedding`, whose vocabulary is that of the language model without
            its END, and `recurrent`, of the same shapes.
        language_model: trained.

    Raises:
        ValueError: the shapes differ.
    """
    vectors = np.delete(language_model.embedding.embeddings.numpy(), END, axis=0)
    model.get_layer("embedding").set_weights([vectors])
    model.get_layer("recurrent").set_weights(language_model.stack.get_weights())


def go_on_with(model: LanguageModel, trained: LanguageModel) -> None:
    """Gives a language model all weights of another one but those that know its classes.

    Args:
        model: has the vocabulary and the shapes of the other.
        trained: the other.

    Raises:
        ValueError: the shapes differ.
    """
    for name in ("front_end", "stack", "projection", "output_layer"):
        if (layer := getattr(model, name)) is not None:
            layer.set_weights(getattr(trained, name).get_weights())

"""The weights of a language model in a classifier."""

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

import keras
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from models.classification.classifier import TextClassifier
from models.language_model.language_model import LanguageModel
from models.tagging.tagger import Tagger
from models.transfer import (
    attach_language_model,
    language_settings,
    load_classifier_weights,
    load_language_model_into_classifier,
    load_language_model_weights,
    load_tagger_weights,
)

TOKENS = ["a", "b", "c"], ["c", "d", "a"]
CHARACTERS = ["x", "y"], ["y"]


STACK = {"cell": "gru", "units": 3}


def classifier(seed, num_classes=2):
    keras.utils.set_random_seed(seed)
    return TextClassifier(5, num_classes, 4, STACK, pooling=("last",))


def language_model(seed, tied=True, num_labels=0):
    """With the special ids 0 to 3 and two tokens; it has a projection if it is tied."""
    keras.utils.set_random_seed(seed)
    model = LanguageModel(6, 4, STACK, tied=tied, num_labels=num_labels)
    # Biases begin as zeros in every model.
    model.set_weights([np.random.normal(size=w.shape) for w in model.get_weights()])
    return model


def tagger(
    seed, characters, tokens, letters, tags=("O", "B-X", "I-X"), open_rows=0, language_model=None
):
    keras.utils.set_random_seed(seed)
    return Tagger(
        tags,
        vocabulary_size=len(tokens) + 2,
        embedding_dim=4,
        recurrent={"cell": "gru", "units": 2, "bidirectional": True},
        character_vocabulary_size=len(letters) + 2,
        max_word_length=3,
        characters=characters,
        open_rows=open_rows,
        language_model=language_model,
    )


def assert_same(layer, other):
    for ours, theirs in zip(layer.get_weights(), other.get_weights(), strict=True):
        assert_array_equal(ours, theirs)


def test_a_classifier_takes_over_vectors_and_stack_but_not_the_vector_of_the_end():
    own, trained = classifier(0), language_model(1)
    load_language_model_into_classifier(own, trained)
    vectors = own.get_layer("embedding").embeddings.numpy()
    # Padding, unknown and start, and behind the end (3) the two tokens.
    assert_array_equal(vectors, trained.embedding.embeddings.numpy()[[0, 1, 2, 4, 5]])
    assert_same(own.get_layer("recurrent"), trained.stack)


@pytest.mark.parametrize("num_classes", [2, 3])
def test_a_classifier_begins_with_all_of_another_but_the_logits_of_other_classes(num_classes):
    own, trained = classifier(0, num_classes), classifier(1)
    before = own.get_layer("logits").get_weights()
    load_classifier_weights(own, trained, same_classes=num_classes == 2)
    for name in ("embedding", "recurrent"):
        assert_same(own.get_layer(name), trained.get_layer(name))
    expected = trained.get_layer("logits").get_weights() if num_classes == 2 else before
    for ours, other in zip(own.get_layer("logits").get_weights(), expected, strict=True):
        assert_array_equal(ours, other)


@pytest.mark.parametrize("tied", [True, False])
def test_a_language_model_goes_on_with_all_of_another_but_its_classes(tied):
    own, trained = language_model(0, tied, num_labels=2), language_model(1, tied)
    before = own.bridge.get_weights()
    load_language_model_weights(own, trained)
    names = ("front_end", "stack", "output_layer", *(["projection"] if tied else []))
    for name in names:
        assert_same(getattr(own, name), getattr(trained, name))
    for ours, other in zip(own.bridge.get_weights(), before, strict=True):
        assert_array_equal(ours, other)


def test_a_tagger_reads_with_vectors_and_stack_of_a_language_model_and_so_does_the_next():
    trained = language_model(1)
    settings = language_settings(trained)
    vocabularies = TOKENS[0], CHARACTERS[0]
    own, following = (
        tagger(seed, "convolution", *vocabularies, language_model=settings) for seed in (0, 2)
    )
    attach_language_model(own, trained)
    layer = own.get_layer("language")
    assert_same(layer.embedding, trained.embedding)
    assert_same(layer.stack, trained.stack)
    assert language_settings(own) == settings
    load_tagger_weights(following, own, *((each, each) for each in vocabularies))
    assert_same(following.get_layer("language"), layer)


@pytest.mark.parametrize("characters", ["convolution", "recurrent"])
def test_a_tagger_adopts_words_letters_and_sequences_of_another(characters):
    own = tagger(0, characters, TOKENS[0], CHARACTERS[0], open_rows=1)
    other = tagger(1, characters, TOKENS[1], CHARACTERS[1], tags=("O", "B-Y", "I-Y", "B-Z", "I-Z"))
    b, emissions = own.get_layer("embedding").embeddings.numpy()[3], own.get_layer("emissions")
    before = emissions.get_weights()
    load_tagger_weights(own, other, TOKENS, CHARACTERS)
    vectors = own.get_layer("embedding")
    learned = other.get_layer("embedding").embeddings.numpy()
    # "a" and the unknown, what they share; "b" is its own; "c" is open.
    assert_array_equal(vectors.embeddings.numpy()[1:3], learned[[1, 4]])
    assert_array_equal(vectors.embeddings.numpy()[3], b)
    assert_array_equal(vectors.open_embeddings, learned[[2]])
    ours, theirs = (model.get_layer("characters") for model in (own, other))
    assert_array_equal(ours.embedding.embeddings.numpy()[3], theirs.embedding.embeddings.numpy()[2])
    for name in ("recurrent", "case"):
        for x, y in zip(
            own.get_layer(name).get_weights(), other.get_layer(name).get_weights(), strict=True
        ):
            assert_array_equal(x, y)
    for x, y in zip(ours.weights[1:], theirs.weights[1:], strict=True):
        assert_array_equal(x, y)
    for x, y in zip(emissions.get_weights(), before, strict=True):
        assert_array_equal(x, y)

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal

from models.classification.classifier import TextClassifier
from models.language_model.language_model import LanguageModel
from models.seq2seq.encoder_decoder import Translator
from models.tagging.tagger import Tagger
from models.transfer import (
    attach_language_model,
    language_settings,
    load_classifier_weights,
    load_language_model_into_classifier,
    load_language_model_into_translator,
    load_language_model_weights,
    load_tagger_weights,
)

TOKENS = ["a", "b", "c"], ["c", "d", "a"]
CHARACTERS = ["x", "y"], ["y"]


STACK = {"cell": "gru", "units": 3}


def classifier(seed, num_classes=2, **stack):
    keras.utils.set_random_seed(seed)
    return TextClassifier(5, num_classes, 4, {**STACK, **stack}, pooling=("last",))


def language_model(seed, tied=True, num_labels=0, backward=False):
    """With the special ids 0 to 3 and two tokens; it has a projection if it is tied."""
    keras.utils.set_random_seed(seed)
    model = LanguageModel(6, 4, STACK, tied=tied, num_labels=num_labels, backward=backward)
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


def test_a_classifier_that_reads_both_ways_takes_over_both_stacks():
    own, trained = classifier(0, bidirectional=True), language_model(1, backward=True)
    load_language_model_into_classifier(own, trained)
    layer = own.get_layer("recurrent").layers[0]
    assert_same(layer.forward_layer, trained.stack)
    assert_same(layer.backward_layer, trained.backward_stack)
    # It reads a text as both stacks do; ids behind END are one less.
    ids = tf.constant([[2, 4, 5, 5]])
    outputs = own.get_layer("recurrent")(own.get_layer("embedding")(tf.constant([[2, 3, 4, 4]])))
    forward, _ = trained.run_stack(ids, trained.initial_states(1))
    back, _ = trained.run_stack(ids[:, ::-1], trained.initial_states(1), backward=True)
    assert_allclose(outputs[..., :3], forward, atol=1e-6)
    assert_allclose(outputs[..., 3:], back[:, ::-1], atol=1e-6)


@pytest.mark.parametrize("backward", [False, True])
def test_an_encoder_that_reads_both_ways_takes_over_the_stacks_that_there_are(backward):
    stack = {**STACK, "bidirectional": True}
    model = Translator(6, 6, 4, stack, decoder_units=3, attention="dot", feeding="none", tied=False)
    trained = language_model(1, backward=backward)
    layer = model.get_layer("encoder").get_layer("recurrent").layers[0]
    before = layer.backward_layer.get_weights()
    load_language_model_into_translator(model, trained)
    assert_same(layer.forward_layer, trained.stack)
    expected = trained.backward_stack.get_weights() if backward else before
    for weight, other in zip(layer.backward_layer.get_weights(), expected, strict=True):
        assert_array_equal(weight, other)


@pytest.mark.parametrize("theirs", [False, True])
@pytest.mark.parametrize("ours", [False, True])
def test_a_second_stack_is_taken_over_where_both_have_one(ours, theirs):
    own, trained = language_model(0, backward=ours), language_model(1, backward=theirs)
    before = own.backward_stack.get_weights() if ours else []
    load_language_model_weights(own, trained)
    assert_same(own.stack, trained.stack)
    if ours:
        expected = trained.backward_stack.get_weights() if theirs else before
        for weight, other in zip(own.backward_stack.get_weights(), expected, strict=True):
            assert_array_equal(weight, other)


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

import keras
import pytest
from numpy.testing import assert_array_equal

from models.tagger import Tagger
from models.transfer import adopt

TOKENS = ["a", "b", "c"], ["c", "d", "a"]
CHARACTERS = ["x", "y"], ["y"]


def tagger(seed, characters, tokens, letters, tags=("O", "B-X", "I-X"), open_rows=0):
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
    )


@pytest.mark.parametrize("characters", ["convolution", "recurrent"])
def test_a_tagger_adopts_words_letters_and_sequences_of_another(characters):
    own = tagger(0, characters, TOKENS[0], CHARACTERS[0], open_rows=1)
    other = tagger(1, characters, TOKENS[1], CHARACTERS[1], tags=("O", "B-Y", "I-Y", "B-Z", "I-Z"))
    b, emissions = own.get_layer("embedding").embeddings.numpy()[3], own.get_layer("emissions")
    before = emissions.get_weights()
    adopt(own, other, TOKENS, CHARACTERS)
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

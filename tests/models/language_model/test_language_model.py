import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal

from models.language_model.language_model import LanguageModel
from models.layers.vocabulary_dropout import VocabularyDropout
from models.layers.vocabulary_logits import VocabularyLogits
from models.registry import CELLS

IDS = tf.constant([[2, 5, 6, 7], [2, 8, 0, 0]])


def model_of(cell="lstm", **options):
    recurrent = {"cell": cell, "units": 5, "num_layers": 2}
    return LanguageModel(10, 4, recurrent, **options)


@pytest.mark.parametrize("options", [{}, {"tied": True}, {"num_labels": 3}, {"backward": True}])
def test_tokens_become_logits_and_states(options):
    model = model_of(**options)
    states = model.initial_states(2, tf.constant([0, 2]))
    logits, after = model(IDS, states)
    assert logits.shape == (2, 4, 10)
    assert [state.shape for state in after] == [(2, 5)] * 4


@pytest.mark.parametrize("cell", CELLS)
def test_steps_give_the_logits_of_a_whole_text(cell):
    model = model_of(cell, tied=True)
    logits, after = model(IDS[:1])
    states = model.initial_states(1)
    for place in range(4):
        now, states = model.step(IDS[:1, place], states)
        assert_allclose(now, logits[:, place], atol=1e-6)
    for ours, theirs in zip(states, after, strict=True):
        assert_allclose(ours, theirs, atol=1e-6)


def test_padding_changes_neither_logits_nor_states():
    model = model_of()
    logits, states = model(IDS)
    alone, after = model(IDS[1:, :2])
    assert_allclose(logits[1:, :2], alone, atol=1e-6)
    for ours, theirs in zip(states, after, strict=True):
        assert_allclose(ours[1:], theirs, atol=1e-6)


def test_tied_logits_are_products_with_the_vectors_of_the_tokens():
    model = LanguageModel(10, 5, {"cell": "gru", "units": 5}, tied=True)
    assert model.projection is None
    outputs, _ = model.run_stack(IDS, model.initial_states(2))
    expected = np.array(outputs) @ model.embedding.embeddings.numpy().T
    assert_allclose(model(IDS)[0], expected, atol=1e-6)
    assert len([w for w in model.weights if w.shape == (10, 5)]) == 1


def test_logits_of_a_matrix_set_by_hand():
    layer = VocabularyLogits(3, own_kernel=True)
    layer.build((None, 2))
    layer.kernel.assign([[1.0, 2.0], [0.0, 1.0], [-1.0, 0.0]])
    layer.bias.assign([0.5, 0.0, 0.0])
    assert_allclose(layer(tf.constant([[3.0, 4.0]])), [[11.5, 4.0, -3.0]])


def test_logits_of_a_training_step_in_half_precision_by_hand():
    layer = VocabularyLogits(1, own_kernel=True, training_dtype="bfloat16")
    layer.build((None, 1))
    layer.kernel.assign([[1.0 + 2.0**-10]])
    layer.bias.assign([2.0**-10])
    # bfloat16 keeps eight bits of a number; the bias is added in float32.
    assert_allclose(layer(tf.ones([1, 1])), [[1.0 + 2.0**-9]], rtol=1e-7)
    assert_allclose(layer(tf.ones([1, 1]), training=True), [[1.0 + 2.0**-10]], rtol=1e-7)


def test_texts_of_another_class_begin_with_other_states():
    model = model_of(num_labels=2)
    first, second = (model(IDS, model.initial_states(2, tf.fill([2], i)))[0] for i in (0, 1))
    assert np.abs(first - second).max() > 1e-5


def test_an_entry_of_the_vocabulary_is_dropped_wherever_it_occurs():
    keras.utils.set_random_seed(1)
    layer = VocabularyDropout(10, 0.5)
    ids = tf.constant([[1, 2, 3, 4, 1], [2, 3, 4, 1, 2]])
    kept = layer(tf.ones([2, 5, 3]), ids, training=True).numpy()
    assert set(np.unique(kept)) == {0.0, 2.0}
    for token in range(1, 5):
        assert len(np.unique(kept[ids.numpy() == token])) == 1
    assert_array_equal(layer(tf.ones([2, 5, 3]), ids), tf.ones([2, 5, 3]))


def test_dropout_acts_in_training_only():
    model = model_of(dropout=0.5, input_dropout=0.1, embedding_dropout=0.2)
    assert_array_equal(model(IDS)[0], model(IDS)[0])
    assert np.abs(model(IDS, training=True)[0] - model(IDS)[0]).max() > 1e-3


def test_the_configuration_makes_the_same_model():
    model = model_of(tied=True, dropout=0.1, embedding_dropout=0.2, num_labels=2, backward=True)
    twin = LanguageModel.from_config(model.get_config())
    assert twin.get_config() == model.get_config()
    assert [w.shape for w in twin.weights] == [w.shape for w in model.weights]


LOAD = """
import sys, keras, numpy as np, tensorflow as tf
import models.language_model.language_model
model = keras.saving.load_model(sys.argv[1], safe_mode=True)
print(model(tf.constant([[2, 5, 6, 7], [2, 8, 0, 0]]), model.initial_states(2, tf.constant([1, 0])))
    [0].numpy().tolist())
"""


@pytest.mark.parametrize("backward", [False, True])
def test_a_saved_model_answers_the_same_in_a_fresh_process(tmp_path, tensorflow_process, backward):
    model = model_of(tied=True, num_labels=2, backward=backward)
    model.save(tmp_path / "model.keras")
    done = tensorflow_process(LOAD, tmp_path / "model.keras")
    assert done.returncode == 0, done.stderr
    logits = model(IDS, model.initial_states(2, tf.constant([1, 0])))[0]
    assert_allclose(np.array(eval(done.stdout)), logits, atol=1e-6)


def test_each_stack_reads_its_half_of_the_rows():
    model = model_of(backward=True)
    four = tf.concat([IDS, IDS[:, ::-1], IDS], 0)[:4]
    states = [tf.random.normal(state.shape) for state in model.initial_states(4)]
    found, after = model.run_stacks(four, states)
    for backward, rows in ((False, slice(0, 2)), (True, slice(2, 4))):
        own = [state[rows] for state in states]
        outputs, ends = model.run_stack(four[rows], own, backward=backward)
        assert_allclose(found[rows], outputs, atol=1e-6)
        for ours, theirs in zip(after, ends, strict=True):
            assert_allclose(ours[rows], theirs, atol=1e-6)
    assert np.abs(model.run_stack(IDS, own)[0] - found[2:]).max() > 1e-3


@pytest.mark.parametrize("options", [{"tied": True}, {"num_labels": 2}])
def test_without_its_second_stack_a_model_answers_the_same(options):
    model = model_of(backward=True, **options)
    states = model.initial_states(2, tf.constant([1, 0]))
    for copy in (model.without_backward(), model.for_export()):
        assert copy.backward_stack is None
        assert_allclose(copy(IDS, states)[0], model(IDS, states)[0], atol=1e-6)
    assert copy.without_backward() is copy


def test_both_directions_are_refused():
    with pytest.raises(ValueError, match="one direction"):
        LanguageModel(10, 4, {"cell": "gru", "units": 3, "bidirectional": True})

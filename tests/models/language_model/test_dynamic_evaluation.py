import numpy as np
import pytest
import tensorflow as tf

from data.batches.streams import Streams
from models.language_model.dynamic_evaluation import DynamicEvaluation
from models.language_model.ensemble import LanguageModelEnsemble
from models.language_model.language_model import LanguageModel

LENGTH = 4


def language_model(**settings):
    tf.keras.utils.set_random_seed(0)
    return LanguageModel(9, 4, {"cell": "lstm", "units": 5}, **settings)


def streams(*texts, **arguments):
    return Streams(tf.ragged.constant(texts, dtype=tf.int32), 1, LENGTH, **arguments)


def nats_by_hand(model, ids):
    """The nats of each window of one text, for a model that stays as it is."""
    read, right = [2, *ids], [*ids, 3]
    logits, _ = model(tf.constant([read]))
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits([right], logits).numpy()[0]
    return [losses[at : at + LENGTH].sum() for at in range(0, len(losses), LENGTH)]


@pytest.mark.parametrize("tied", [False, True])
def test_without_learning_the_nats_are_those_of_the_model(tied):
    model, ids = language_model(tied=tied), [4, 5, 6, 7, 8, 4, 5, 6, 7]
    nats = DynamicEvaluation(model, 0.0).nats(streams(ids))
    np.testing.assert_allclose(nats, nats_by_hand(model, ids), rtol=1e-5)


def test_a_window_is_measured_before_it_is_learned():
    model, ids = language_model(), [4, 5, 6, 7] * 20
    still = nats_by_hand(model, ids)
    nats = DynamicEvaluation(model, 0.01).nats(streams(ids))
    assert nats[0] == pytest.approx(still[0], rel=1e-5)
    # What comes again and again is learned.
    assert nats[10:20].mean() < 0.9 * np.mean(still[10:20])


def test_the_first_step_is_that_of_the_rule():
    model = language_model()
    bias, dynamic = model.output_layer.bias, DynamicEvaluation(model, 0.01)
    trained = [tf.identity(each) for each in model.trainable_weights]
    squares = [tf.Variable(tf.zeros_like(each)) for each in trained]
    inputs, targets = next(iter(streams([4, 5, 6], ends=False).dataset()))
    *_, gradients = dynamic._measure(inputs, targets, model.initial_states(1))
    dynamic._learn(trained, squares, gradients, tf.constant(1.0))
    sizes = np.concatenate([np.abs(each).ravel() for each in gradients])
    at = next(i for i, each in enumerate(model.trainable_weights) if each is bias)
    gradient = gradients[at].numpy()
    expected = trained[at] - 0.01 * gradient / (np.abs(gradient) + sizes.mean())
    np.testing.assert_allclose(bias, expected, rtol=1e-4, atol=1e-7)


def test_the_weights_are_its_own_again_also_after_an_error():
    model = language_model()
    before = model.get_weights()

    class Broken(Streams):
        def dataset(self, epoch=0, start=0):
            yield from super().dataset(epoch, start).take(2)
            raise RuntimeError("gone")

    broken = Broken(tf.ragged.constant([[4, 5, 6, 7] * 4], dtype=tf.int32), 1, LENGTH)
    with pytest.raises(RuntimeError, match="gone"):
        DynamicEvaluation(model, 0.01).nats(broken)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_texts_begin_anew_and_classes_are_read():
    model = language_model(num_labels=2)
    texts = [4, 5, 6], [4, 5, 6]
    nats = DynamicEvaluation(model, 0.0).nats(streams(*texts, labels=np.array([1, 1])))
    assert nats[0] == pytest.approx(nats[1], rel=1e-5)
    other = DynamicEvaluation(model, 0.0).nats(streams(*texts, labels=np.array([1, 0])))
    assert other[0] == pytest.approx(nats[0]) and other[1] != pytest.approx(nats[1], rel=1e-5)


def test_an_ensemble_learns_too():
    ensemble = LanguageModelEnsemble([language_model(), language_model(tied=True)])
    ids = [4, 5, 6, 7] * 20
    still = DynamicEvaluation(ensemble, 0.0).nats(streams(ids))
    assert DynamicEvaluation(ensemble, 0.01).nats(streams(ids))[10:].sum() < 0.9 * still[10:].sum()

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal

from models.crf.layer import LinearChainCRF, bio_constraints

TAGS = ("O", "B-X", "I-X")
MASKS = {
    "whole": [[1, 1, 1, 1], [1, 1, 1, 1]],
    "padded right": [[1, 1, 1, 0], [1, 0, 0, 0]],
    "padded left": [[0, 0, 1, 1], [0, 1, 1, 1]],
    "with holes": [[1, 0, 1, 1], [0, 1, 0, 1]],
}
MASKS = {name: np.array(mask, bool) for name, mask in MASKS.items()}
# All in one batch, and so in one graph: no row knows of the others.
MASK = np.concatenate([*MASKS.values()])


def crf(allowed=None, seed=0):
    layer = LinearChainCRF(3, allowed)
    layer.build((None, None, 3))
    generator = np.random.default_rng(seed)
    layer.set_weights([generator.normal(size=w.shape) for w in layer.get_weights()])
    return layer


def emissions(rows=2, seed=1, scale=1.0):
    generator = np.random.default_rng(seed)
    return tf.constant(scale * generator.normal(size=(rows, 4, 3)), tf.float32)


def score(weights, forbidden, row, path):
    """A path's score, written out; `row` are the emissions of the real steps."""
    transitions, start, end = weights
    total = start[path[0]] + forbidden[3, path[0]] + end[path[-1]]
    total += sum(row[t, tag] for t, tag in enumerate(path))
    pairs = itertools.pairwise(path)
    return total + sum(transitions[a, b] + forbidden[a, b] for a, b in pairs)


def enumerated(layer, x, mask):
    """For each row all paths over its real steps, and their scores, the best first."""
    weights = layer.get_weights()
    forbidden = np.where(np.array(layer.allowed or np.ones((4, 3), bool)), 0.0, -1e4)
    for row, real in zip(np.asarray(x, np.float64), np.array(mask, bool), strict=True):
        paths = list(itertools.product(range(3), repeat=int(real.sum())))
        scores = np.array([score(weights, forbidden, row[real], path) for path in paths])
        order = np.argsort(-scores)
        yield np.array(paths)[order], scores[order], real


def log_sum(scores):
    return scores.max() + np.log(np.exp(scores - scores.max()).sum())


def at_real_steps(rows, mask):
    """Rows of real steps, put at their places and 0 elsewhere."""
    placed = np.zeros((len(mask), len(mask[0]), *np.shape(rows[0])[1:]), np.asarray(rows[0]).dtype)
    for i, (row, real) in enumerate(zip(rows, np.array(mask, bool), strict=True)):
        placed[i, real] = row
    return placed


@pytest.fixture(params=[True, False], ids=["compiled", "eager"])
def call(request):
    """Calls a function in a graph, where the loops are compiled, or eagerly."""
    return (
        (lambda f, *a: tf.function(f, autograph=False)(*a))
        if request.param
        else (lambda f, *a: f(*a))
    )


@pytest.mark.parametrize("allowed", [None, bio_constraints(TAGS)], ids=["free", "BIO"])
def test_the_log_likelihood_is_that_of_an_enumeration_of_all_paths(allowed, call):
    layer, x = crf(allowed), emissions(len(MASK))
    paths = [paths[len(paths) // 4] for paths, _, _ in enumerated(layer, x, MASK)]
    scores = [scores[len(scores) // 4] for _, scores, _ in enumerated(layer, x, MASK)]
    totals = [log_sum(scores) for _, scores, _ in enumerated(layer, x, MASK)]
    tags = at_real_steps(paths, MASK)
    found = call(layer.log_likelihood, x, tf.constant(tags), tf.constant(MASK))
    assert_allclose(found, np.subtract(scores, totals), rtol=1e-5, atol=1e-4)


def test_its_gradients_are_finite_differences_of_the_enumeration(call):
    tags = np.array([[0, 1, 2, 0], [2, 0, 1, 1]] * len(MASKS))
    layer, x, mask = crf(), emissions(len(MASK)), tf.constant(MASK)
    shares = tf.constant([1.0, 0.5] * len(MASKS))

    def gradients(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = tf.reduce_sum(shares * layer.log_likelihood(x, tf.constant(tags), mask))
        return tape.gradient(value, [x, *(weight.value for weight in layer.weights)])

    def enumeration(x):
        value = 0.0
        for i, (_, scores, real) in enumerate(enumerated(layer, x, MASK)):
            row = np.asarray(x, np.float64)[i][real]
            own = score(layer.get_weights(), np.zeros((4, 3)), row, tags[i][real])
            value += shares[i].numpy() * (own - log_sum(scores))
        return value

    by_x, *by_weights = call(gradients, x)
    step, weights = 1e-3, layer.get_weights()
    steps = [(0, 0, 1), (0, 2, 2), (1, 1, 0), (1, 3, 1)]
    for index in [(first + row, *rest) for first in range(0, len(MASK), 2) for row, *rest in steps]:
        moved = np.zeros(x.shape)
        moved[index] = step
        slope = (enumeration(x + moved) - enumeration(x - moved)) / (2 * step)
        assert_allclose(by_x[index], slope, atol=1e-3)
    for number, index in [(0, (0, 1)), (0, (2, 2)), (1, (0,)), (2, (1,))]:
        slopes = []
        for sign in (1, -1):
            moved = [weight.copy() for weight in weights]
            moved[number][index] += sign * step
            layer.set_weights(moved)
            slopes.append(sign * enumeration(x))
        layer.set_weights(weights)
        assert_allclose(by_weights[number][index], sum(slopes) / (2 * step), atol=1e-3)


def test_the_marginals_are_sums_over_all_paths(call):
    layer, x = crf(), emissions(len(MASK))
    expected = []
    for paths, scores, _ in enumerated(layer, x, MASK):
        shares = np.exp(scores - log_sum(scores))
        expected.append(np.stack([shares @ (paths == tag) for tag in range(3)], axis=1))
    found = call(layer.marginals, x, tf.constant(MASK))
    assert_allclose(found, at_real_steps(expected, MASK), atol=1e-5)


@pytest.mark.parametrize("allowed", [None, bio_constraints(TAGS)], ids=["free", "BIO"])
def test_the_best_paths_are_those_of_an_enumeration(allowed, call):
    layer, x = crf(allowed), emissions(len(MASK), scale=2.0)
    found, logs = call(lambda x, mask: layer.n_best(x, 4, mask), x, tf.constant(MASK))
    for row, (paths, scores, real) in enumerate(enumerated(layer, x, MASK)):
        count = min(4, int((scores > -1e3).sum()))
        assert_array_equal(found[row].numpy()[:count, real], paths[:count])
        assert_allclose(logs[row][:count], (scores - log_sum(scores))[:count], rtol=1e-4, atol=1e-4)
        assert not found[row].numpy()[:, ~real].any()
    assert_array_equal(call(layer.decode, x, tf.constant(MASK)), found[:, 0])


@pytest.mark.parametrize("allowed", [None, bio_constraints(TAGS)], ids=["free", "BIO"])
def test_of_fewer_paths_than_wanted_the_rest_have_no_probability(allowed, call):
    layer, x = crf(allowed), emissions()
    mask = np.array([[0, 1, 1, 0], [0, 0, 1, 0]], bool)
    paths, logs = call(lambda x, mask: layer.n_best(x, 12, mask), x, tf.constant(mask))
    for row, (expected, scores, real) in enumerate(enumerated(layer, x, mask)):
        possible = int((scores > -1e3).sum())
        assert possible < 12
        assert_array_equal(paths[row].numpy()[:possible, real], expected[:possible])
        best = (scores - log_sum(scores))[:possible]
        assert_allclose(logs[row][:possible], best, rtol=1e-4, atol=1e-4)
        assert_allclose(np.exp(logs[row]).sum(), 1.0, atol=1e-4)
        assert np.isneginf(logs[row][possible:]).all()


@pytest.mark.parametrize("allowed", [None, bio_constraints(TAGS)], ids=["free", "BIO"])
def test_a_row_without_a_step_has_one_path_of_probability_1(allowed, call):
    layer, x = crf(allowed), emissions()
    mask = tf.constant([[True, False, True, False], [False] * 4])
    paths, logs = call(lambda x, mask: layer.n_best(x, 3, mask), x, mask)
    alone, logs_alone = layer.n_best(x[:1], 3, mask[:1])
    assert_array_equal(paths[:1], alone)
    assert_allclose(logs[:1], logs_alone, rtol=1e-5)
    assert logs[1].numpy().tolist() == [0.0, -np.inf, -np.inf]
    assert not paths[1].numpy().any()
    assert not call(layer.decode, x, mask)[1].numpy().any()
    assert not call(layer.marginals, x, mask)[1].numpy().any()
    tags = tf.zeros([2, 4], tf.int32)
    assert call(layer.log_likelihood, x, tags, mask)[1] == 0.0


@pytest.mark.parametrize("rows", [0, 2])
def test_an_empty_time_axis_decodes_to_nothing(rows, call):
    layer = crf(bio_constraints(TAGS))
    x, tags = tf.zeros([rows, 0, 3]), tf.zeros([rows, 0], tf.int32)
    paths, logs = call(lambda x: layer.n_best(x, 2), x)
    assert paths.shape == (rows, 2, 0)
    assert logs.numpy().tolist() == [[0.0, -np.inf]] * rows
    assert call(layer.decode, x).shape == (rows, 0)
    assert call(layer.marginals, x).shape == (rows, 0, 3)
    with tf.GradientTape() as tape:
        likelihood = call(layer.log_likelihood, x, tags)
    assert likelihood.numpy().tolist() == [0.0] * rows
    gradients = tape.gradient(likelihood, layer.trainable_variables)
    assert all(gradient is None or not np.any(gradient) for gradient in gradients)


@pytest.mark.parametrize("steps", [1, 4])
def test_a_batch_without_rows_has_no_paths(steps, call):
    layer, x = crf(), tf.zeros([0, steps, 3])
    paths, logs = call(lambda x: layer.n_best(x, 2), x)
    assert (paths.shape, logs.shape) == ((0, 2, steps), (0, 2))
    assert call(layer.marginals, x).shape == (0, steps, 3)


def test_constraints_hold_against_emissions_that_want_otherwise():
    layer = crf(bio_constraints(TAGS))
    wanted = 50.0 * tf.one_hot([[2, 0, 2, 2]], 3)
    assert layer.decode(wanted).numpy().tolist() == [[1, 0, 1, 2]]


def test_constraints_of_bio_with_two_types():
    allowed = bio_constraints(("O", "B-X", "I-X", "B-Y", "I-Y"))
    assert allowed[0] == [True, True, False, True, False]  # after O
    assert allowed[1] == allowed[2] == [True, True, True, True, False]  # after B-X and I-X
    assert allowed[5] == allowed[0]  # at the start


def test_what_stands_where_it_is_masked_changes_nothing():
    layer, mask = crf(), tf.constant(MASKS["with holes"], tf.bool)
    tags, x = tf.constant([[1, 0, 2, 0], [0, 1, 0, 2]]), emissions()
    other = tf.where(mask[:, :, None], x, 1e3)
    likelihood = layer.log_likelihood(other, tf.where(mask, tags, 2), mask)
    assert_allclose(likelihood, layer.log_likelihood(x, tags, mask), rtol=1e-5)
    assert_array_equal(layer.decode(other, mask), layer.decode(x, mask))


def test_a_text_without_steps_has_likelihood_1_and_no_gradient():
    layer, x = crf(), emissions()
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = layer.log_likelihood(x, tf.zeros([2, 4], tf.int32), tf.zeros([2, 4], tf.bool))
    assert_array_equal(value, [0.0, 0.0])
    assert not tape.gradient(value, x).numpy().any()


def test_long_texts_and_strong_emissions_stay_exact():
    layer = crf()
    x = tf.constant(np.random.default_rng(2).normal(size=(1, 3000, 3)) * 30, tf.float32)
    found = tf.function(layer.marginals, autograph=False)(x)
    assert_allclose(tf.reduce_sum(found, axis=2), np.ones((1, 3000)), atol=1e-4)
    best = tf.function(layer.decode, autograph=False)(x)
    likelihood = tf.function(layer.log_likelihood, autograph=False)(x, best)
    assert -1e3 < float(likelihood[0]) <= 0.5


def test_it_computes_in_float32_in_half_precision():
    layer, x = crf(), emissions()
    expected = layer.log_likelihood(x, tf.zeros([2, 4], tf.int32))
    half = layer.log_likelihood(tf.cast(x, tf.bfloat16), tf.zeros([2, 4], tf.int32))
    assert half.dtype == tf.float32
    assert_allclose(half, expected, rtol=0.05)
    assert layer.compute_dtype == "float32"


def test_it_saves_and_comes_back(tmp_path):
    layer = crf(bio_constraints(TAGS))
    inputs = keras.Input((None, 3))
    model = keras.Model(inputs, layer(inputs))
    model.save(tmp_path / "crf.keras")
    loaded = keras.saving.load_model(tmp_path / "crf.keras").layers[-1]
    assert loaded.get_config() == layer.get_config()
    assert_array_equal(loaded.decode(emissions()), layer.decode(emissions()))
    assert_allclose(loaded.marginals(emissions()), layer.marginals(emissions()))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0,), "num_tags must be at least 1"),
        ((3, [[True] * 3] * 3), "allowed must have 4 rows of 3"),
    ],
)
def test_what_cannot_be_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        LinearChainCRF(*arguments)

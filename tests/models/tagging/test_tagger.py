import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal

from models.layers.embedding import embed
from models.tagging.tagger import Tagger, TaggingLoss

TAGS = ("O", "B-X", "I-X")
INPUTS = {
    "token_ids": np.array([[2, 3, 4, 2], [4, 3, 0, 0]], np.int32),
    "character_ids": np.array([[[2, 3, 0]] * 4, [[3, 0, 0]] * 2 + [[0, 0, 0]] * 2], np.int32),
    "case_ids": np.array([[1, 2, 3, 1], [3, 2, 0, 0]], np.int32),
}
Y = np.array([[1, 2, 3, 1], [2, 1, 0, 0]], np.int32)


def tagger(**options):
    keras.utils.set_random_seed(0)
    settings = {
        "tags": TAGS,
        "vocabulary_size": 5,
        "embedding_dim": 4,
        "recurrent": {"cell": "lstm", "units": 3, "bidirectional": True},
        "character_vocabulary_size": 4,
        "max_word_length": 3,
    }
    return Tagger(**{**settings, **options})


def padded(more):
    """The inputs with so many more steps of padding."""
    widths = {name: [(0, 0), (0, more), (0, 0)][: x.ndim] for name, x in INPUTS.items()}
    return {name: np.pad(x, widths[name]) for name, x in INPUTS.items()}


variants = pytest.mark.parametrize(
    "options",
    [
        {},
        {"head": "softmax"},
        {"characters": "recurrent"},
        {"character_vocabulary_size": 0, "case_features": False},
    ],
    ids=["crf", "softmax", "recurrent characters", "words alone"],
)


@variants
def test_padding_changes_neither_loss_nor_tags(options):
    model = tagger(**options)
    losses, answers = [], []
    for more in (0, 5):
        inputs = {name: x for name, x in padded(more).items() if name in model.input}
        emissions = model(inputs)
        losses.append(
            tf.reduce_sum(model.negative_log_likelihood(emissions, np.pad(Y, [(0, 0), (0, more)])))
        )
        answers.append(model.decode(emissions, tf.constant(inputs["token_ids"] != 0)))
    assert_allclose(*losses, rtol=1e-5)
    for short, long in zip(*answers, strict=True):
        assert_allclose(short, long[:, :4], atol=1e-5)
        assert not long.numpy()[:, 4:].any()
        assert not long.numpy()[1, 2:].any()


SMALL = {"recurrent": {"cell": "lstm", "units": 3}, "character_vocabulary_size": 0}


# Each head and each way to compile has the whole front end once.
@pytest.mark.parametrize(
    ("head", "jit", "options"),
    [
        ("crf", True, {}),
        ("softmax", False, {}),
        ("crf", False, SMALL),
        ("softmax", True, SMALL),
    ],
)
def test_training_lowers_the_loss(head, jit, options, compiled_steps):
    model = tagger(head=head, **options)
    model.compile(keras.optimizers.Adam(0.05), TaggingLoss(), jit_compile=jit)
    inputs = {name: x for name, x in INPUTS.items() if name in model.input}
    history = model.fit(inputs, Y, epochs=16, verbose=0).history["loss"]
    assert history[-1] < 0.7 * history[0]


def test_the_loss_of_a_text_is_the_sum_over_its_tokens():
    model = tagger(head="softmax")
    emissions = tf.zeros([2, 4, 3])
    nll = model.negative_log_likelihood(emissions, Y)
    assert_allclose(TaggingLoss(reduction=None)(Y, nll), np.log(3) * np.array([4, 2]), rtol=1e-6)


def test_weights_of_tags_weigh_tokens_or_whole_texts():
    tokens = np.array([[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 0.0, 0.0]], np.float32)
    texts = np.array([[10.0], [20.0]], np.float32)
    loss = TaggingLoss([1.0, 2.0, 3.0], reduction=None)
    assert_allclose(loss(Y, tokens), [1 + 4 + 9 + 4, 10 + 6])
    assert_allclose(loss(Y, texts), [10 * 7 / 4, 20 * 3 / 2])


def test_regularisation_is_part_of_the_loss():
    losses = []
    for l2 in (0.0, 1.0):
        model = tagger(recurrent={"cell": "lstm", "units": 3, "l2": l2})
        model.compile("sgd", TaggingLoss(), jit_compile=False)
        losses.append(model.evaluate(INPUTS, Y, verbose=0))
    assert losses[1] > losses[0] + 0.1


def test_a_copy_that_weighs_nothing_changes_no_loss():
    model = tagger()
    model.compile("sgd", TaggingLoss(), jit_compile=False)
    alone = model.evaluate({name: x[:1] for name, x in INPUTS.items()}, Y[:1], verbose=0)
    weighed = model.evaluate(INPUTS, Y, sample_weight=np.array([2.0, 0.0]), verbose=0)
    assert_allclose(weighed, alone, rtol=1e-5)


@pytest.mark.parametrize("options", [{}, {"head": "softmax", "characters": "recurrent"}])
def test_it_saves_comes_back_and_goes_on_training(options, tmp_path):
    model = tagger(recurrent={"cell": "lstm", "units": 3}, **options)
    inputs = {name: x for name, x in INPUTS.items() if name in model.input}
    model.compile("adam", TaggingLoss([1.0, 2.0, 3.0]), jit_compile=False)
    model.fit(inputs, Y, verbose=0)
    model.save(tmp_path / "tagger.keras")
    loaded = keras.saving.load_model(tmp_path / "tagger.keras")
    assert_allclose(loaded(inputs), model(inputs), atol=1e-6)
    mask = tf.constant(INPUTS["token_ids"] != 0)
    for ours, theirs in zip(
        model.decode(model(inputs), mask), loaded.decode(loaded(inputs), mask), strict=True
    ):
        assert_allclose(ours, theirs, atol=1e-6)
    again = [each.fit(inputs, Y, verbose=0).history["loss"] for each in (model, loaded)]
    assert_allclose(*again, rtol=1e-5)


def test_word_dropout_leaves_characters_and_case():
    inputs, x, _ = embed(
        5, 4, 0.0, 4, 3, word_dropout=0.9, case_features=True, drop_word_vectors=True
    )
    model = keras.Model(inputs, x)
    keras.utils.set_random_seed(0)
    dropped = model(INPUTS, training=True).numpy()
    whole = model(INPUTS).numpy()
    assert not dropped[0, :, :4].any(axis=1).all()
    assert_array_equal(dropped[:, :, 4:], whole[:, :, 4:])


def test_in_half_precision_emissions_and_loss_are_float32():
    model = tagger(dtype="mixed_bfloat16")
    emissions = model(INPUTS)
    assert emissions.dtype == tf.float32
    assert model.negative_log_likelihood(emissions, Y).dtype == tf.float32


def test_a_shift_changes_the_emission_of_no_entity_alone():
    model = tagger()
    before = model(INPUTS).numpy()
    model.shift_outside(-0.5)
    assert_allclose(model(INPUTS) - before, np.broadcast_to([-0.5, 0.0, 0.0], (2, 4, 3)), atol=1e-6)


def test_an_unknown_head_is_refused():
    with pytest.raises(ValueError, match="Unknown head 'crff'"):
        tagger(head="crff")


@pytest.mark.parametrize("head", ["crf", "softmax"])
def test_the_likelihood_of_several_sequences_is_the_mean_of_theirs(head):
    model = tagger(head=head)
    emissions = model(INPUTS)
    others = np.array([[1, 1, 1, 1], [1, 1, 0, 0]], np.int32)
    expected = np.mean([model.negative_log_likelihood(emissions, tags) for tags in (Y, others)], 0)
    both = np.stack([Y, others], axis=2)
    assert_allclose(model.negative_log_likelihood(emissions, both), expected, rtol=1e-5)


def test_weights_of_several_sequences_are_means():
    texts, loss = np.array([[10.0], [20.0]], np.float32), TaggingLoss([1.0, 2.0, 3.0])
    both = np.stack([Y, np.where(Y > 0, 3, 0)], axis=2)
    # The tags of Y weigh 1.75 and 1.5 on average, the others 3.
    assert_allclose(loss(both, texts), (10 * (1.75 + 3) / 2 + 20 * (1.5 + 3) / 2) / 2)


@pytest.mark.parametrize("head", ["crf", "softmax"])
def test_probable_sequences_are_as_many_as_they_are_probable(head):
    model, count = tagger(head=head), 81
    rng = np.random.default_rng(0)
    emissions = tf.constant(2 * rng.normal(size=(2, 4, 3)), tf.float32)
    mask = tf.constant(Y > 0)
    found = model.probable_tags(emissions, mask, count).numpy()
    assert found.shape == (2, 4, count) and not found[1, 2:].any()
    shares = np.mean(found[:, :, :, None] == np.arange(1, 4), axis=2)
    # All sequences there are were compared, so that tags have their marginal probabilities.
    if head == "crf":
        wanted = model.crf.marginals(emissions, mask)
    else:
        wanted = tf.nn.softmax(emissions) * tf.cast(mask, tf.float32)[:, :, None]
    assert_allclose(shares, wanted, atol=0.08)
    # With one sequence it is the best.
    best = model.probable_tags(emissions, mask, 1).numpy()[:, :, 0]
    assert_array_equal(best, np.where(mask, model.best_tags(emissions, mask) + 1, 0))

import numpy as np
import pytest
import tensorflow as tf
from scipy.stats import chisquare

from data.text.special_tokens import END, PADDING
from models.decoding.constraints import Constraints
from models.decoding.decode import decode
from models.decoding.sampling import Sampling, greedy

# Of a token and the one before it, the logits of the next: ids 4 to 7 are words.
TABLE = np.random.default_rng(1).normal(0, 1.5, [8, 8, 8]).astype(np.float32)


def step(token_ids, state):
    logits = tf.gather_nd(tf.constant(TABLE), tf.stack([state["last"], token_ids], 1))
    return logits, {"last": token_ids, "count": state["count"] + 1}


def after(prompts):
    """The logits and the state after prompts of two tokens."""
    prompts = tf.constant(prompts)
    state = {"last": prompts[:, 0], "count": tf.zeros([tf.shape(prompts)[0], 1])}
    return step(prompts[:, 1], state)


def decoded(prompts=((4, 5),), choose=greedy, max_length=6, **options):
    logits, state = after(prompts)
    options = {"end_id": END, **options}
    return decode(step, logits, state, max_length=max_length, choose=choose, **options)


def followed(prompt, max_length, banned=(0, 2), end=END):
    """The greedy continuation and its log-probability, token by token."""
    last, now = prompt
    ids, total = [], 0.0
    while len(ids) < max_length and end not in ids:
        logits = TABLE[last, now].astype(np.float64)
        shares = logits - np.log(np.exp(logits).sum())
        allowed = np.where(np.isin(range(8), banned), -np.inf, logits)
        last, now = now, int(allowed.argmax())
        ids.append(now)
        total += shares[now]
    return ids, total


PROMPTS = [(a, b) for a in range(4, 8) for b in range(4, 8)]


def test_greedy_ids_lengths_and_probabilities_are_those_of_a_loop_in_python():
    found = decoded(PROMPTS, max_length=7)
    expected = [followed(prompt, 7) for prompt in PROMPTS]
    assert {len(ids) for ids, _ in expected} > {7}, "some end and some do not"
    padded = [ids + [PADDING] * (7 - len(ids)) for ids, _ in expected]
    assert found.ids.numpy().tolist() == padded
    assert found.lengths.numpy().tolist() == [len(ids) for ids, _ in expected]
    np.testing.assert_allclose(found.log_probabilities, [total for _, total in expected], rtol=1e-5)


def test_the_loop_ends_when_every_row_has_ended():
    ended = [prompt for prompt in PROMPTS if len(followed(prompt, 9)[0]) < 4][:2]
    calls = []

    def counted(token_ids, state):
        calls.append(1)
        return step(token_ids, state)

    logits, state = after(ended)
    decode(counted, logits, state, max_length=1000, choose=greedy, end_id=END)
    assert len(calls) == max(len(followed(prompt, 9)[0]) for prompt in ended)


def test_without_an_end_all_rows_have_the_full_length():
    found = decoded(PROMPTS, end_id=-1, max_length=5)
    assert found.lengths.numpy().tolist() == [5] * len(PROMPTS)


def test_no_steps_give_nothing():
    found = decoded(max_length=0)
    assert found.ids.shape == [1, 0] and found.lengths.numpy().tolist() == [0]


def test_an_empty_batch_gives_nothing():
    found = decoded(np.zeros([0, 2], np.int32), choose=Sampling(), seed=3)
    assert found.ids.shape == [0, 6]


def test_a_seed_repeats_exactly_and_another_differs():
    first, again, other = (
        decoded(PROMPTS, Sampling(), seed=seed, max_length=20, end_id=-1).ids.numpy().tolist()
        for seed in (3, 3, 4)
    )
    assert first == again != other


def test_a_sample_does_not_depend_on_the_batch_or_on_the_length():
    seeds = [[5, row] for row in range(len(PROMPTS))]
    found = decoded(PROMPTS, Sampling(), seed=seeds, max_length=12).ids.numpy()
    alone = decoded(PROMPTS[6:7], Sampling(), seed=seeds[6:7], max_length=20).ids.numpy()
    np.testing.assert_array_equal(alone[0, :12], found[6])
    first = decoded(PROMPTS[:3], Sampling(), seed=5, max_length=12).ids.numpy()
    np.testing.assert_array_equal(
        decoded(PROMPTS, Sampling(), seed=5, max_length=12).ids[:3], first
    )


def test_rows_of_one_prompt_are_sampled_by_the_models_probabilities():
    rows = 4000
    choose = Sampling(temperature=1.5)
    options = {"seed": 2, "max_length": 2, "end_id": -1}
    found = tf.function(lambda: decoded([(4, 5)] * rows, choose, **options), autograph=False)()
    pairs = found.ids.numpy() @ [8, 1]

    def shares(logits):
        shares = np.exp(logits / 1.5)
        shares[..., [0, 2]] = 0  # banned
        return shares / shares.sum(-1, keepdims=True)

    expected = (shares(TABLE[4, 5])[:, None] * shares(TABLE[5])).reshape(-1)
    expected = np.float64(expected) / expected.sum(dtype=np.float64)
    possible = expected > 0
    counts = np.bincount(pairs, minlength=64)
    assert not counts[~possible].any()
    assert chisquare(counts[possible], rows * expected[possible]).pvalue > 0.01


def test_constraints_reach_over_the_prompt():
    repeated = [prompt for prompt in PROMPTS if prompt[0] == followed(prompt, 1)[0][0]]
    for prompt in repeated:
        options = {"previous_ids": tf.constant([prompt]), "max_length": 1}
        found = decoded([prompt], constraints=Constraints(no_repeat_ngram=1), **options)
        assert found.ids.numpy()[0, 0] not in prompt
    assert repeated


def test_padding_on_either_side_of_a_prompt_changes_nothing():
    constraints = Constraints(no_repeat_ngram=2, repetition_penalty=1.3)
    found = [
        decoded(constraints=constraints, previous_ids=tf.constant([ids]), end_id=-1).ids.numpy()
        for ids in ([4, 5], [4, 5, 0, 0], [0, 0, 4, 5], [0, 4, 5, 0])
    ]
    for other in found[1:]:
        np.testing.assert_array_equal(other, found[0])


@pytest.mark.parametrize("size", [1, 2, 3])
def test_no_run_of_tokens_comes_twice(size):
    constraints = Constraints(no_repeat_ngram=size)
    ids = decoded(PROMPTS, constraints=constraints, end_id=-1, max_length=20).ids.numpy()
    for row in ids:
        row = row[row != PADDING].tolist()
        runs = [tuple(row[at : at + size]) for at in range(len(row) - size + 1)]
        assert len(set(runs)) == len(runs)


def test_a_row_ends_where_everything_is_banned():
    banned = Constraints(banned_ids=(0, 1, 2, 3, 6, 7), no_repeat_ngram=1)
    found = decoded(constraints=banned, max_length=5)
    assert sorted(found.ids.numpy()[0].tolist()) == [0, 0, 0, 4, 5]
    assert found.lengths.numpy().tolist() == [2]
    assert np.isfinite(found.log_probabilities).all()


def test_rows_end_where_they_are_told_to_stop():
    def stopped(ids, lengths):
        assert ids.shape[1] in (6, None)
        return lengths >= tf.range(tf.size(lengths)) + 1

    found = decoded([(4, 5)] * 3, end_id=-1, stopped=stopped)
    assert found.lengths.numpy().tolist() == [1, 2, 3]
    full = decoded(end_id=-1).ids.numpy()[0]
    for row, ids in enumerate(found.ids.numpy(), 1):
        assert ids.tolist() == [*full[:row], *[PADDING] * (6 - row)]


def test_one_trace_serves_every_parameter():
    numbers = {"temperature": tf.float32, "top_k": tf.int32, "top_p": tf.float32, "seed": tf.int32}
    signature = [tf.TensorSpec([None, 2], tf.int32), tf.TensorSpec([], tf.int32)]
    signature += [tf.TensorSpec([], dtype) for dtype in numbers.values()]

    @tf.function(input_signature=signature, autograph=False)
    def graph(prompts, max_length, temperature, top_k, top_p, seed):
        logits, state = step(
            prompts[:, 1],
            {"last": prompts[:, 0], "count": tf.zeros([tf.shape(prompts)[0], 1])},
        )
        choose = Sampling(temperature, top_k, top_p)
        return decode(
            step, logits, state, max_length=max_length, choose=choose, end_id=END, seed=seed
        )

    for batch, *parameters in [(1, 9, 1.0, 0, 1.0, 3), (3, 4, 0.7, 2, 0.9, 4)]:
        prompts = PROMPTS[:batch]
        found = graph(tf.constant(prompts), *parameters)
        length, *sampling, seed = parameters
        eager = decoded(prompts, Sampling(*sampling), max_length=length, seed=seed)
        np.testing.assert_array_equal(found.ids, eager.ids)
        np.testing.assert_allclose(found.log_probabilities, eager.log_probabilities, rtol=1e-5)
    assert graph(tf.constant(PROMPTS), 7, 0.0, 0, 1.0, 0).ids.numpy().tolist() == (
        decoded(PROMPTS, max_length=7).ids.numpy().tolist()
    )
    assert graph.experimental_get_tracing_count() == 1


@pytest.mark.parametrize("choose", [greedy, Sampling(1.3)])
def test_rows_that_leave_have_the_texts_that_they_would_have_had(choose):
    shift = np.zeros([9, 8], np.float32)
    shift[:, END] = np.linspace(-4, 4, 9)

    def step(token_ids, state, context):
        return tf.gather(tf.constant(TABLE[4]), token_ids) + context, state + 1

    logits, state = tf.constant(TABLE[4, :1] + shift), tf.zeros([9])
    stay, leave = (
        decode(
            step,
            logits,
            state,
            max_length=20,
            choose=choose,
            end_id=END,
            seed=5,
            context=tf.constant(shift),
            leaving=leaving,
        )
        for leaving in (False, True)
    )
    np.testing.assert_array_equal(leave.ids, stay.ids)
    np.testing.assert_array_equal(leave.lengths, stay.lengths)
    np.testing.assert_allclose(leave.log_probabilities, stay.log_probabilities, rtol=1e-6)
    assert len({*stay.lengths.numpy().tolist()}) > 2

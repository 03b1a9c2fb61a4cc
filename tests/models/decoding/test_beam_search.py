import itertools

import numpy as np
import pytest
import tensorflow as tf

from data.text.special_tokens import END, PADDING
from models.decoding.beam_search import beam_search, length_divisor
from models.decoding.constraints import Constraints
from models.decoding.decode import decode
from models.decoding.sampling import greedy

# Of a token and the one before it, the logits of the next: ids 4 to 6 are words.
WORDS = (4, 5, 6)
TABLE = np.random.default_rng(4).normal(0, 1.0, [7, 7, 7]).astype(np.float32)
ONLY_WORDS = Constraints(banned_ids=(0, 1, 2))
PROMPTS = [*itertools.product(WORDS, WORDS)]


def step(token_ids, state):
    logits = tf.gather_nd(tf.constant(TABLE), tf.stack([state["last"], token_ids], 1))
    seen = state["seen"] + tf.one_hot(token_ids, 7)
    return logits, {"last": token_ids, "seen": seen}


def after(prompts):
    prompts = tf.constant(prompts)
    return step(prompts[:, 1], {"last": prompts[:, 0], "seen": tf.zeros([tf.shape(prompts)[0], 7])})


def searched(prompts, beam_width, max_length=4, **options):
    logits, state = after(prompts)
    options = {"end_id": END, "constraints": ONLY_WORDS, **options}
    return beam_search(step, logits, state, beam_width=beam_width, max_length=max_length, **options)


def log_probability(prompt, ids):
    allowed = [END, *WORDS]
    last, now = prompt
    total = 0.0
    for id_ in ids:
        logits = TABLE[last, now][allowed].astype(np.float64)
        total += TABLE[last, now, id_] - np.log(np.exp(logits).sum())
        last, now = now, id_
    return total


def exhaustive(prompt, max_length, alpha=0.0, penalty=lambda prompt, ids: 0.0):
    """All hypotheses that end, by falling score, and then those that do not, so too."""
    found = []
    for length in range(max_length + 1):
        for words in itertools.product(WORDS, repeat=length):
            ids = (*words, END)[:max_length]
            ended = length < max_length
            score = log_probability(prompt, ids) / ((5 + len(ids)) / 6) ** alpha
            found.append((not ended, -score - penalty(prompt, ids), ids))
    return [(ids, -negative) for _, negative, ids in sorted(found)]


def rows_of(found):
    """Ids without padding and scores, as lists."""
    return [
        [
            (tuple(ids[:length]), score)
            for ids, length, score in zip(*row, strict=True)
            if np.isfinite(score)
        ]
        for row in zip(*(each.numpy().tolist() for each in found), strict=True)
    ]


def assert_same(found, expected):
    np.testing.assert_allclose([s for _, s in found], [s for _, s in expected], rtol=1e-4)
    # The same words in another order may be equally probable.
    assert {ids for ids, _ in found} == {ids for ids, _ in expected}
    assert found[0][0] == expected[0][0]


@pytest.mark.parametrize("alpha", [0.0, 0.6, 1.0, 2.5])
def test_a_wide_beam_is_exhaustive_search(alpha):
    # 3 ** 3 beginnings go on in 4 ways: nothing is ever cut.
    found = rows_of(searched(PROMPTS, 108, length_penalty=alpha))
    for prompt, row in zip(PROMPTS, found, strict=True):
        assert_same(row, exhaustive(prompt, 4, alpha)[:108])


@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_a_beam_of_some_width_finds_the_best_of_most_rows(alpha):
    found = rows_of(searched(PROMPTS, 6, length_penalty=alpha))
    best = [exhaustive(prompt, 4, alpha)[0] for prompt in PROMPTS]
    hits = [row[0][0] == ids for row, (ids, _) in zip(found, best, strict=True)]
    assert sum(hits) >= 8


@pytest.mark.parametrize("alpha", [0.0, 1.0, 3.0])
def test_a_beam_of_one_is_greedy(alpha):
    logits, state = after(PROMPTS)
    options = {"max_length": 8, "end_id": END, "constraints": ONLY_WORDS}
    expected = decode(step, logits, state, choose=greedy, **options)
    found = beam_search(step, logits, state, beam_width=1, length_penalty=alpha, **options)
    np.testing.assert_array_equal(found.ids[:, 0], expected.ids)
    np.testing.assert_array_equal(found.lengths[:, 0], expected.lengths)


def test_hypotheses_are_ordered_padded_and_different():
    found = searched(PROMPTS, 5, max_length=7, length_penalty=0.8)
    assert found.ids.shape == [9, 5, 7]
    assert (np.diff(found.scores, axis=1) <= 0).all()
    for ids, lengths in zip(found.ids.numpy(), found.lengths.numpy(), strict=True):
        assert len({tuple(row) for row in ids.tolist()}) == 5
        for row, length in zip(ids.tolist(), lengths, strict=True):
            assert PADDING not in row[:length] and set(row[length:]) <= {PADDING}
            assert END not in row[: length - 1]


def test_scores_are_log_probabilities_by_the_length_penalty():
    found = searched(PROMPTS, 3, max_length=6, length_penalty=0.7)
    for prompt, row in zip(PROMPTS, rows_of(found), strict=True):
        for ids, score in row:
            expected = log_probability(prompt, ids) / ((5 + len(ids)) / 6) ** 0.7
            np.testing.assert_allclose(score, expected, rtol=1e-4)


def test_the_length_penalty_by_hand():
    np.testing.assert_allclose(length_divisor(tf.constant([1, 7, 13]), 1.0), [1, 2, 3])
    np.testing.assert_allclose(length_divisor(tf.constant([1, 7, 19]), 0.5), [1, 2**0.5, 2])


def test_a_penalty_of_the_state_is_part_of_the_score():
    # Each of the words that a hypothesis lacks costs 0.7; the prompt's last one was seen.
    def lacking(state):
        return -0.7 * tf.reduce_sum(tf.cast(state["seen"][:, 4:] == 0, tf.float32), axis=1)

    def penalty(prompt, ids):
        # Without an end the last word was read as well.
        return -0.7 * len({*WORDS} - {prompt[1], *ids})

    found = rows_of(searched(PROMPTS, 108, length_penalty=0.5, penalty=lacking))
    plain = rows_of(searched(PROMPTS, 108, length_penalty=0.5))
    assert [row[0][0] for row in found] != [row[0][0] for row in plain]
    for prompt, row in zip(PROMPTS, found, strict=True):
        assert_same(row, exhaustive(prompt, 4, 0.5, penalty)[:108])


def never_pruned(prompt, beam_width, max_length, alpha):
    """A beam search that goes on to the last length whatever it has found, in Python."""
    alive, ended = [(0.0, ())], []
    for length in range(1, max_length + 1):
        grown = [
            (log_probability(prompt, (*ids, id_)), (*ids, id_))
            for _, ids in alive
            for id_ in (END, *WORDS)
        ]
        grown = sorted(grown, reverse=True)[:beam_width]
        ended += [
            (total / ((5 + length) / 6) ** alpha, ids) for total, ids in grown if ids[-1] == END
        ]
        alive = [(total, ids) for total, ids in grown if ids[-1] != END]
    ended = [(ids, score) for score, ids in sorted(ended, reverse=True)]
    rest = [(ids, total / ((5 + max_length) / 6) ** alpha) for total, ids in alive]
    return (ended + rest)[:beam_width]


@pytest.mark.parametrize("alpha", [0.0, 2.0])
def test_a_search_does_not_stop_before_longer_hypotheses_that_are_better(alpha):
    found = rows_of(searched(PROMPTS, 4, max_length=9, length_penalty=alpha))
    expected = [never_pruned(prompt, 4, 9, alpha) for prompt in PROMPTS]
    for row, wanted in zip(found, expected, strict=True):
        assert_same(row, wanted)
    if alpha:
        # Some of them are longer than four that have ended before: stopping there would lose them.
        assert max(len(row[0][0]) for row in expected) > 5


def test_a_row_is_searched_as_long_as_a_later_end_can_be_better():
    # Every token is as probable after any other. The second of the two hypotheses is at first a
    # word and the end; the length penalty makes it one of all the length there is, much later.
    even = tf.math.log([0.0, 0, 0, 0.5, 0.3, 0.15, 0.05])

    def flat(token_ids, state):
        return tf.zeros([tf.shape(token_ids)[0], 1]) + even, state

    options = {"beam_width": 2, "max_length": 30, "end_id": END, "length_penalty": 2.0}
    found = beam_search(flat, even[None], (), **options)
    assert found.lengths.numpy().tolist() == [[1, 30]]
    longest = (29 * np.log(0.3) + np.log(0.5)) / (35 / 6) ** 2
    np.testing.assert_allclose(found.scores, [[np.log(0.5), longest]], rtol=1e-5)


def test_a_finished_hypothesis_is_never_lost_to_worse_ones():
    # The end is best at once; afterwards others are many, but worse.
    logits = tf.math.log([[0.0, 0, 0, 0.4, 0.2, 0.2, 0.2]])
    even = tf.math.log([0.0, 0, 0, 0.25, 0.25, 0.25, 0.25])

    def flat(token_ids, state):
        return tf.zeros([tf.shape(token_ids)[0], 1]) + even, state

    found = beam_search(flat, logits, (), beam_width=3, max_length=6, end_id=END)
    assert found.ids.numpy()[0, 0].tolist() == [END, 0, 0, 0, 0, 0]
    np.testing.assert_allclose(np.exp(found.scores.numpy()[0, :2]), [0.4, 0.05], rtol=1e-5)


def test_fewer_hypotheses_than_the_beam_is_wide_leave_empty_places():
    only_end = tf.constant([[-9e9, -9e9, -9e9, 0.0]])
    found = beam_search(
        lambda ids, state: (tf.tile(only_end, [tf.size(ids), 1]), state),
        only_end,
        (),
        beam_width=2,
        max_length=3,
        end_id=END,
        constraints=Constraints(banned_ids=(0, 1, 2)),
    )
    assert found.ids.numpy().tolist() == [[[END, 0, 0], [0, 0, 0]]]
    assert found.lengths.numpy().tolist() == [[1, 0]]
    assert found.scores.numpy().tolist() == [[0.0, -np.inf]]


def test_early_stopping_takes_the_first_that_end():
    steps = []

    def counted(token_ids, state):
        steps.append(1)
        return step(token_ids, state)

    logits, state = after(PROMPTS[:1])
    counts = {}
    for early in (False, True):
        steps.clear()
        options = {"beam_width": 3, "max_length": 30, "end_id": END, "length_penalty": 2.0}
        found = beam_search(
            counted, logits, state, early_stopping=early, constraints=ONLY_WORDS, **options
        )
        counts[early] = len(steps)
        assert np.isfinite(found.scores).all()
    assert counts[True] < counts[False]


def test_no_run_of_tokens_comes_twice_in_any_hypothesis():
    constraints = Constraints((0, 1, 2), no_repeat_ngram=2, min_length=4)
    previous = tf.constant(PROMPTS)
    found = searched(PROMPTS, 4, max_length=8, constraints=constraints, previous_ids=previous)
    for prompt, row in zip(PROMPTS, rows_of(found), strict=True):
        for ids, _ in row:
            runs = [*itertools.pairwise([*prompt, *ids])]
            assert len(set(runs)) == len(runs)
            assert len(ids) >= 5 or END not in ids


def test_rows_do_not_depend_on_each_other():
    together = rows_of(searched(PROMPTS, 3, max_length=9, length_penalty=1.2))
    for prompt, expected in zip(PROMPTS, together, strict=True):
        assert_same(rows_of(searched([prompt], 3, max_length=9, length_penalty=1.2))[0], expected)


def test_one_trace_serves_every_parameter():
    signature = [tf.TensorSpec([None, 2], tf.int32), tf.TensorSpec([], tf.int32)]
    signature += [tf.TensorSpec([], tf.float32), tf.TensorSpec([], tf.bool)]

    @tf.function(input_signature=signature, autograph=False)
    def graph(prompts, max_length, alpha, early_stopping):
        state = {"last": prompts[:, 0], "seen": tf.zeros([tf.shape(prompts)[0], 7])}
        logits, state = step(prompts[:, 1], state)
        return beam_search(
            step,
            logits,
            state,
            beam_width=3,
            max_length=max_length,
            end_id=END,
            length_penalty=alpha,
            early_stopping=early_stopping,
            constraints=ONLY_WORDS,
        )

    for batch, length, alpha, early in [(9, 6, 0.5, False), (1, 9, 1.0, True), (0, 4, 0.0, False)]:
        found = graph(tf.constant(PROMPTS[:batch], tf.int32, [batch, 2]), length, alpha, early)
        assert found.ids.shape == [batch, 3, length]
        if batch:
            eager = searched(PROMPTS[:batch], 3, length, length_penalty=alpha, early_stopping=early)
            np.testing.assert_array_equal(found.ids, eager.ids)
    assert graph.experimental_get_tracing_count() == 1


def step_with_context(token_ids, state, context):
    """As `step`, with a vector of each row, of which the beams of the row are together."""
    logits, state = step(token_ids, state)
    beams = tf.shape(token_ids)[0] // tf.shape(context["shift"])[0]
    return logits + tf.repeat(context["shift"], beams, axis=0), state


def test_what_a_row_carries_goes_with_it_when_others_leave():
    # Rows whose end is likely end soon; each has logits of its own.
    shift = np.zeros([9, 7], np.float32)
    shift[:, END] = np.linspace(-4, 4, 9)
    options = {"beam_width": 3, "max_length": 12, "end_id": END, "constraints": ONLY_WORDS}
    options["context"] = {"shift": tf.constant(shift)}

    def lacking(state, context):
        seen = tf.reshape(state["seen"], [tf.shape(context["shift"])[0], -1, 7])
        return -0.1 * tf.reshape(tf.reduce_sum(seen * context["shift"][:, None], axis=-1), [-1])

    logits, state = after(PROMPTS)
    for penalty in (None, lacking):
        stay, leave = (
            beam_search(
                step_with_context, logits, state, leaving=leaving, penalty=penalty, **options
            )
            for leaving in (False, True)
        )
        np.testing.assert_array_equal(leave.ids, stay.ids)
        np.testing.assert_array_equal(leave.lengths, stay.lengths)
        np.testing.assert_allclose(leave.scores, stay.scores, rtol=1e-6)
        assert len({*stay.lengths.numpy()[:, 0].tolist()}) > 2

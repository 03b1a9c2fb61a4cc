"""Batches that are answered side by side come back in order."""

import threading
import time
from concurrent.futures import Future

import pytest

from apps.serving import windows
from apps.serving.windows import answer_in_threads, answer_side_by_side, cut_batches


@pytest.fixture(autouse=True)
def one_text_a_batch(monkeypatch):
    monkeypatch.setattr(windows, "MOST_AT_ONCE", 1)


def test_rows_keep_their_order_whichever_batch_is_done_first():
    both = threading.Barrier(2, timeout=60)

    def compute(texts):
        # The first and the longest batch waits for another one, so there are two at once.
        if len(texts[0]) >= 3:
            both.wait()
            time.sleep(0.05 * (len(texts[0]) - 3))
        return texts

    finished = []

    def finish(texts):
        finished.append((threading.get_ident(), len(texts[0])))
        return [{"text": text} for text in texts]

    given = [["a", "dddd", "ccc"], [], ["bb", "a"]]
    found = [[row["text"] for row in rows] for rows in answer_in_threads(compute, finish, given)]
    assert found == given
    # In the order of the batches, by the one who asks: a summary of all answers is the same always.
    assert finished == [(threading.get_ident(), length) for length in (4, 3, 1, 2, 1)]


def test_windows_are_read_while_few_batches_wait():
    begun, read = [], []

    def begin(texts):
        begun.append(texts)
        future = Future()
        future.set_result(texts)
        return future

    def source():
        for number in range(6):
            read.append(number)
            yield ["one", "two"]

    answers = answer_side_by_side(begin, lambda texts: [{}] * len(texts), 3, source())
    for number in range(6):
        assert next(answers) == [{}, {}]
        assert len(read) == min(number + 2, 6)
    assert not list(answers)


def test_what_waits_is_cancelled_when_a_batch_fails():
    futures = [Future() for _ in range(4)]
    begun = iter(futures)
    futures[0].set_exception(ValueError("no"))
    answers = answer_side_by_side(lambda _: next(begun), list, 9, [["a", "b"], ["c", "d"]])
    with pytest.raises(ValueError, match="no"):
        next(answers)
    assert all(future.cancelled() for future in futures[2:])


@pytest.mark.parametrize(
    ("longer", "shorter"),
    [
        ("it 's so good", "it's so good"),
        ("no! no?", "no............."),
        ("see http www x com", "see https://x.com/a/b?c=d&e=f"),
        ("@ ann", "@ann"),
        ("a & b", "&amp; b"),
    ],
)
def test_what_becomes_one_token_counts_as_one(longer, shorter):
    assert cut_batches([shorter, longer]) == [[1], [0]]

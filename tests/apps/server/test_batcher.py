import asyncio

import pytest

from apps.server.models.batcher import Batcher, QueueFull


def run(test):
    return asyncio.run(asyncio.wait_for(test, 10))


class Model:
    """Answers a text with itself in capitals, when it may."""

    def __init__(self, busy=False):
        self.batches, self.free = [], asyncio.Event()
        if not busy:
            self.free.set()

    async def answer(self, texts):
        self.batches.append(texts)
        await self.free.wait()
        if "bad" in texts:
            raise ValueError("bad")
        return [text.upper() for text in texts]


async def settle():
    for _ in range(10):
        await asyncio.sleep(0)


def test_what_waits_while_the_model_is_busy_is_one_batch_and_each_gets_its_own_answers():
    async def test():
        model = Model(busy=True)
        batcher = Batcher(model.answer)
        asked = [asyncio.create_task(batcher.ask([text])) for text in "a"]
        await settle()
        asked += [asyncio.create_task(batcher.ask(texts)) for texts in (["b", "c"], ["d"])]
        await settle()
        model.free.set()
        assert await asyncio.gather(*asked) == [["A"], ["B", "C"], ["D"]]
        assert model.batches == [["a"], ["b", "c", "d"]]

    run(test())


def test_a_batch_holds_texts_of_like_length_around_the_oldest_and_answers_keep_their_order():
    async def test():
        model = Model()
        batcher = Batcher(model.answer, size=2)
        texts = ["xxxx", "x", "xxxxxxxx", "xxxxx", "xx"]
        assert await batcher.ask(texts) == [text.upper() for text in texts]
        assert [sorted(map(len, batch)) for batch in model.batches] == [[4, 5], [1, 2], [8]]

    run(test())


def test_a_batch_has_no_more_characters_than_it_may_with_padding():
    async def test():
        model = Model()
        batcher = Batcher(model.answer, characters=10)
        await batcher.ask(["x" * 4, "x" * 5, "x" * 3, "x" * 30])
        assert [sorted(map(len, batch)) for batch in model.batches] == [[4, 5], [3], [30]]

    run(test())


def test_a_full_queue_refuses_at_once_and_takes_texts_again_when_clients_have_gone():
    async def test():
        model = Model(busy=True)
        batcher = Batcher(model.answer, queue=2)
        first = asyncio.create_task(batcher.ask(["a"]))
        await settle()
        waiting = asyncio.create_task(batcher.ask(["b", "c"]))
        await settle()
        with pytest.raises(QueueFull):
            await batcher.ask(["d"])
        waiting.cancel()
        await settle()
        last = asyncio.create_task(batcher.ask(["d"]))
        model.free.set()
        assert await first == ["A"] and await last == ["D"]
        assert model.batches == [["a"], ["d"]], "what nobody waits for is not computed"

    run(test())


def test_what_fails_for_one_client_is_answered_for_the_others():
    async def test():
        model = Model(busy=True)
        batcher = Batcher(model.answer)
        first = asyncio.create_task(batcher.ask(["a"]))
        await settle()
        bad, good = (asyncio.create_task(batcher.ask([text])) for text in ("bad", "b"))
        await settle()
        model.free.set()
        assert await first == ["A"] and await good == ["B"]
        with pytest.raises(ValueError, match="bad"):
            await bad

    run(test())


def test_a_batch_waits_for_more_texts_if_it_shall():
    async def test():
        model = Model()
        batcher = Batcher(model.answer, timeout=0.05)
        first = asyncio.create_task(batcher.ask(["a"]))
        await settle()
        assert await batcher.ask(["b"]) == ["B"] and await first == ["A"]
        assert model.batches == [["a", "b"]]

    run(test())

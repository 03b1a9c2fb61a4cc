"""Work in the processes of a cluster; they run here, one call at a time, and without Ray."""

import logging
from contextlib import contextmanager
from types import ModuleType, SimpleNamespace

import pytest

from apps.cluster import actors
from data.errors import UserError
from data.messages import LOGGER


class Died(Exception):
    pass


class Pool:
    """What `ray.util.ActorPool` does: a call runs when its answer is taken, of the first
    two now the second one, now the first one."""

    def __init__(self, members):
        self.members, self.waiting, self.most, self.place = members, [], 0, 0

    def submit(self, call, value):
        self.waiting.append((call, value))
        self.most = max(self.most, len(self.waiting))

    def get_next_unordered(self):
        self.place = min(1 - self.place, len(self.waiting) - 1)
        call, value = self.waiting.pop(self.place)
        return call(self.members[0], value)


class Ray:
    """Makes one actor; `pool` is the last pool that was made of it."""

    exceptions = SimpleNamespace(RayError=Died)

    def __init__(self, monkeypatch, processors=2):
        self.processors, self.options, self.killed, self.pool = processors, None, 0, None
        util = ModuleType("ray.util")
        util.ActorPool = self._make_pool
        monkeypatch.setitem(__import__("sys").modules, "ray", ModuleType("ray"))
        monkeypatch.setitem(__import__("sys").modules, "ray.util", util)

        @contextmanager
        def connected(address, workers):
            assert address == "auto"
            yield self

        monkeypatch.setattr(actors, "connected", connected)
        # The process of the tests keeps its folder and its messages.
        monkeypatch.setattr(actors.os, "chdir", lambda folder: None)
        monkeypatch.setattr(actors, "LOGGER", logging.Logger("quiet"))

    def _make_pool(self, members):
        self.pool = Pool(members)
        return self.pool

    def cluster_resources(self):
        return {"CPU": float(self.processors), "GPU": 1.0}

    def remote(self, made):
        def start(*arguments):
            actor = made(*arguments)
            return SimpleNamespace(do=SimpleNamespace(remote=actor.do))

        def options(**options):
            self.options = options
            return SimpleNamespace(remote=start)

        return SimpleNamespace(options=options)

    def kill(self, actor):
        self.killed += 1


@pytest.fixture
def ray(monkeypatch):
    return Ray(monkeypatch)


def work(load, pieces, workers=2):
    return list(actors.work_in_actors(load, pieces, workers, "auto"))


def test_results_come_in_the_order_of_the_pieces_and_few_pieces_are_under_way(ray):
    read = []

    def pieces():
        for number in range(6):
            read.append(number)
            yield number

    results = actors.work_in_actors(lambda: lambda piece: piece * 10, pieces(), 2, "auto")
    assert next(results) == 0 and len(read) < 6
    assert [0, *results] == [0, 10, 20, 30, 40, 50]
    assert ray.pool.most == 3 and ray.killed == 2
    assert (ray.options["num_cpus"], ray.options["num_gpus"]) == (1, 0.5)


def test_a_process_loads_once(ray):
    loaded = []

    def load():
        loaded.append(1)
        return lambda piece: piece

    assert work(load, [1, 2, 3]) == [1, 2, 3] and loaded == [1]


def test_a_mistake_of_a_user_and_deaths_end_the_work_in_one_line(ray):
    def refuse():
        raise UserError("the model is damaged")

    with pytest.raises(UserError, match=r"^the model is damaged$"):
        work(refuse, [1])

    def die(piece):
        raise Died("the actor died\nand so on")

    with pytest.raises(UserError, match=r"3 processes ended .* work: the actor died\. If"):
        work(lambda: die, [1])
    assert ray.killed == 4


def test_a_cluster_that_is_too_small_is_mentioned(ray, capsys):
    assert work(lambda: lambda piece: piece, [7], workers=3) == [7]
    assert capsys.readouterr().err == ("the cluster has 2 processors: 3 processes wait for more\n")
    assert LOGGER.handlers


def test_without_work_nothing_is_done(ray):
    assert work(lambda: lambda piece: piece, []) == []

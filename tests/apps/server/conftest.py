"""A server with a model that needs no training."""

import threading
from pathlib import Path

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("fastapi_offline")
pytest.importorskip("prometheus_client")

from starlette.testclient import TestClient

from apps.config.serving import ServeOptions


class Toy:
    """Answers with the number of characters; records the batches that it got."""

    application, name, kind = "toy", "onnx", "classifier"
    class_names, thresholds, modes = ("long", "short"), {"long": 0.5}, ("explain",)
    takes_empty = streams = False

    def __init__(self):
        self.batches = []
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    def answer(self, texts, mode=""):
        assert self.may_go_on.wait(10)
        self.batches.append(list(texts))
        if "fault" in texts:
            raise RuntimeError("SECRET")
        return [
            {"predicted_label": "long", "score": len(text) / 100, "mode": mode} for text in texts
        ]


class Teller(Toy):
    """Continues a text by a word at a time, up to `max_length` words."""

    kind, modes, takes_empty, streams = "language model", (), True, True

    def follow(self, text, options, on_piece):
        words = [f" w{i}" for i in range(options["max_length"])]
        for word in words:
            if on_piece(word):
                break
        return {"continuation": "".join(words), "log_likelihood": -1.5}


@pytest.fixture
def engines():
    """The engines that a server loads, by the last part of their folder's path."""
    return {"toy": Toy(), "teller": Teller()}


@pytest.fixture
def exports(tmp_path):
    """A folder with the version 1 of an export for each engine."""
    for name in ("toy", "teller"):
        add_version(tmp_path / name, 1)
    return tmp_path


def add_version(folder, number):
    version = Path(folder) / str(number)
    version.mkdir(parents=True)
    (version / "model.onnx").touch()


@pytest.fixture
def service(exports, engines):
    """Makes a service of the toy models with options."""
    from apps.server.service import Service

    def make(names=("toy", "teller"), **options):
        def load(path, options):
            return engines[path.parent.name]

        return Service({name: exports / name for name in names}, ServeOptions(**options), load)

    return make


@pytest.fixture
def serving(service):
    """Makes a client of a server with options; its models are loaded."""
    from apps.server.app import make_app

    clients = []

    def make(names=("toy", "teller"), **options):
        found = service(names, **options)
        client = TestClient(make_app(found), raise_server_exceptions=False)
        client.__enter__()
        clients.append(client)
        for _ in range(1000):
            if client.get("/v2/health/ready").status_code == 200:
                break
        client.service = found
        return client

    yield make
    for client in clients:
        client.__exit__(None, None, None)

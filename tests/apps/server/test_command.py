import importlib.util
import json
import socket
import threading
import time
import urllib.request

import pytest

from apps.config.serving import ServeOptions
from apps.server import command
from data.errors import UserError


def test_the_help_needs_neither_tensorflow_nor_the_extra(python_process):
    finished = python_process(
        "import sys; sys.modules['fastapi'] = None\n"
        "from apps.__main__ import main\n"
        "try:\n    main(['serve', '--help-all'])\n"
        "except SystemExit as end:\n    assert end.code == 0\n"
        "assert not {'tensorflow', 'uvicorn', 'numpy'} & {*sys.modules}"
    )
    assert finished.returncode == 0, finished.stderr
    assert "--token-file" in finished.stdout


def test_a_missing_package_is_named_with_its_extra(monkeypatch):
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: name != "prometheus_client" or None
    )
    with pytest.raises(UserError, match=r"prometheus-client.*recurrent-text-suite\[serve\]"):
        command.serve(["runs/x"], ServeOptions())


@pytest.mark.parametrize(
    ("models", "message"),
    [
        (["{0}/toy", "toy={0}/teller"], "two models are called 'toy'"),
        (["{0}"], "no run and no export in"),
    ],
)
def test_what_cannot_be_served_is_refused_before_anything_slow(exports, models, message):
    with pytest.raises(UserError, match=message):
        command.serve([each.format(exports) for each in models], ServeOptions())


def test_a_port_that_is_taken_is_refused(exports):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        options = ServeOptions(port=taken.getsockname()[1])
        with pytest.raises(UserError, match=r"cannot listen on 127.0.0.1.*Choose another"):
            command.serve([str(exports / "toy")], options)


def test_small_answers_are_sent_at_once():
    with command._listen(ServeOptions(port=0)) as listening:
        assert listening.proto == socket.IPPROTO_TCP, "else asyncio leaves TCP_NODELAY out"


@pytest.fixture
def running(service):
    """A server in a thread; returns it and its address."""
    import uvicorn

    from apps.server.app import make_app

    found = service(poll=0.0)
    options = ServeOptions(port=0)
    listening = command._listen(options)
    server = uvicorn.Server(command._config(make_app(found), options))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    for _ in range(1000):
        if server.started and found.ready:
            break
        time.sleep(0.01)
    yield server, f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join(20)
    listening.close()


def test_what_was_accepted_is_answered_when_the_server_is_told_to_end(running, engines):
    server, address = running
    toy, answers = engines["toy"], []

    def ask():
        body = json.dumps({"texts": ["ab"]}).encode()
        request = urllib.request.Request(f"{address}/api/toy", body)
        with urllib.request.urlopen(request, timeout=20) as response:
            answers.append(json.load(response)["answers"][0]["score"])

    toy.may_go_on.clear()
    asking = [threading.Thread(target=ask) for _ in range(4)]
    for thread in asking:
        thread.start()
    for _ in range(1000):
        if len(server.server_state.tasks) == 4:
            break
        time.sleep(0.01)
    server.should_exit = True
    while server.servers and server.servers[0].is_serving():
        time.sleep(0.01)
    toy.may_go_on.set()
    for thread in asking:
        thread.join(20)
    assert answers == [0.02] * 4

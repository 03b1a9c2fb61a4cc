"""What a command does while a group of processes trains, and when it ends; without Ray."""

import logging
import os
import sys
from types import ModuleType, SimpleNamespace

import pytest

from apps.cluster import connection, group
from apps.cluster.mailbox import Mailbox, MailHandler
from data.errors import UserError


class Remote:
    """A mailbox that is called as an actor of Ray is."""

    def __init__(self):
        own = Mailbox()
        for name in ("put", "take", "count_group"):
            setattr(self, name, SimpleNamespace(remote=getattr(own, name)))


class RayError(Exception):
    pass


def ray(get):
    return SimpleNamespace(get=get, exceptions=SimpleNamespace(RayError=RayError))


def follow(letters, error=None):
    """Follows a training that says these letters and ends as given."""
    mailbox = Remote()

    def fit():
        for letter in letters:
            mailbox.put.remote(*letter)
        if error:
            raise error

    group._follow(ray(lambda answer: answer), mailbox, SimpleNamespace(fit=fit))


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(group, "_POLL_SECONDS", 0.01)


def test_what_the_first_process_says_is_said_here_in_order(capsys):
    follow([("said", logging.INFO, "epoch 1"), ("said", logging.WARNING, "a process was lost")])
    assert capsys.readouterr() == ("epoch 1\n", "a process was lost\n")


def test_a_mistake_there_is_one_here_and_a_fault_keeps_its_traceback():
    with pytest.raises(UserError, match="the disk is full"):
        follow([("mistaken", "the disk is full")])
    with pytest.raises(RuntimeError, match="line 3"):
        follow([("failed", "Traceback ... line 3")])


def test_a_training_whose_processes_die_again_and_again_is_given_up():
    with pytest.raises(UserError, match=r"after 20 deaths of processes: actor died$"):
        follow([], ValueError("actor died\nand so on"))


@pytest.mark.parametrize("error", [RayError("no node\nand so on"), BrokenPipeError("no node")])
def test_the_end_of_ray_is_told_in_one_line(error):
    def get(answer):
        raise error

    with pytest.raises(UserError, match=r"^Ray has ended: no node$"):
        group._follow(ray(get), Remote(), SimpleNamespace(fit=lambda: None))


def test_messages_go_to_the_mailbox_and_groups_are_counted():
    mailbox = Mailbox()
    remote = SimpleNamespace(put=SimpleNamespace(remote=mailbox.put))
    record = logging.LogRecord("x", logging.INFO, "", 0, "epoch %d", (2,), None)
    MailHandler(remote).emit(record)
    assert mailbox.take() == [("said", logging.INFO, "epoch 2")]
    assert mailbox.take() == []
    assert [mailbox.count_group() for _ in range(3)] == [0, 1, 2]


def test_ray_finds_the_ports_of_its_helpers_before_these_start(tmp_path):
    def start_raylet(address, node_id, session_dir, metrics_agent_port=None, **others):
        return {"metrics_agent_port": metrics_agent_port, **others}

    services = SimpleNamespace(start_raylet=start_raylet)
    module = SimpleNamespace(_private=SimpleNamespace(services=services))
    # Ray may be started twice in a process.
    connection._choose_ports(module)
    connection._choose_ports(module)
    given = services.start_raylet("here", "a1", str(tmp_path), metrics_agent_port=0, verbose=1)
    assert given.pop("verbose") == 1 and set(given) == set(connection._PORTS)
    written = {path.name: int(path.read_text()) for path in tmp_path.iterdir()}
    assert written == {f"{name}_a1": port for name, port in given.items()}
    assert min(written.values()) > 1023


class StartedRay(ModuleType):
    """Stands for Ray, and keeps what it was started with."""

    __version__ = "2.60"

    def __init__(self):
        super().__init__("ray")
        constants = SimpleNamespace(ENABLE_RAY_CLUSTER=True)
        worker = SimpleNamespace(print_to_stdstream=print)
        services = SimpleNamespace(start_raylet=lambda: None)
        self._private = SimpleNamespace(ray_constants=constants, worker=worker, services=services)
        self.started = []

    def init(self, **options):
        # Its processes have the same variable.
        is_alone = os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] == "0"
        assert is_alone != self._private.ray_constants.ENABLE_RAY_CLUSTER
        self.started.append((is_alone, options.get("_node_ip_address"), options.get("address")))

    def shutdown(self):
        self.started.append("over")


def test_ray_of_one_machine_listens_on_loopback_and_a_cluster_is_left_alone(monkeypatch, capsys):
    ray = StartedRay()
    monkeypatch.setitem(sys.modules, "ray", ray)
    for name in connection._ENVIRONMENT:
        monkeypatch.setenv(name, "0")
    monkeypatch.setenv("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "1")
    with connection.connected(None, 2):
        pass
    with connection.connected("10.0.0.1:6379", 2):
        # It says nothing on standard output, where answers may be.
        ray._private.worker.print_to_stdstream({"lines": ["a worker died"]}, ignore_prefix=False)
    assert ray.started == [
        (True, "127.0.0.1", None),
        "over",
        (False, None, "10.0.0.1:6379"),
        "over",
    ]
    assert capsys.readouterr().out == "starting Ray ...\n"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--workers", "0"], "--workers must be at least 1. Received: 0"),
        (["--cluster", "auto"], "--cluster takes --workers, of which there is 1. Pass --workers 2"),
        (["--workers", "2", "--jit"], "--jit compiles for one device. Leave --workers out"),
        (["--workers", "2", "--seeds", "3"], "--seeds 3 trains one model after the other."),
        (["--workers", "2", "--find-lr"], "--find-lr tries learning rates in one process."),
    ],
)
def test_what_one_process_does_is_refused_to_several(command, tmp_path, arguments, line):
    answer = command("train", "--run", tmp_path / "run", *arguments)
    assert (answer.status, answer.out) == (2, "") and answer.err.startswith(f"error: {line}")


def test_a_language_model_is_trained_by_one_process(command_of, tmp_path):
    from apps.text_generation import APPLICATION

    answer = command_of(APPLICATION, "train", "--workers", "2", "--run", tmp_path / "run")
    assert answer.status == 2 and "on one device. Leave --workers out" in answer.err


def test_without_ray_several_processes_are_refused_in_one_line(command, tmp_path, monkeypatch):
    monkeypatch.setattr(connection.importlib.util, "find_spec", lambda name: None)
    answer = command("train", "--workers", "2", "--run", tmp_path / "run")
    assert answer.status == 2 and answer.err.count("\n") == 1
    assert 'pip install "recurrent-text-suite[cluster]"' in answer.err


def test_help_does_not_import_ray(python_process):
    code = "import sys; from apps.commands.main import main; from apps.spam import APPLICATION\n"
    code += "try:\n    main(APPLICATION, ['train', '--help-all'])\nexcept SystemExit:\n    pass\n"
    code += "print([name for name in ('ray', 'tensorflow') if name in sys.modules])"
    done = python_process(code)
    assert "--cluster TEXT" in done.stdout and done.stdout.endswith("[]\n"), done.stderr

"""`serve`: answers over HTTP until it is told to stop."""

import dataclasses
import importlib.util
import json
import os
import shutil
import socket
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from apps.config.options import own_options
from apps.config.parser import OneLineParser, add_fields, new_parser
from apps.config.serving import ServeOptions
from apps.pretrained.names import find_run
from apps.training.signals import Signals, Terminated
from data.errors import UserError
from data.messages import say, show_messages, warn

if TYPE_CHECKING:
    import uvicorn
    from fastapi import FastAPI

SUMMARY = "Answer over HTTP by one model or several."
# What a process of several reads its models and options from.
_PASSED = "RECURRENT_TEXT_SERVE"
_PACKAGES = ("fastapi", "uvicorn", "prometheus_client", "fastapi_offline")
# Seconds in which a process must say that it lives, while it imports TensorFlow.
_PATIENCE = 120
# What lasts as long as a process of several.
_PROCESS = ExitStack()


def run(arguments: list[str], program: str = "recurrent-text serve") -> None:
    """Serves models as a command line says.

    Args:
        arguments: of the command line, without the name of the command.
        program: what the help calls the command.

    Raises:
        UserError: an option or a model cannot be used.
    """
    parser = new_parser(program, SUMMARY)
    add_options(parser)
    given = vars(parser.parse_args(arguments))
    serve(given["models"], own_options(ServeOptions, given))


def add_options(parser: OneLineParser) -> None:
    """Adds the options of the command to its parser."""
    parser.usage = f"{parser.prog} [NAME=]DIR ... [options]"
    parser.add_help_all()
    parser.add_argument(
        "models",
        nargs="+",
        metavar="[NAME=]DIR",
        help="folders of runs or exports; without a name the folder's",
    )
    add_fields(parser, ServeOptions, ServeOptions())


def serve(models: Sequence[str], options: ServeOptions) -> None:
    """Answers until SIGTERM or Ctrl-C; what has been accepted is answered then.

    Args:
        models: `NAME=DIR` or `DIR` of each.
        options: of the server.

    Raises:
        UserError: a package is missing, two models have one name, a folder holds none, the port is
            taken, or a model cannot be loaded.
    """
    check_installed()
    from apps.server.models.served_model import find_place, parse_model

    places: dict[str, Path] = {}
    for name, given in map(parse_model, models):
        path = find_run(given)
        if name in places:
            raise UserError(f"two models are called {name!r}. Name one: other={path}")
        if find_place(path) is None:
            raise UserError(f"no run and no export in {path}. Check the path")
        places[name] = path
    options.check()
    options.token()
    if options.host not in ("127.0.0.1", "localhost", "::1") and not options.token_file:
        warn(f"whoever reaches {options.host} may ask: there is no --token-file")
    listening = _listen(options)
    host, port = listening.getsockname()[:2]
    scheme = "https" if options.tls_cert else "http"
    say(f"listening on {scheme}://{f'[{host}]' if ':' in host else host}:{port}")
    with Signals(), closing(listening):
        if options.workers > 1:
            _run_workers(places, options, listening)
        else:
            _run_one(places, options, listening)


def check_installed() -> None:
    """Refuses to go on without the packages of the extra.

    Raises:
        UserError: one is not installed.
    """
    for name in _PACKAGES:
        if importlib.util.find_spec(name) is None:
            raise UserError(
                f"serve needs the package {name.replace('_', '-')}. Install it with: pip install "
                '"recurrent-text-suite[serve]"'
            )


def _listen(options: ServeOptions) -> socket.socket:
    kind = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    # asyncio sends small answers at once (TCP_NODELAY) only where the protocol is named.
    listening = socket.socket(kind, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((options.host, options.port))
    except OSError as error:
        listening.close()
        raise UserError(
            f"cannot listen on {options.host}:{options.port}: {error.strerror}. Choose another "
            "--host or --port"
        ) from None
    listening.set_inheritable(True)
    return listening


def _config(app: Any, options: ServeOptions, **more: Any) -> "uvicorn.Config":
    import uvicorn

    return uvicorn.Config(
        app,
        # Every line of the log is one of the suite's own.
        log_config=None,
        access_log=False,
        server_header=False,
        # Addresses of clients come from the connection, not from a header.
        proxy_headers=False,
        lifespan="on",
        ws="none",
        timeout_graceful_shutdown=max(1, round(options.drain)),
        ssl_certfile=options.tls_cert,
        ssl_keyfile=options.tls_key,
        **more,
    )


def _run_one(places: Mapping[str, Path], options: ServeOptions, listening: socket.socket) -> None:
    import uvicorn

    from apps.server.app import make_app
    from apps.server.service import Service

    service = Service(places, options)

    def stop() -> None:
        server.should_exit = True

    server = uvicorn.Server(_config(make_app(service, stop), options))
    # uvicorn hands the signal on when all that was accepted is answered.
    with suppress(KeyboardInterrupt, Terminated):
        server.run(sockets=[listening])
    if service.failure:
        raise service.failure
    say("stopped")


def _run_workers(
    places: Mapping[str, Path], options: ServeOptions, listening: socket.socket
) -> None:
    from uvicorn.config import STARTUP_FAILURE
    from uvicorn.supervisors import Multiprocess

    folder = tempfile.mkdtemp(prefix="metrics-")
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
    passed = {name: str(path) for name, path in places.items()}
    os.environ[_PASSED] = json.dumps([passed, dataclasses.asdict(options)])
    config = _config(
        "apps.server.command:make_worker_app",
        options,
        factory=True,
        workers=options.workers,
        timeout_worker_healthcheck=_PATIENCE,
    )
    supervisor = Multiprocess(config, [listening])
    try:
        supervisor.run()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if any(each.exitcode == STARTUP_FAILURE for each in supervisor.processes):
        raise UserError("a process could not load a model, see above. Check the folders")
    say("stopped")


def make_worker_app() -> "FastAPI":
    """Returns the application of one process of several, as the first one has passed it on."""
    import uvicorn

    from apps.server.app import make_app
    from apps.server.service import Service

    places, given = json.loads(os.environ[_PASSED])
    # JSON has lists alone.
    options = own_options(ServeOptions, {**given, "cors": tuple(given["cors"])})
    _PROCESS.enter_context(show_messages())
    service = Service({name: Path(path) for name, path in places.items()}, options)

    def stop() -> None:
        warn(f"a model cannot be loaded: {service.failure}")
        os._exit(uvicorn.config.STARTUP_FAILURE)

    return make_app(service, stop)

"""The options of `serve`."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from apps.config.options import Options, option
from apps.config.verbs import ENGINES
from data.errors import UserError


@dataclass(frozen=True)
class ServeOptions(Options):
    """Where a server listens, what it takes, and how it answers."""

    title: ClassVar[str] = "server"
    main: ClassVar[tuple[str, ...]] = ("host", "port", "engine", "demo", "token_file", "workers")

    host: str = option("127.0.0.1", "address to listen on; 0.0.0.0: all of this machine's")
    port: int = option(8501, "port to listen on; 0: any that is free", at_least=0, at_most=65_535)
    engine: str = option("auto", "what computes answers", ENGINES)
    demo: bool = option(False, "page for people under /demo")
    explain: bool = option(False, "explanations of classifiers, too, which take TensorFlow")
    token_file: str | None = option(None, "file with the token that every request must bring")
    tls_cert: str | None = option(None, "certificate of the server, in PEM")
    tls_key: str | None = option(None, "its key, in PEM")
    cors: tuple[str, ...] = option((), "origins whose pages may ask, such as https://example.org")
    workers: int = option(1, "processes, each with all models", at_least=1, at_most=256)
    poll: float = option(
        5.0, "seconds between looks for new versions of the models; 0: none", at_least=0.0
    )
    drain: float = option(
        30.0, "seconds that accepted requests have to end after SIGTERM", at_least=0.0
    )
    log_texts: bool = option(False, "texts of the requests in the log")
    batch_size: int = option(64, "texts in a batch, at most", at_least=1)
    batch_timeout: float = option(
        0.0, "milliseconds that a batch waits for more texts; 0: none", at_least=0.0
    )
    queue: int = option(512, "texts that wait for a model, at most", at_least=1)
    timeout: float = option(30.0, "seconds for a request, at most", at_least=0.001)
    max_body: int = option(2**20, "bytes of a request, at most", at_least=1)
    max_texts: int = option(256, "texts of a request, at most", at_least=1)
    max_characters: int = option(100_000, "characters of a text, at most", at_least=1)
    rate: float = option(0.0, "requests a second of one client, at most; 0: any", at_least=0.0)

    def check(self) -> None:
        super().check()
        if bool(self.tls_cert) != bool(self.tls_key):
            raise UserError("--tls-cert and --tls-key go together. Pass both, or neither")
        for name in ("token_file", "tls_cert", "tls_key"):
            path = getattr(self, name)
            if path is not None and not Path(path).is_file():
                raise UserError(f"no file {path!r}. Check --{name.replace('_', '-')}")
        if self.max_texts > self.queue:
            raise UserError(
                f"--max-texts {self.max_texts} would never fit into --queue {self.queue}. Raise "
                "--queue, or lower --max-texts"
            )

    def token(self) -> str | None:
        """Returns the token that requests must bring, or None.

        Raises:
            UserError: its file is empty, or no text.
        """
        if self.token_file is None:
            return None
        try:
            token = Path(self.token_file).read_text(encoding="ascii").strip()
        except UnicodeDecodeError:
            token = ""
        if not token:
            raise UserError(f"{self.token_file} holds no token in ASCII. Write one into it")
        return token

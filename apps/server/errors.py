"""What a server refuses, as a status, a message, and headers."""

from collections.abc import Iterable

from data.errors import did_you_mean, list_values


class Refusal(Exception):
    """A request that gets no answer; the message is for the client, and names no path.

    Args:
        status: of HTTP.
        message: what was wrong, and where.
        headers: of the response.
    """

    def __init__(self, status: int, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def busy(seconds: int = 1) -> Refusal:
    """Returns what refuses a request since too many texts wait."""
    return Refusal(503, "too many texts are waiting. Ask again later", retry_after=str(seconds))


def unknown(
    kind: str, name: str, names: Iterable[str], status: int = 404, hint: str = ""
) -> Refusal:
    """Returns what refuses a name, with those there are, or with a hint in place of a guess."""
    known = [*names]
    listed = list_values(known, 20) or "none"
    return Refusal(
        status,
        f"no {kind} {name[:60]!r}. There are: {listed}{hint or did_you_mean(name, known)}",
    )

"""The limits of requests: bodies, texts, tokens, and rates."""

import hashlib
import hmac
import json
import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from apps.config.serving import ServeOptions
from apps.server.errors import Refusal

# curl -d sends the second one, tritonclient none at all: both send JSON.
_JSON_TYPES = ("", "application/json", "application/x-www-form-urlencoded")
# Clients whose rates are known at once.
_MOST_CLIENTS = 10_000


def check_headers(headers: Mapping[str, str], options: ServeOptions) -> None:
    """Refuses a body before it is read.

    Raises:
        Refusal: it is too large, packed, or not JSON.
    """
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in _JSON_TYPES:
        raise Refusal(415, f"the body is {kind[:60]!r}. Send application/json")
    packed = headers.get("content-encoding", "identity").strip().lower()
    if packed != "identity":
        raise Refusal(415, f"the body is packed by {packed[:60]!r}. Send it as it is")
    size = headers.get("content-length", "0")
    if size.isdecimal() and len(size) < 20 and int(size) > options.max_body:
        raise too_large(options)


def too_large(options: ServeOptions) -> Refusal:
    """Returns what refuses a body that is too large."""
    return Refusal(413, f"the body has more than {options.max_body:,} bytes. Send less at once")


def parse_body(body: bytes) -> dict[str, Any]:
    """Returns the object in a body.

    Raises:
        Refusal: it is no JSON, or no object.
    """
    try:
        found = json.loads(body.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise Refusal(400, f"the body is not UTF-8: byte {error.start}") from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise Refusal(400, f"the body is no JSON: {error.msg}, {place}") from None
    except (RecursionError, ValueError):
        raise Refusal(400, "the body is nested too deeply, or has too long a number") from None
    if not isinstance(found, dict):
        raise Refusal(400, f"the body is {_kind(found)}. Send an object")
    return found


def check_texts(texts: Any, where: str, options: ServeOptions, empty: bool) -> list[str]:
    """Returns texts that can be answered.

    Args:
        texts: whatever a client has sent.
        where: they stand in the body.
        options: with the limits.
        empty: whether an empty text can be answered.

    Raises:
        Refusal: it is no list of texts, or has too many or too long ones.
    """
    if not isinstance(texts, list):
        raise Refusal(400, f"{where} is {_kind(texts)}. Send a list of texts")
    if not texts:
        raise Refusal(400, f"{where} is empty. Send a text at least")
    if len(texts) > options.max_texts:
        raise Refusal(413, f"{where} has {len(texts):,} texts. Send {options.max_texts:,} at most")
    for place, text in enumerate(texts):
        name = f"{where}[{place}]"
        if not isinstance(text, str):
            raise Refusal(400, f"{name} is {_kind(text)}. Send a text")
        if len(text) > options.max_characters:
            raise Refusal(
                413,
                f"{name} has {len(text):,} characters. Send {options.max_characters:,} at most",
            )
        if not text.strip() and not (empty and not text):
            raise Refusal(400, f"{name} is an empty text. Leave it out")
        if not text.isascii():
            try:
                text.encode("utf-8")
            except UnicodeEncodeError:
                raise Refusal(400, f"{name} has half of a character (a lone surrogate)") from None
    return texts


_KINDS = {dict: "an object", list: "a list", str: "a text", bool: "a truth value"}


def _kind(value: Any) -> str:
    """Returns what JSON calls the type of a value."""
    return "null" if value is None else _KINDS.get(type(value), "a number")


class Tokens:
    """The token that requests must bring.

    Args:
        token: of this server, or None for none.
    """

    def __init__(self, token: str | None) -> None:
        self._digest = hashlib.sha256(token.encode()).digest() if token else None

    def check(self, authorization: str) -> None:
        """Refuses a request without the token.

        Args:
            authorization: the header of that name.

        Raises:
            Refusal: it has none, or a wrong one.
        """
        if self._digest is None:
            return
        scheme, _, token = authorization.partition(" ")
        # Of digests, in constant time: how long it takes says nothing of the token.
        digest = hashlib.sha256(token.strip().encode("utf-8", "replace")).digest()
        if scheme.lower() != "bearer" or not hmac.compare_digest(digest, self._digest):
            raise Refusal(
                401, "the token is missing or wrong. Send Authorization: Bearer TOKEN",
                www_authenticate="Bearer",
            )  # fmt: skip


class Rates:
    """How often each client may ask: so often a second, and twice as often for a moment.

    Args:
        rate: requests a second; 0 for any.
        clock: seconds that only grow.
    """

    def __init__(self, rate: float, clock: Any = time.monotonic) -> None:
        self._rate, self._clock = rate, clock
        # What is left to each client, and since when.
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def check(self, client: str) -> None:
        """Counts a request of a client.

        Raises:
            Refusal: it asks too often.
        """
        if not self._rate:
            return
        now, most = self._clock(), max(1.0, 2 * self._rate)
        left, since = self._left.pop(client, (most, now))
        left = min(most, left + (now - since) * self._rate)
        allowed = left >= 1
        self._left[client] = (left - 1 if allowed else left), now
        if len(self._left) > _MOST_CLIENTS:
            self._left.popitem(last=False)
        if not allowed:
            seconds = max(1, round((1 - left) / self._rate))
            raise Refusal(
                429, f"more than {self._rate:g} requests a second", retry_after=str(seconds)
            )

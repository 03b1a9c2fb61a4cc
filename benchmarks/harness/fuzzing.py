"""Bodies that a description in OpenAPI allows, and bodies that it does not."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode

# A server that cannot answer yet, or no more, says so by this one.
_BUSY = 503


def fuzz(
    schema: Any, path_parameters: dict[str, str], bodies: int, send: Callable[[Any], int]
) -> tuple[Counter[int], list[str]]:
    """Sends bodies to each route that takes one, half of them such as the description allows.

    Args:
        schema: a description, as `schemathesis.openapi` reads it.
        path_parameters: values for the names in the addresses.
        bodies: of all routes together.
        send: sends a `schemathesis.Case` and returns the status of the answer.

    Returns:
        How often each status came, and what was sent wherever the server failed.
    """
    routes = [found.ok() for found in schema.get_all_operations()]
    routes = [route for route in routes if route.method == "post"]
    statuses: Counter[int] = Counter()
    failed: list[str] = []
    each = settings(
        max_examples=-(-bodies // (2 * len(routes))),
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=[*HealthCheck],
    )
    for route in routes:
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            given_case = given(
                case=route.as_strategy(generation_mode=mode, path_parameters=path_parameters)
            )

            def ask(case: Any) -> None:
                status = send(case)
                statuses[status] += 1
                if status >= 500 and status != _BUSY:
                    failed.append(f"{status}: {case.method} {case.formatted_path} {case.body!r}")

            each(given_case(ask))()
    return statuses, failed

"""Whatever a client sends, a server does not fail."""

from pathlib import Path

import pytest

schemathesis = pytest.importorskip("schemathesis")

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"


def test_no_body_makes_a_server_fail(serving, monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    from harness.fuzzing import fuzz

    client = serving()
    schema = schemathesis.openapi.from_dict(client.get("/openapi.json").json())

    def send(case):
        sent = case.as_transport_kwargs(base_url="http://testserver")
        known = ("method", "url", "headers", "json", "params", "content")
        # requests calls bytes "data".
        sent["content"] = sent.pop("data", None)
        return client.request(**{name: sent[name] for name in known if name in sent}).status_code

    statuses, failed = fuzz(schema, {"name": "toy", "version": "1"}, 60, send)
    assert failed == []
    assert sum(statuses.values()) >= 50
    assert statuses[200] and statuses[400]

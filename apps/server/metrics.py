"""The metrics of a server, for Prometheus."""

import os

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)

# Where several processes keep their counts, so that each can show all.
SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_TEXTS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
CONTENT_TYPE = CONTENT_TYPE_LATEST


class Metrics:
    """Counts of requests, times and batches; all names begin with `recurrent_text_`.

    Attributes:
        requests: by route, model and status.
        seconds: that requests took, by route and model.
        texts: answered, by model.
        batch_texts: in a batch, by model.
        queue_texts: that wait, by model.
        version: that answers, by model.
    """

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        name = "recurrent_text_"
        self.requests = Counter(
            f"{name}requests", "Requests.", ["route", "model", "status"], registry=registry
        )
        self.seconds = Histogram(
            f"{name}request_seconds",
            "Seconds from a request to its response.",
            ["route", "model"],
            buckets=_SECONDS,
            registry=registry,
        )
        self.texts = Counter(f"{name}texts", "Answered texts.", ["model"], registry=registry)
        self.batch_texts = Histogram(
            f"{name}batch_texts", "Texts in a batch.", ["model"], buckets=_TEXTS, registry=registry
        )
        self.queue_texts = Gauge(
            f"{name}queue_texts",
            "Texts that wait.",
            ["model"],
            registry=registry,
            multiprocess_mode="livesum",
        )
        self.version = Gauge(
            f"{name}model_version",
            "Version that answers.",
            ["model"],
            registry=registry,
            multiprocess_mode="livemax",
        )

    def show(self) -> bytes:
        """Returns all of them in the text format of Prometheus, of all processes."""
        if SHARED_FOLDER not in os.environ:
            return generate_latest(self._registry)
        merged = CollectorRegistry()
        multiprocess.MultiProcessCollector(merged)
        return generate_latest(merged)

"""What the tests of recurrent layers share."""

import contextlib

import pytest

from models.compilation import xla_loops
from models.recurrent import compiled_batch
from models.recurrent.native import operator


@pytest.fixture(autouse=True)
def batches_in_two_parts(monkeypatch):
    """Batches are cut as they are on two cores, on however many the tests run."""
    monkeypatch.setattr(compiled_batch, "_PARTS", 2)


@pytest.fixture
def ways():
    """The ways in which a recurrence runs in a graph, all but Keras' own loop: for each a function
    that returns a context."""
    has_operator = operator.is_available()
    return [xla_loops, contextlib.nullcontext] if has_operator else [xla_loops]

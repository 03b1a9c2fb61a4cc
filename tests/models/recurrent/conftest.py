"""What the tests of recurrent layers share."""

import pytest

from models.recurrent import compiled_batch


@pytest.fixture(autouse=True)
def batches_in_two_parts(monkeypatch):
    """Batches are cut as they are on two cores, on however many the tests run."""
    monkeypatch.setattr(compiled_batch, "_PARTS", 2)

import shutil
from pathlib import Path

import pytest

RUNS = Path(__file__).parents[2] / "runs"


@pytest.fixture
def recorded(tmp_path):
    """Unpacks a recorded run."""

    def unpack(name):
        shutil.unpack_archive(RUNS / f"{name}.zip", tmp_path / name)
        return next((tmp_path / name).rglob("config.json")).parent

    return unpack


def test_the_pieces_of_a_text_are_together_its_continuation_and_a_client_may_stop_it(recorded):
    from apps.config.serving import ServeOptions
    from apps.server.models.engine import load_engine
    from apps.server.protocols.generation import check_options

    engine = load_engine(recorded("words"), ServeOptions())
    assert (engine.application, engine.kind, engine.name) == (
        "text_generation",
        "language model",
        "tensorflow",
    )
    assert engine.streams and engine.takes_empty and engine.modes == ()
    pieces = []
    options = check_options({"max_length": 24, "seed": 3})
    whole = engine.follow("the", options, pieces.append)
    assert len(pieces) > 1 and "".join(pieces) == whole["continuation"]
    assert engine.follow("the", options, lambda piece: None) == whole, "the same seed"
    stopped = engine.follow("the", options, lambda piece: True)
    assert whole["continuation"].startswith(stopped["continuation"]) and stopped != whole

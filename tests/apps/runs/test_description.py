import pytest

from apps.runs.description import RunDescription
from apps.runs.provenance import Provenance

LEAST = {"format": 1, "application": "spam", "config": {"units": 3}, "checksum": "abc"}
WHOLE = {
    "format": 1,
    "application": "spam",
    "config": {"units": 3},
    "class_names": ["ham", "spam"],
    "decision": {"temperature": 1.5},
    "refit_epochs": 4,
    "command": "train",
    "dataset": "sample",
    "checksum": "abc",
    "seed": 7,
    "devices": ["CPU:0"],
    "mixed_precision": "none",
    "jit": False,
    "accumulate": 1,
    "versions": {"python": "3.11"},
    "model": "seed 7",
    "training_seconds": 1.5,
    "stopped_early": "",
    "files": {"model.keras": "def"},
    "fingerprint": "123",
}


def test_a_description_knows_what_its_json_says():
    description = RunDescription.from_json(WHOLE)
    assert description.application == "spam" and description.config == {"units": 3}
    assert description.class_names == ("ham", "spam")
    assert description.refit_epochs == 4
    assert description.details["decision"] == {"temperature": 1.5}
    assert description.provenance == Provenance(
        "train", "sample", "abc", 7, ["CPU:0"], "none", False, 1, {"python": "3.11"}
    )
    assert (description.training_seconds, description.stopped_early) == (1.5, "")


def test_a_description_is_written_in_the_order_in_which_it_always_was():
    assert list(RunDescription.from_json(WHOLE).to_json().items()) == list(WHOLE.items())


def test_what_an_older_run_lacks_stays_away():
    description = RunDescription.from_json(LEAST)
    assert (description.class_names, description.refit_epochs, description.files) == ((), 0, None)
    assert description.to_json() == LEAST


def test_what_a_newer_run_adds_is_kept():
    assert RunDescription.from_json({**LEAST, "colour": "red"}).to_json()["colour"] == "red"


@pytest.mark.parametrize("name", LEAST)
def test_without_what_every_run_has_there_is_no_description(name):
    with pytest.raises(ValueError, match=name):
        RunDescription.from_json({key: value for key, value in LEAST.items() if key != name})

from types import SimpleNamespace

import keras

from apps.runs.provenance import Provenance, installed_versions


def test_what_a_metric_was_computed_from_is_collected():
    corpus = SimpleNamespace(name="toy", checksum="abc")
    config = SimpleNamespace(seed=3, mixed_precision="none", jit=False, accumulate=2)
    values = Provenance.collect("train", corpus, config, ["CPU:0"]).to_json()
    assert values.pop("versions") == installed_versions()
    assert list(values.items()) == [
        ("command", "train"),
        ("dataset", "toy"),
        ("checksum", "abc"),
        ("seed", 3),
        ("devices", ["CPU:0"]),
        ("mixed_precision", "none"),
        ("jit", False),
        ("accumulate", 2),
    ]


def test_what_is_unknown_is_not_written():
    assert Provenance(checksum="abc").to_json() == {"checksum": "abc"}


def test_versions_are_those_of_what_is_installed():
    assert installed_versions()["keras"] == keras.__version__
    assert {"python", "tensorflow", "numpy"} <= installed_versions().keys()

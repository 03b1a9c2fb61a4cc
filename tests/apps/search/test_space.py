"""Spaces of options: from files to Optuna's distributions."""

import json

import pytest

from apps.catalog import NAMES, find_application
from apps.config.space import Range
from apps.hate_speech import APPLICATION
from apps.search.space import check_space, from_json, holds, read_space, to_distributions, to_json
from data.errors import UserError

optuna = pytest.importorskip("optuna")

CONFIG = APPLICATION.config()


def write(tmp_path, value):
    path = tmp_path / "space.json"
    path.write_text(json.dumps(value))
    return path


@pytest.mark.parametrize("name", NAMES)
def test_every_application_has_a_space_that_its_options_allow(name):
    config = find_application(name).config()
    check_space(config.search_space, config)
    assert "learning_rate" in config.search_space
    assert from_json(json.loads(json.dumps(to_json(config.search_space)))) == config.search_space


def test_a_file_has_values_and_ranges(tmp_path):
    path = write(
        tmp_path,
        {
            "cell": ["gru", "lstm"],
            "units": {"low": 16, "high": 64, "step": 16},
            "learning_rate": {"low": 0.001, "high": 0.01, "log": True},
        },
    )
    space = read_space(path, CONFIG)
    assert space == {
        "cell": ("gru", "lstm"),
        "units": Range(16, 64, step=16),
        "learning_rate": Range(0.001, 0.01, log=True),
    }
    found = to_distributions(space, CONFIG)
    assert found["cell"] == optuna.distributions.CategoricalDistribution(("gru", "lstm"))
    assert found["units"] == optuna.distributions.IntDistribution(16, 64, step=16)
    assert found["learning_rate"] == optuna.distributions.FloatDistribution(0.001, 0.01, log=True)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "holds no object of options"),
        ({}, "holds no object of options"),
        ({"unit": [1, 2]}, "no option 'unit' to search. Did you mean units?"),
        ({"units": 64}, "units is neither a list of values nor an object of low, high"),
        ({"units": {"low": 1}}, "units is neither a list of values nor an object of low, high"),
        ({"units": {"low": 1, "high": "9"}}, "units is neither a list of values nor an object"),
        ({"units": ["64"]}, "--units takes int. Received: '64'"),
        ({"dropout": {"low": 0, "high": 2}}, "--dropout must be below 1.0. Received: 2"),
        ({"dropout": {"low": 0.3, "high": 0.3}}, "the range of 'dropout' is empty"),
        ({"dropout": {"low": 0, "high": 0.3, "log": True}}, "with log begins above 0"),
        ({"dropout": {"low": 0, "high": 0.3, "step": -1}}, "the step of 'dropout' must be above"),
        ({"cell": ["gru", "grue"]}, "unknown --cell 'grue'"),
        ({"dataset": ["a", "b"]}, "'dataset' must be the same in all trials"),
        ({"seed": [0, 1]}, "'seed' must be the same in all trials"),
        ({"epochs": [2, 3]}, "'epochs' must be the same in all trials"),
        ({"pooling": [["max"], ["mean"]]}, "'pooling' takes several values at once"),
    ],
)
def test_what_no_training_takes_is_refused_in_one_line(tmp_path, value, message):
    with pytest.raises(UserError) as caught:
        read_space(write(tmp_path, value), CONFIG)
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_a_recipe_is_a_trial_if_it_lies_in_the_space():
    space = {"cell": ("gru", "lstm"), "units": Range(64, 128)}
    assert holds(space, CONFIG)
    assert not holds({**space, "cell": ("lstm",)}, CONFIG)
    assert not holds({**space, "units": Range(1, 8)}, CONFIG)

import inspect

import keras
import pytest

from apps.config.groups import BidirectionalOptions, RecurrentOptions
from models import registry
from models.attention.factory import ATTENTIONS
from models.classification.thresholds import THRESHOLDS
from models.layers.characters import CHARACTER_ENCODERS
from models.layers.pooling import POOLINGS
from models.optimization.schedules import SCHEDULES
from models.recurrent.factory import CELLS
from models.recurrent.stack import RecurrentStack


@pytest.mark.parametrize(
    ("names", "table"),
    [
        (registry.CELLS, CELLS),
        (registry.POOLINGS, POOLINGS),
        (registry.CHARACTER_ENCODERS, CHARACTER_ENCODERS),
        (registry.ATTENTIONS, ATTENTIONS),
        (registry.SCHEDULES, SCHEDULES),
        (registry.THRESHOLDS, THRESHOLDS),
    ],
    ids=["cells", "poolings", "character encoders", "attentions", "schedules", "thresholds"],
)
def test_each_name_has_an_implementation_and_each_implementation_a_name(names, table):
    assert list(names) == list(table)
    assert len(set(table.values())) == len(names)


def test_each_precision_is_a_dtype_policy_of_keras():
    for policy in registry.PRECISIONS.values():
        assert keras.DTypePolicy(policy).variable_dtype == "float32"


def test_each_initializer_is_one_of_keras():
    found = {type(keras.initializers.get(name)) for name in registry.KERAS_INITIALIZERS}
    assert len(found) == len(registry.KERAS_INITIALIZERS)


def test_each_option_of_a_recurrent_stack_is_an_option_of_a_training():
    arguments = set(inspect.signature(RecurrentStack).parameters)
    options = set(registry.RECURRENT_OPTIONS)
    assert arguments - options == {"use_cudnn", "return_state", "kwargs"}
    fields = RecurrentOptions.__dataclass_fields__ | BidirectionalOptions.__dataclass_fields__
    assert options <= set(fields)


def test_the_configuration_of_a_recurrent_stack_has_all_its_arguments():
    config = RecurrentStack("gru", 2).get_config()
    assert {*registry.RECURRENT_OPTIONS, "use_cudnn", "return_state"} <= set(config)


def test_the_names_are_known_without_tensorflow(python_process):
    imports = "import sys, models.registry, models.decoding.options"
    code = f"{imports}; sys.exit('tensorflow' in sys.modules)"
    assert python_process(code).returncode == 0

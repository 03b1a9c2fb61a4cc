import keras
import pytest

from models import registry
from models.layers import pooling
from models.optimization import schedules
from models.recurrent import cells, layers


@pytest.mark.parametrize("name", registry.CELLS.values())
def test_every_cell_is_a_recurrent_layer_or_a_cell(name):
    if hasattr(layers, name):
        assert issubclass(getattr(layers, name), getattr(keras.layers, name))
    else:
        assert issubclass(getattr(cells, name), keras.layers.Layer)


@pytest.mark.parametrize("name", registry.POOLINGS.values())
def test_every_pooling_is_a_layer(name):
    assert issubclass(getattr(pooling, name), keras.layers.Layer)


@pytest.mark.parametrize("name", registry.SCHEDULES.values())
def test_every_schedule_is_a_function(name):
    assert callable(getattr(schedules, name))


def test_the_names_are_known_without_tensorflow(python_process):
    code = "import sys, models.registry; sys.exit('tensorflow' in sys.modules)"
    assert python_process(code).returncode == 0

"""Several devices, as logical ones of a CPU in a process of their own."""

import csv
import json

import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose

from apps.tasks.classification.config import ClassificationConfig
from apps.training import devices
from data.errors import UserError

TWO_DEVICES = """
import sys
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
two = [tf.config.LogicalDeviceConfiguration()] * 2
tf.config.set_logical_device_configuration(cpu, two)
"""

# Batches of 33: their halves are 17 and 16, and the last has 6 rows.
TRAIN_ON_BOTH = (
    TWO_DEVICES
    + """
from apps.commands.main import main
from apps.hate_speech import APPLICATION
folder, options = sys.argv[1], sys.argv[2:]
for number in ("1", "2"):
    run = f"{folder}/{number}"
    main(APPLICATION, ["train", *options, "--devices", number, "--run", run])
"""
)

# A weight that begins at 10; five updates, of two steps each, take 1 away each. In a process of its
# own: TensorFlow's collective operations of two strategies would meet. And the loss of two
# translations, one a device, of four words and of one, whose probabilities are all a seventh.
ON_BOTH = (
    TWO_DEVICES
    + """
import keras
from models.optimization.adam import Adam
both = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
with both.scope():
    weight = keras.Variable([10.0])
    adam = Adam(1.0, average_decay=0.25, gradient_accumulation_steps=2)
    adam.build([weight])
step = tf.function(lambda: both.run(lambda: adam.apply([tf.constant([1.0])], [weight])))
for _ in range(10):
    step()
copies = both.experimental_local_results(adam.average.averages[0].value)
print(*(copy.numpy().item() for copy in copies))

from models.seq2seq.loss import TranslationLoss
words = [[[4, 5, 6, 3]], [[3, 0, 0, 0]]]
shared = both.experimental_distribute_values_from_function(
    lambda device: tf.constant(words[device.replica_id_in_sync_group])
)
loss = TranslationLoss()
measure = tf.function(lambda ids: both.run(lambda part: loss(part, tf.zeros([1, 4, 7])), [ids]))
print(*(part.numpy().item() for part in both.experimental_local_results(measure(shared))))
"""
)


@pytest.fixture(scope="module")
def runs(tensorflow_process, on_small_samples, tmp_path_factory):
    """The folders of a training on one device and of the same on two."""
    folder = tmp_path_factory.mktemp("devices")
    options = "--epochs 2 --units 3 --embedding-dim 4 --max-tokens 100 --no-characters --dropout 0"
    options += " --no-bidirectional --pooling last --no-linear --max-length 12"
    more = "--batch-size 33 --accumulate 2 --mixed-precision float16 --average-weights 0.5"
    code = on_small_samples + TRAIN_ON_BOTH
    done = tensorflow_process(code, folder, *options.split(), *more.split())
    assert done.returncode == 0, done.stderr
    return folder / "1", folder / "2"


def rows(run, name):
    with (run / name).open() as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def metrics(run):
    return json.loads((run / "metrics.json").read_text())["validation"]


def test_two_devices_learn_what_one_does(runs):
    for one, two in zip(*(rows(run, "history.csv") for run in runs), strict=True):
        for name in ("loss", "val_loss", "gradient_norm", "gradient_norm_max", "learning_rate"):
            assert_allclose(two[name], one[name], rtol=2e-3, atol=1e-6)


@pytest.fixture(scope="module")
def printed(tensorflow_process):
    """The numbers of each line that the process with two devices prints."""
    done = tensorflow_process(ON_BOTH)
    assert done.returncode == 0, done.stderr
    return [[float(word) for word in line.split()] for line in done.stdout.splitlines()]


def test_each_device_averages_an_update_once(printed):
    # By hand in tests/models/test_weight_average.py.
    assert_allclose(printed[0], [5.33125, 5.33125], rtol=1e-5)


def test_a_word_counts_as_much_on_each_device(printed):
    # 2.5 words in a row, as if both were on one device; the sum of both is the loss.
    assert_allclose(printed[1], np.log(7) * np.array([4, 1]) / 2.5 / 2, rtol=1e-6)


def test_the_run_says_which_devices_trained_it(runs):
    one, two = (json.loads((run / "config.json").read_text())["devices"] for run in runs)
    assert [name.rpartition("/")[2] for name in one] == ["device:CPU:0"]
    assert [name.rpartition("/")[2] for name in two] == ["device:CPU:0", "device:CPU:1"]


def test_a_run_of_two_devices_is_evaluated_and_predicts_on_one(runs, command):
    trained = metrics(runs[1])
    assert command("evaluate", "--run", runs[1], "--split", "validation").status == 0
    for name in ("accuracy", "macro_f1"):
        assert metrics(runs[1])[name] == pytest.approx(trained[name])
    answer = command("predict", "--run", runs[1], "a text")
    assert answer.status == 0 and "neither" in answer.out


def test_one_device_changes_nothing():
    with devices.distribution_scope(ClassificationConfig(jit=True)):
        assert not tf.distribute.has_strategy()


def test_a_compiled_step_is_for_one_device(monkeypatch):
    monkeypatch.setattr(devices, "names", lambda most: ["GPU:0", "GPU:1"])
    with pytest.raises(UserError, match="--devices 1"):
        devices.distribution_scope(ClassificationConfig(jit=True))

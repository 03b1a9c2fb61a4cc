"""Two processes that train one model together, without Ray: each is told of the other by a
variable."""

import json

import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose

from apps.runs.tensorflow_files import tensorflow_writing
from apps.training import epochs
from apps.training.epochs import AGREED_BATCHES, ProgressCallback
from data.errors import UserError

# A model of two inputs, of which one has as many columns as the batch is wide. With one process it
# is trained as it is; with two, the parent is the first one.
TRAIN = """
import json, os, socket, sys
ports = []
for _ in range(2):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        ports.append(listener.getsockname()[1])
folder, size = sys.argv[1], int(sys.argv[2])
rank = int(size == 2 and os.fork() == 0)
if size == 2:
    workers = [f"127.0.0.1:{port}" for port in ports]
    task = {"cluster": {"worker": workers}, "task": {"type": "worker", "index": rank}}
    os.environ["TF_CONFIG"] = json.dumps(task)
import contextlib
import keras
import numpy as np
import tensorflow as tf
from apps.training.workers import group
from data.batches.padded import Batches
from models.optimization.adam import Adam
joined = group.join() if size == 2 else None
keras.utils.set_random_seed(1)
with joined.strategy.scope() if joined else contextlib.nullcontext():
    ids = keras.Input([None], dtype="int32", name="token_ids")
    vectors = keras.layers.Embedding(7, 3)(ids)
    logits = keras.layers.Dense(1)(keras.layers.GlobalAveragePooling1D()(vectors))
    model = keras.Model({"token_ids": ids}, logits)
    model.compile(Adam(0.1, global_clipnorm=1.0), "mse", jit_compile=False)
rows = [[1, 2, 3], [4], [5, 6], [1, 1, 2], [3, 3], [6, 5, 4]]
batches = Batches(
    {"token_ids": tf.ragged.constant(rows, tf.int32)}, np.arange(6.0)[:, None], 3, 0, 0, size
)
losses = []
for epoch in range(2):
    losses += model.fit(batches.dataset(epoch), verbose=0, shuffle=False).history["loss"]
found = {"losses": losses, "weights": [w.numpy().tolist() for w in model.weights]}
if joined:
    found["agreed"] = [joined.agree(True), joined.agree(rank == 1), joined.agree(rank == 0)]
    found["devices"] = joined.device_names()
    found["predicted"] = model.predict(batches.dataset(0), verbose=0).ravel().tolist()
with open(f"{folder}/{size}-{rank}.json", "w") as file:
    json.dump(found, file)
if size == 2:
    if rank:
        os._exit(0)
    os.wait()
"""


@pytest.fixture(scope="module")
def trained(tensorflow_process, tmp_path_factory):
    """What one process has learned, and each of two."""
    folder = tmp_path_factory.mktemp("workers")
    for size in (1, 2):
        done = tensorflow_process(TRAIN, folder, size)
        assert done.returncode == 0, done.stderr
    return [json.loads((folder / f"{name}.json").read_text()) for name in ("1-0", "2-0", "2-1")]


def test_two_processes_learn_what_one_does(trained):
    one, first, second = trained
    for each in (first, second):
        assert_allclose(each["losses"], one["losses"], rtol=1e-5)
        for found, expected in zip(each["weights"], one["weights"], strict=True):
            assert_allclose(found, expected, atol=1e-5)
    assert first["weights"] == second["weights"]


def test_the_first_process_decides_and_all_know_all_devices_and_answers(trained):
    _, first, second = trained
    assert first["agreed"] == second["agreed"] == [True, False, True]
    names = [f"/job:worker/replica:0/task:{rank}/device:CPU:0" for rank in (0, 1)]
    assert first["devices"] == second["devices"] == names
    assert first["predicted"] == second["predicted"] and len(first["predicted"]) == 8


def test_processes_ask_after_every_few_batches_whether_a_checkpoint_is_due(monkeypatch):
    class Asked:
        def __init__(self):
            self.wanted = []

        def agree(self, wanted):
            self.wanted.append(wanted)
            return len(self.wanted) == 2

    class Position:
        step = 0

    asked = Asked()
    monkeypatch.setattr(epochs, "joined", lambda: asked)
    # It is always due; the others say no at first.
    callback = ProgressCallback(Position, None, None, None, 0.0)
    due = []
    for Position.step in range(1, 2 * AGREED_BATCHES + 2):
        due.append(callback._is_due())
    assert np.flatnonzero(due).tolist() == [2 * AGREED_BATCHES - 1]
    assert asked.wanted == [True, True]


@pytest.mark.parametrize("lost", [tf.errors.AbortedError, tf.errors.UnavailableError])
def test_a_lost_process_is_no_fault_of_the_disk(tmp_path, lost):
    with pytest.raises(lost), tensorflow_writing(tmp_path):
        raise lost(None, None, "a peer is gone")
    with pytest.raises(UserError, match="No space"), tensorflow_writing(tmp_path):
        raise tf.errors.ResourceExhaustedError(None, None, "No space left")

"""Half precision, end to end: trained in it, then answered without."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    from apps.commands.main import main
    from apps.hate_speech import APPLICATION

    folder = tmp_path_factory.mktemp("half") / "run"
    options = "--epochs 1 --units 3 --embedding-dim 4 --max-tokens 100 --no-characters --no-linear"
    options += " --max-length 12 --no-bidirectional --pooling last"
    more = ["--mixed-precision", "bfloat16", "--run", str(folder)]
    main(APPLICATION, ["train", *options.split(), *more])
    return folder


def test_the_run_says_what_it_was_trained_in(run):
    description = json.loads((run / "config.json").read_text())
    assert description["config"]["mixed_precision"] == "bfloat16"
    report = json.loads((run / "metrics.json").read_text())["validation"]
    assert (report["mixed_precision"], report["jit"], report["accumulate"]) == (
        "bfloat16",
        False,
        1,
    )


def test_the_process_keeps_its_own_precision(run):
    assert keras.config.dtype_policy().name == "float32"


def test_the_saved_model_is_whole(run):
    model = keras.saving.load_model(run / "model.keras", compile=False)
    assert {layer.compute_dtype for layer in model.layers} == {"float32"}


def test_what_is_exported_answers_as_predict_does(run, tmp_path, command):
    texts = ["you fool", "a fine day for a walk"]
    assert command("predict", "--run", run, *texts, "--output", tmp_path / "a.csv").status == 0
    assert command("export", "--run", run, "--output", tmp_path / "model").status == 0
    loaded = tf.saved_model.load(str(tmp_path / "model" / "1")).signatures["serving_default"]
    answer = loaded(texts=tf.constant(texts))
    assert answer["scores"].dtype == tf.float32
    written = np.genfromtxt(tmp_path / "a.csv", delimiter=",", names=True, usecols=(2,))
    np.testing.assert_allclose(answer["scores"][:, 0], written["predicted_score"], atol=1e-5)

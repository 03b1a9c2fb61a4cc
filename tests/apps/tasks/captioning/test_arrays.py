"""What an encoder that stays as it is finds in pictures is computed once, and kept."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

from apps.tasks.captioning.arrays import make_array, mirror_array
from data.batches import pictures
from data.examples.captions import CaptionedPictures


class Ramp:
    """A picture that grows lighter from left to right, by 1 a column."""

    def __init__(self, shade):
        self.digest = str(shade)
        self._pixels = np.full((8, 8, 3), shade, np.uint8)
        self._pixels += np.arange(8, dtype=np.uint8)[:, None]

    def read(self):
        return tf.io.encode_png(self._pixels).numpy()


@pytest.fixture
def captioner():
    """What is asked of a captioner: an encoder that finds the means of the columns of a picture."""
    encoder = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.AveragePooling2D((8, 1))])
    encoder.add(keras.layers.Reshape((8, 3)))
    encoder.trainable = False
    return SimpleNamespace(
        settings={"picture_size": 8, "encoder": "mean"},
        image_encoder=encoder,
        find_features=lambda images: encoder(images, training=False),
    )


def test_all_chunks_of_features_are_kept_also_where_no_bar_is_shown(
    captioner, tmp_path, monkeypatch
):
    # Tests have no terminal, on which alone the bar of progress counts.
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(pictures, "_CHUNK", 2)
    shades = [10, 20, 30, 40, 50]
    examples = CaptionedPictures([Ramp(shade) for shade in shades], [("one",)] * len(shades))
    found = make_array(captioner, examples)
    assert found.shape == (5, 8, 3) and found.dtype == np.float16
    assert found[:, :, 0].tolist() == [list(range(shade, shade + 8)) for shade in shades]
    mirrored = mirror_array(captioner, examples, found)
    assert mirrored.tolist() == found[:, ::-1].tolist()
    captioner.find_features = None  # the file is read, nothing is computed
    assert make_array(captioner, examples).tolist() == found.tolist()

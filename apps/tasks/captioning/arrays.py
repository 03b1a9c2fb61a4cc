"""The pictures of a split as an array: pixels, or what an encoder finds that stays as it is.

Large arrays are files that are mapped into memory. Their names are checksums of what they were
computed from, so that the next training finds them.
"""

import hashlib
import math
from collections.abc import Iterator

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from data.batches.pictures import read_pixels
from data.examples.captions import CaptionedPictures
from data.files.writing import whole_file
from data.graphs import graph
from data.messages import say
from models.captioning.captioner import Captioner
from models.recurrent.native.build import cache_folder

# More bytes than this are mapped from a file; and so is all that took long to compute.
_IN_MEMORY = 2**29
# Of these files: those of the first kind may lack all but the first pictures.
_FORMAT = 2


def make_array(captioner: Captioner, examples: CaptionedPictures) -> np.ndarray:
    """Returns what the trained part of a captioner reads of pictures.

    Args:
        captioner: its encoder has its weights if it stays as it is.
        examples: the pictures.

    Returns:
        Pixels <uint8>[pictures, size, size, 3], or features <float16>[pictures, places, features].

    Raises:
        UserError: a picture cannot be read.
    """
    size, encoder = captioner.settings["picture_size"], captioner.image_encoder
    if encoder.trainable:
        shape: tuple[int, ...] = (len(examples), size, size, 3)
        chunks = read_pixels(examples.pictures, size)
        if math.prod(shape) <= _IN_MEMORY:
            return np.concatenate([np.empty((0, *shape[1:]), np.uint8), *chunks])
        return _map_array(_checksum(examples, size), shape, np.uint8, chunks)
    return _map_features(captioner, examples)


def mirror_array(
    captioner: Captioner, examples: CaptionedPictures, array: np.ndarray
) -> np.ndarray:
    """Returns what `make_array` does of pictures that are turned left for right.

    Args:
        captioner, examples: as `make_array` takes them.
        array: what that returned of them.

    Raises:
        UserError: a picture cannot be read.
    """
    if captioner.image_encoder.trainable:
        return _turn(array)
    return _map_features(captioner, examples, mirrored=True)


def _turn(pixels: np.ndarray) -> np.ndarray:
    """Returns pictures left for right, without a copy."""
    return pixels[:, :, ::-1]


def _map_features(
    captioner: Captioner, examples: CaptionedPictures, mirrored: bool = False
) -> np.ndarray:
    """Returns the features of pictures, as they are or left for right."""
    size = captioner.settings["picture_size"]
    shape = (len(examples), *captioner.image_encoder.output_shape[1:])
    name = _checksum(examples, size, captioner) + ("-mirrored" if mirrored else "")
    chunks = _find_features(captioner, examples, size, mirrored)
    return _map_array(name, shape, np.float16, chunks)


def mean_features(captioner: Captioner, examples: CaptionedPictures) -> np.ndarray:
    """Returns the mean of the features of a picture's places, <float32>[pictures, features].

    Raises:
        UserError: a picture cannot be read.
    """
    size = captioner.settings["picture_size"]
    if captioner.image_encoder.trainable:
        features = np.concatenate([*_find_features(captioner, examples, size)])
    else:
        features = make_array(captioner, examples)
    return features.mean(axis=1, dtype=np.float32)


def _find_features(
    captioner: Captioner, examples: CaptionedPictures, size: int, mirrored: bool = False
) -> Iterator[np.ndarray]:
    @graph
    def find(pixels: tf.Tensor) -> tf.Tensor:
        return tf.cast(captioner.find_features(tf.cast(pixels, tf.float32)), tf.float16)

    find = find.get_concrete_function(tf.TensorSpec([None, size, size, 3], tf.uint8))
    for pixels in read_pixels(examples.pictures, size):
        yield find(tf.constant(_turn(pixels) if mirrored else pixels)).numpy()


def _map_array(
    name: str, shape: tuple[int, ...], dtype: type, chunks: Iterator[np.ndarray]
) -> np.ndarray:
    """Returns the array of a file, which is written if it is not there."""
    path = cache_folder() / "pictures" / f"{name}.npy"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        say(f"computed once, and kept: {path}")
        with whole_file(path) as partial:
            array = np.lib.format.open_memmap(partial, "w+", dtype, shape)
            done = 0
            with tqdm(total=shape[0], unit=" pictures", disable=None) as bar:
                for chunk in chunks:
                    array[done : done + len(chunk)] = chunk
                    done += len(chunk)
                    bar.update(len(chunk))
            array.flush()
    return np.load(path, mmap_mode="r")


def _checksum(examples: CaptionedPictures, size: int, captioner: Captioner | None = None) -> str:
    """Returns the checksum of pictures and of what reads them."""
    digest = hashlib.sha256(f"{_FORMAT} {size}".encode())
    for picture in examples.pictures:
        digest.update(picture.digest.encode())
    if captioner is not None:
        digest.update(
            f"{captioner.settings['encoder']} {captioner.image_encoder.output_shape}".encode()
        )
        for weight in captioner.image_encoder.get_weights():
            digest.update(weight.tobytes())
    return digest.hexdigest()


def array_name(captioner: Captioner) -> str:
    """Returns the name of the array among the inputs of what is trained."""
    return "images" if captioner.image_encoder.trainable else "features"

"""Image encoders: from the pixels of a picture to the features of its places."""

import inspect
from collections.abc import Callable
from types import ModuleType

import keras
from keras import layers, ops

from models.captioning.efficientnet_lite import efficientnet_lite0
from models.registry import IMAGE_ENCODERS, KERAS_BACKBONES

# Of `small_cnn`: the kernels and the filters of the convolutions that halve the sides, and the
# dilations of those that follow each of them.
_STAGES = ((5, 32, ()), (3, 64, ()), (3, 96, (2, 4)))
# Small data sets have few batches in which the statistics could settle.
_MOMENTUM = 0.9


def build_image_encoder(name: str, size: int, pooled: bool = False) -> keras.Model:
    """Builds an untrained encoder.

    Args:
        name: in `models.registry.IMAGE_ENCODERS` or `KERAS_BACKBONES`.
        size: the sides of a picture, in pixels.
        pooled: whether the mean of all places is its only one.

    Returns:
        A model of images <float32>[batch, size, size, 3], from 0 to 255, to
        <float32>[batch, places, features], the places row by row.

    Raises:
        ValueError: there is no such encoder, or the picture is too small for it.
    """
    images = keras.Input((size, size, 3), name="images")
    if name in KERAS_BACKBONES:
        grid = _keras_backbone(name, size)(images)
    else:
        grid = _ENCODERS[name](images)
    if pooled:
        grid = layers.GlobalAveragePooling2D(keepdims=True, name="mean")(grid)
    places = layers.Reshape((-1, grid.shape[-1]), name="places")(grid)
    return keras.Model(images, places, name="image_encoder")


def is_pretrained(name: str) -> bool:
    """Returns whether an encoder begins with weights that others have trained."""
    return name != "small-cnn"


@keras.saving.register_keras_serializable(package="models")
class Coordinates(layers.Layer):
    """Adds two channels to a picture, the row and the column of each pixel, from -1 to 1.

    Call arguments:
        inputs: <float32>[batch, height, width, channels].

    Output shape:
        <float32>[batch, height, width, channels + 2].
    """

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        batch, height, width = ops.shape(inputs)[:3]
        rows, columns = (ops.linspace(-1.0, 1.0, each) for each in (height, width))
        grid = ops.stack(ops.meshgrid(rows, columns, indexing="ij"), axis=-1)
        grid = ops.broadcast_to(ops.cast(grid, inputs.dtype), (batch, height, width, 2))
        return ops.concatenate([inputs, grid], axis=-1)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (*input_shape[:-1], input_shape[-1] + 2)


def small_cnn(images: keras.KerasTensor) -> keras.KerasTensor:
    """Applies convolutions, each with batch normalisation (Ioffe & Szegedy 2015) and a ReLU, which
    suit pictures of some 64 pixels.

    What keeps the sides stands on residual connections (He et al. 2016). The last convolutions are
    dilated (Yu & Koltun 2016): without losing its place, what is found at one place knows what is
    found at others. Two more channels say where a pixel is (CoordConv, Liu et al. 2018).

    Args:
        images: <float32>[batch, size, size, 3], from 0 to 255.

    Returns:
        <float32>[batch, size / 8, size / 8, 96].
    """
    x = Coordinates()(layers.Rescaling(1 / 127.5, offset=-1.0)(images))
    for kernel, filters, dilations in _STAGES:
        x = _convolve(x, filters, kernel, strides=2)
        for dilation in dilations:
            x = layers.Add()([x, _convolve(x, filters, kernel, dilation_rate=dilation)])
    return x


def _convolve(x: keras.KerasTensor, filters: int, kernel: int, **options: int) -> keras.KerasTensor:
    x = layers.Conv2D(
        filters, kernel, padding="same", use_bias=False, kernel_initializer="he_normal", **options
    )(x)
    return layers.ReLU()(layers.BatchNormalization(momentum=_MOMENTUM)(x))


_ENCODERS: dict[str, Callable[[keras.KerasTensor], keras.KerasTensor]] = {
    "small-cnn": small_cnn,
    "efficientnet-lite0": efficientnet_lite0,
}
assert set(_ENCODERS) == set(IMAGE_ENCODERS)


def _keras_backbone(name: str, size: int) -> keras.Model:
    """Returns a model of `keras.applications` with what prepares pixels for it."""
    images = keras.Input((size, size, 3))
    module = _module_of(name)
    # None has weights: what Keras would download comes from a file instead.
    backbone = getattr(keras.applications, name)(
        include_top=False, weights=None, input_shape=(size, size, 3), name="backbone"
    )
    return keras.Model(images, backbone(module.preprocess_input(images)), name="keras_backbone")


def _module_of(name: str) -> ModuleType:
    """Returns the module of `keras.applications` that has a model and prepares its pixels."""
    modules = [part for part in vars(keras.applications).values() if inspect.ismodule(part)]
    # `resnet50` has a part of what `resnet` has; either prepares pixels in the same way.
    return next(m for m in modules if hasattr(m, name) and hasattr(m, "preprocess_input"))

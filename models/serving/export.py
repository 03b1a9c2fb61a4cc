"""The export of a serving model: a SavedModel in stock TensorFlow ops, and a list of its files."""

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol

import keras
import tensorflow as tf

from data.files.checksum_list import write_checksum_list
from data.files.writing import whole_folder
from models.compilation import stock_operations

# TensorFlow checks no checksum when it loads a SavedModel: `sha256sum --check` does, and
# `data.files.checksum_list.check_checksum_list`.
CHECKSUMS = "assets.extra/SHA256SUMS"
# The functions of a SavedModel and the signatures of their inputs, by name.
Endpoints = dict[str, tuple[Callable[..., dict[str, tf.Tensor]], list[tf.TensorSpec]]]


class ExportableModel(Protocol):
    """A serving model that `export` can write as a SavedModel.

    Attributes:
        preprocessor: strings to the model's inputs.
        model: the trained model.
    """

    preprocessor: Any
    model: keras.Model

    def serve(self, texts: tf.Tensor) -> dict[str, tf.Tensor]:
        """Answers <string>[batch]; each tensor of the answer has a row a text."""

    def endpoints(self) -> Endpoints:
        """Returns the functions that a SavedModel offers, `serving_default` among them."""


def export(serving: ExportableModel, folder: Path, extra_files: Iterable[Path] = ()) -> None:
    """Writes a serving model as a SavedModel, whose `serving_default` takes a 1-D string tensor.

    The folder loads with `tf.saved_model.load` where only TensorFlow is installed. Its last file is
    `CHECKSUMS`, a list of all others.

    Args:
        serving: the model to write.
        folder: appears whole or not at all; nothing may be there, or an empty folder.
        extra_files: copied into `assets.extra`, TensorFlow's place for what the graph does not
            read: Keras cannot load a SavedModel, so the `.keras` file travels with it.

    Raises:
        UserError: something is there, or the folder cannot be written.
    """
    archive = keras.export.ExportArchive()
    archive.track(serving.model)
    archive.track(serving.preprocessor)
    with stock_operations(), whole_folder(folder) as partial:
        for name, (function, signature) in serving.endpoints().items():
            archive.add_endpoint(name, function, input_signature=signature)
        archive.write_out(str(partial), verbose=False)
        extra = partial / "assets.extra"
        extra.mkdir()
        for file in extra_files:
            shutil.copy(file, extra)
        write_checksum_list(partial, CHECKSUMS)

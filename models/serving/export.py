"""The export of a serving model: a SavedModel in stock TensorFlow ops, and a list of its files."""

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol

import keras
import tensorflow as tf

from data.files.checksum_list import write_checksum_list
from data.files.writing import whole_folder
from data.graphs import graph
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
    with whole_folder(folder) as partial:
        write_saved_model(serving, partial, extra_files)


def write_saved_model(
    serving: ExportableModel, folder: Path, extra_files: Iterable[Path] = ()
) -> None:
    """Writes what `export` does into a folder that is there, beside what is in it."""
    with stock_operations():
        functions = {
            name: graph(function, input_signature=signature).get_concrete_function()
            for name, (function, signature) in serving.endpoints().items()
        }
        tf.saved_model.save(_trackable(serving, functions), str(folder), signatures=functions)
    extra = folder / "assets.extra"
    extra.mkdir()
    for file in extra_files:
        shutil.copy(file, extra)
    write_checksum_list(folder, CHECKSUMS)


def _trackable(
    serving: ExportableModel, functions: dict[str, tf.types.experimental.ConcreteFunction]
) -> tf.Module:
    """Returns a module of the functions, with the variables and tables that they read.

    They are traced already: `keras.export.ExportArchive` would trace each of them twice.
    """
    module = tf.Module()
    module.read = [function.variables for function in functions.values()]
    module.tables = [
        child
        for child in tf.train.TrackableView(serving).descendants()
        if isinstance(child, tf.saved_model.experimental.TrackableResource)
    ]
    for name, function in functions.items():
        setattr(module, name, function)
    return module

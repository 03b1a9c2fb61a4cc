"""Serving models: raw strings to readable output, in one graph of stock TensorFlow ops."""

import shutil
from pathlib import Path

import keras
import tensorflow as tf

from data.files.checksum_list import write_checksum_list
from data.files.writing import whole_folder
from data.graphs import graph
from data.text.preprocessor import TextPreprocessor
from models.classification.decision import Decision
from models.compilation import stock_operations

# TensorFlow looks at no checksum when it loads a SavedModel: `sha256sum --check` does, and
# `data.files.checksum_list.check_checksum_list`.
CHECKSUMS = "assets.extra/SHA256SUMS"
_STRINGS = [tf.TensorSpec([None], tf.string, name="texts")]


class ServingClassifier(tf.Module):
    """Strings to class names and scores, the most fitting class first.

    Args:
        preprocessor: strings to the trained model's inputs.
        model: the trained model, ids to logits.
        class_names: names of the logits.
        decision: logits to scores and classes.
    """

    def __init__(
        self,
        preprocessor: TextPreprocessor,
        model: keras.Model,
        class_names: tuple[str, ...],
        decision: Decision,
    ):
        super().__init__()
        self.preprocessor = preprocessor
        self.model = model
        self.class_names = tf.constant(class_names)
        self.decision = decision
        self.serve = graph(self.answer, input_signature=_STRINGS)

    def answer(self, texts: tf.Tensor) -> dict[str, tf.Tensor]:
        """Answers a batch.

        Args:
            texts: <string>[batch], any bytes.

        Returns:
            `classes` <string>[batch, num_classes], `scores` <float32>[batch, num_classes] and
            `predicted` <bool>[batch, num_classes], the classes that the text gets; each row by
            falling ratio of score to threshold, so that those come first.
        """
        logits = self.model(self.preprocessor(texts), training=False)
        scores = self.decision.scores(logits)
        order = tf.argsort(self.decision.ratios(scores), direction="DESCENDING", stable=True)
        return {
            "classes": tf.gather(self.class_names, order),
            "scores": tf.gather(scores, order, batch_dims=1),
            "predicted": tf.gather(self.decision.decided(scores), order, batch_dims=1),
        }


def export(serving: ServingClassifier, folder: Path, extra_files: list[Path] = ()) -> None:
    """Writes a SavedModel whose `serving_default` takes a 1-D string tensor.

    The folder loads with `tf.saved_model.load` where only TensorFlow is installed. Its last file is
    `CHECKSUMS`, a list of all others.

    Args:
        serving: the model to write; with a method `endpoints`, which returns functions and their
            input signatures by name, it has others than `serving_default`.
        folder: appears whole or not at all; nothing may be there, or an empty folder.
        extra_files: copied into `assets.extra`, TensorFlow's place for what the graph does not
            read: Keras cannot load a SavedModel, so the `.keras` file travels with it.

    Raises:
        UserError: something is there, or the folder cannot be written.
    """
    archive = keras.export.ExportArchive()
    archive.track(serving.model)
    archive.track(serving.preprocessor)
    one = {"serving_default": (serving.answer, _STRINGS)}
    endpoints = serving.endpoints() if hasattr(serving, "endpoints") else one
    with stock_operations(), whole_folder(folder) as partial:
        for name, (function, signature) in endpoints.items():
            archive.add_endpoint(name, function, input_signature=signature)
        archive.write_out(str(partial), verbose=False)
        extra = partial / "assets.extra"
        extra.mkdir()
        for file in extra_files:
            shutil.copy(file, extra)
        write_checksum_list(partial, CHECKSUMS)

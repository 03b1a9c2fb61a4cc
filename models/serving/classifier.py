"""The serving model of a classifier: raw strings to classes with scores, in one graph."""

import keras
import tensorflow as tf

from data.graphs import graph
from data.text.preprocessor import TextPreprocessor
from models.classification.decision import Decision
from models.serving.export import Endpoints

_STRINGS = [tf.TensorSpec([None], tf.string, name="texts")]


class ServingClassifier(tf.Module):
    """Answers strings with class names and scores, the most fitting class first.

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

    def endpoints(self) -> Endpoints:
        """Returns what a SavedModel answers: functions and their input signatures, by name."""
        return {"serving_default": (self.answer, _STRINGS)}

    def answer(self, texts: tf.Tensor) -> dict[str, tf.Tensor]:
        """Classifies a batch of texts.

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
            "predicted": tf.gather(self.decision.decide(scores), order, batch_dims=1),
        }

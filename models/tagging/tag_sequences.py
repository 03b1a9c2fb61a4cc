"""What emissions say of sequences of tags: how probable they are, and which is the best."""

from typing import Any

import tensorflow as tf

from models.crf.forward_backward import Weights
from models.crf.layer import LinearChainCRF
from models.crf.viterbi import best_paths


class TagSequences:
    """A model of emissions, whose head turns them into sequences of tags.

    Stands before `keras.Model` in the list of base classes.

    Attributes:
        settings: with the names of the `tags`, and the `head`: `crf`, which is a layer of that
            name, or `softmax`.
    """

    settings: dict[str, Any]

    @property
    def crf(self) -> LinearChainCRF | None:
        """The CRF; None with the head `softmax`."""
        model: Any = self
        return model.get_layer("crf") if self.settings["head"] == "crf" else None

    def negative_log_likelihood(self, emissions: tf.Tensor, tags: tf.Tensor) -> tf.Tensor:
        """Computes the negative log-likelihood of tags.

        Args:
            emissions: <float32>[batch, time, tags].
            tags: <int>[batch, time], from 1, 0 where padded; or <int>[batch, time, paths], several
                sequences of each text, of which the mean is computed.

        Returns:
            Of whole sequences (CRF) <float32>[batch, 1], or of each token (softmax)
            <float32>[batch, time], 0 where padded.
        """
        tags = tf.cast(tags, tf.int32)
        if self.crf is not None:
            mask = (tags if tags.shape.rank == 2 else tags[:, :, 0]) > 0
            return -self.crf.log_likelihood(emissions, tags - 1, mask)[:, None]
        chosen = tf.one_hot(tags - 1, len(self.settings["tags"]))
        if tags.shape.rank == 3:
            chosen = tf.reduce_mean(chosen, axis=2)
        return -tf.reduce_sum(chosen * tf.nn.log_softmax(emissions), axis=-1)

    def best_tags(self, emissions: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        """Finds the best tags, with the CRF those of the best sequence.

        Args:
            emissions: <float32>[batch, time, tags].
            mask: <bool>[batch, time], true at real tokens.

        Returns:
            <int32>[batch, time], from 0, and 0 where padded.
        """
        if self.crf is not None:
            return self.crf.decode(emissions, mask)
        return tf.where(mask, tf.argmax(emissions, axis=-1, output_type=tf.int32), 0)

    def decode(self, emissions: tf.Tensor, mask: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Finds the best tags and their probabilities; arguments as `best_tags`.

        Returns:
            The tags as in `best_tags`, and the probability of each, with the CRF its marginal one:
            <float32>[batch, time], 0 where padded.
        """
        best = self.best_tags(emissions, mask)
        if self.crf is not None:
            shares = self.crf.marginals(emissions, mask)
        else:
            shares = tf.where(mask[:, :, None], tf.nn.softmax(emissions), 0.0)
        return best, tf.gather(shares, best, batch_dims=2)

    def probable_tags(self, emissions: tf.Tensor, mask: tf.Tensor, count: int) -> tf.Tensor:
        """Finds the most probable sequences of tags, each as many times as it is probable: a small
        sample of what the model holds for possible, without chance.

        Args:
            emissions, mask: as `best_tags`.
            count: how many sequences of each text, the same one several times included.

        Returns:
            <int32>[batch, time, count], from 1, and 0 where padded.
        """
        if self.crf is not None:
            paths, logs = self.crf.n_best(emissions, count, mask)
        else:
            tags = emissions.shape[-1]
            free = Weights(tf.zeros([tags, tags]), tf.zeros([tags]), tf.zeros([tags]))
            paths, logs = best_paths(tf.nn.log_softmax(emissions), mask, free, count)
        # Of `count` equal parts of the probability, each goes to the path that has its middle.
        ends = tf.cumsum(tf.nn.softmax(logs), axis=1)
        middles = (tf.range(count, dtype=tf.float32) + 0.5) / count
        places = tf.reduce_sum(tf.cast(ends[:, None] < middles[:, None], tf.int32), axis=2)
        chosen = tf.gather(paths, tf.minimum(places, count - 1), batch_dims=1)
        return tf.where(mask[:, :, None], tf.transpose(chosen, [0, 2, 1]) + 1, 0)

"""Generated texts as they grow, for whoever shows them."""

from collections.abc import Callable

import tensorflow as tf

from data.graphs import graph
from models.serving.generator import TextGenerator

# Tokens between two looks at what there is.
_EVERY = 4
_STRINGS = tf.TensorSpec([None], tf.string)
_SCALARS = (tf.int32, tf.float32, tf.int32, tf.float32, tf.int32)

# Takes what has been added to a text; returns whether nobody wants more.
OnPiece = Callable[[str], bool]


class TextStream:
    """Continues one text after the other by one graph, whatever the options of a text are.

    Args:
        generator: goes on with texts.
    """

    def __init__(self, generator: TextGenerator) -> None:
        self._generator = generator
        self._on_piece: OnPiece = lambda piece: False
        self._shown = ""
        self._follow = graph(
            lambda prompts, *scalars: generator.follow(prompts, scalars, self._watch),
            input_signature=[_STRINGS, *(tf.TensorSpec([], dtype) for dtype in _SCALARS)],
        )

    def follow(
        self,
        text: str,
        on_piece: OnPiece,
        *,
        max_length: int,
        temperature: float,
        top_k: int,
        top_p: float,
        seed: int,
    ) -> tuple[str, float]:
        """Continues a text; the pieces that `on_piece` gets are together what is returned, unless
        that stops it.

        Args:
            text: the beginning.
            on_piece: takes what has been added, every few tokens.
            max_length, temperature, top_k, top_p, seed: see
                `apps.tasks.generation.config.GenerationOptions`.

        Returns:
            The continuation and its log-likelihood.
        """
        self._on_piece, self._shown = on_piece, ""
        scalars = (max_length, temperature, top_k, top_p, seed)
        tensors = [tf.constant(each, dtype) for each, dtype in zip(scalars, _SCALARS, strict=True)]
        found = self._follow(tf.constant([text.encode("utf-8", "surrogateescape")]), *tensors)
        continuation = found["continuations"].numpy()[0].decode("utf-8")
        if continuation[len(self._shown) :]:
            on_piece(continuation[len(self._shown) :])
        return continuation, float(found["log_likelihoods"].numpy()[0])

    def _watch(self, ids: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
        """A hook of `models.decoding.decode.decode`."""

        def show() -> tf.Tensor:
            texts = self._generator.preprocessor.decode(ids)
            return tf.ensure_shape(tf.py_function(self._show, [texts], tf.bool), [None])

        return tf.cond(lengths[0] % _EVERY == 0, show, lambda: tf.zeros_like(lengths, tf.bool))

    def _show(self, texts: tf.Tensor) -> tf.Tensor:
        text = texts.numpy()[0].decode("utf-8")
        stop = self._generator.options.stop
        # The last characters may be half of a character, or the beginning of a stop string.
        sure = text[: len(text) - max(map(len, stop), default=0)].rstrip("\ufffd")
        stopped = False
        if sure.startswith(self._shown) and sure != self._shown:
            stopped = bool(self._on_piece(sure[len(self._shown) :]))
            self._shown = sure
        return tf.constant([stopped])

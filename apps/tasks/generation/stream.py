"""Generated texts as they grow, for whoever shows them."""

from collections.abc import Callable, Sequence

import tensorflow as tf

from data.graphs import graph
from models.serving.generator import TextGenerator

# Tokens between two looks at what there is.
_EVERY = 4
_STRINGS = tf.TensorSpec([None], tf.string)
_SCALARS = (tf.int32, tf.float32, tf.int32, tf.float32, tf.int32)

# Takes what has been added to a text; what it returns is true if nobody wants more.
OnPiece = Callable[[str], object]


class GrowingText:
    """Hands on what is added to a text while it is generated.

    Args:
        generator: goes on with the text.
        every: tokens between two looks at what there is.
        stop: the strings that end a text.
        on_piece: takes what has been added.
    """

    def __init__(
        self, generator: TextGenerator, every: int, stop: Sequence[str], on_piece: OnPiece
    ) -> None:
        self._generator, self._every, self._stop = generator, every, stop
        self.on_piece = on_piece
        self._shown = ""

    def begin(self) -> None:
        """Begins a new text."""
        self._shown = ""

    def end(self, continuation: str) -> None:
        """Hands on the rest of a text that is complete."""
        if rest := continuation[len(self._shown) :]:
            self.on_piece(rest)

    def watch(self, ids: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
        """A hook of `models.decoding.decode.decode`."""

        def look() -> tf.Tensor:
            texts = self._generator.preprocessor.decode(ids)
            return tf.ensure_shape(tf.py_function(self.show, [texts], tf.bool), [None])

        # Its answer is what the next step waits for: without it steps would run ahead.
        return tf.cond(lengths[0] % self._every == 0, look, lambda: tf.zeros_like(lengths, tf.bool))

    def show(self, texts: tf.Tensor) -> tf.Tensor:
        """Hands on what is sure of the text so far, <string>[1]; returns whether nobody wants more,
        <bool>[1]."""
        text = texts.numpy()[0].decode("utf-8")
        # The last characters may be half of a character, or the beginning of a stop string.
        sure = text[: len(text) - max(map(len, self._stop), default=0)].rstrip("\ufffd")
        stopped = False
        if sure.startswith(self._shown) and sure != self._shown:
            stopped = bool(self.on_piece(sure[len(self._shown) :]))
            self._shown = sure
        return tf.constant([stopped])


class TextStream:
    """Continues one text after the other by one graph, whatever the options of a text are.

    Args:
        generator: goes on with texts.
    """

    def __init__(self, generator: TextGenerator) -> None:
        self._growing = GrowingText(generator, _EVERY, generator.options.stop, lambda piece: False)
        self._follow = graph(
            lambda prompts, *scalars: generator.follow(prompts, scalars, self._growing.watch),
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
        self._growing.on_piece = on_piece
        self._growing.begin()
        scalars = (max_length, temperature, top_k, top_p, seed)
        tensors = [tf.constant(each, dtype) for each, dtype in zip(scalars, _SCALARS, strict=True)]
        found = self._follow(tf.constant([text.encode("utf-8", "surrogateescape")]), *tensors)
        continuation = found["continuations"].numpy()[0].decode("utf-8")
        self._growing.end(continuation)
        return continuation, float(found["log_likelihoods"].numpy()[0])

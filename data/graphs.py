"""Functions as graphs of TensorFlow, and lists of texts through them."""

from collections.abc import Callable
from functools import partial
from typing import Any

import tensorflow as tf

# The suite writes loops and branches as TensorFlow ops. AutoGraph, which searches the source of
# each function for others, would take as long as all the rest of tracing.
graph = partial(tf.function, autograph=False)
without_autograph = tf.autograph.experimental.do_not_convert

_CHUNK = 1024
_STRINGS = tf.TensorSpec([None], tf.string)


def in_chunks(function: Callable[[tf.Tensor], Any]) -> Callable[[list[str]], Any]:
    """Returns a function of a list of texts that passes them through a graph, a chunk at a time.

    The graph is made at the first call, once for all lists.

    Args:
        function: of <string>[texts], returns a tensor, a ragged one, or a structure of such, whose
            first axis is that of the texts.

    Returns:
        A function of a list of strings, whose results are those of all chunks, joined in memory. A
        list without a text is one chunk of none.
    """
    traced = graph(function, input_signature=[_STRINGS])

    def call_in_chunks(texts: list[str]) -> Any:
        starts = range(0, max(len(texts), 1), _CHUNK)
        parts = [traced(tf.constant(texts[at : at + _CHUNK], tf.string)) for at in starts]
        return tf.nest.map_structure(lambda *chunks: tf.concat(chunks, axis=0), *parts)

    return call_in_chunks

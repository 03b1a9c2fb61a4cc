"""Any number of texts through a graph, some at a time."""

from collections.abc import Callable

import tensorflow as tf

from data.graphs import graph

_SIZE = 1024
_STRINGS = tf.TensorSpec([None], tf.string)


def in_chunks(function: Callable) -> Callable:
    """`function` over all texts of a list, in memory.

    Its graph is made at the first call, once for all lists.

    Args:
        function: of <string>[texts], returns a tensor, a ragged one, or a structure of such, whose
            first axis is that of the texts.

    Returns:
        A function of a list of strings. No text at all is a batch of none.
    """
    traced = graph(function, input_signature=[_STRINGS])

    def of_all(texts: list[str]):
        starts = range(0, max(len(texts), 1), _SIZE)
        parts = [traced(tf.constant(texts[at : at + _SIZE], tf.string)) for at in starts]
        return tf.nest.map_structure(lambda *each: tf.concat(each, axis=0), *parts)

    return of_all

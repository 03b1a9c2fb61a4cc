"""Functions as graphs of TensorFlow."""

from functools import partial

import tensorflow as tf

# All loops and branches of the suite are TensorFlow's own: AutoGraph, which reads each source in
# search of others, would take as long as all the rest.
graph = partial(tf.function, autograph=False)
as_it_stands = tf.autograph.experimental.do_not_convert

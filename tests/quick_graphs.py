"""Code that makes the graphs of this process, or of another one, quickly: tests trace by the
hundred, and run what they have traced once or twice."""

QUICK_GRAPHS = """
import tensorflow
from tensorflow.python.util import tf_stack
# To optimise graphs takes longer than to run them, at these sizes.
tensorflow.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
# An operation keeps the lines of Python that made it, for messages that no test reads: a tenth of
# the time. All operations keep the same ones; these must not be none, as at the top of a script.
tf_stack.extract_stack = lambda stacklevel=1, stack=tf_stack.extract_stack(): stack
"""

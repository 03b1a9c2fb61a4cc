"""Adam whose step over a weight is one operation."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="models")
class Adam(keras.optimizers.Adam):
    """`keras.optimizers.Adam` (Kingma & Ba 2015), one fused operation for each weight.

    An embedding's gradient comes as rows, some of them several times. Keras squares such rows one
    by one, so that its second moment is the sum of squares where the paper has the square of the
    sum. Here the rows are summed first. The update then runs over the whole matrix in one pass:
    TensorFlow's sparse Adam would leave the moments of absent rows as they are, which again is not
    the paper's, and Keras' own takes a pass over the matrix for every term.

    With several replicas, another precision than float32, or `amsgrad`, the update is Keras' own.
    """

    def apply(self, grads, trainable_variables=None):
        # Of rows: their sum, at their places. Before the clipping, whose norm is wrong likewise.
        grads = [None if gradient is None else tf.convert_to_tensor(gradient) for gradient in grads]
        return super().apply(grads, trainable_variables)

    def update_step(self, gradient, variable, learning_rate):
        index = self._get_variable_index(variable)
        weight, momentum, velocity = (
            each.value if isinstance(each, keras.Variable) else each
            for each in (variable, self._momentums[index], self._velocities[index])
        )
        if self.amsgrad or weight.dtype != tf.float32 or not _one_replica():
            super().update_step(gradient, variable, learning_rate)
            return
        step = tf.cast(self.iterations + 1, tf.float32)
        tf.raw_ops.ResourceApplyAdam(
            var=weight.handle,
            m=momentum.handle,
            v=velocity.handle,
            beta1_power=tf.pow(self.beta_1, step),
            beta2_power=tf.pow(self.beta_2, step),
            lr=tf.cast(learning_rate, tf.float32),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=tf.cast(gradient, tf.float32),
            use_locking=False,
        )


def _one_replica() -> bool:
    return tf.distribute.get_strategy().num_replicas_in_sync == 1

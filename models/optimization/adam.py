"""Adam whose step over a weight is one operation, on one device or several."""

import keras
import tensorflow as tf

from models.optimization.embedding_gradient import dense_gradient
from models.optimization.gradient_norms import GradientNorms
from models.optimization.layer_rates import LayerRates
from models.optimization.weight_average import WeightAverage


@keras.saving.register_keras_serializable(package="models")
class Adam(keras.optimizers.Adam):
    """`keras.optimizers.Adam` (Kingma & Ba 2015), one fused operation for each weight.

    An embedding's gradient comes as rows, some of them several times. Keras squares such rows one
    by one, so that its second moment is the sum of squares where the paper has the square of the
    sum. Here the rows are summed first. The update then runs over the whole matrix in one pass:
    TensorFlow's sparse Adam would leave the moments of absent rows as they are, which again is not
    the paper's, and Keras' own takes a pass over the matrix for every term.

    On several devices the gradient is summed over them before anything else is done with it: what
    is clipped, accumulated and noted is the gradient of the whole batch, where Keras clips each
    device's part by itself.

    In another precision than float32, or with `amsgrad`, the update is Keras' own.

    Args:
        updates_per_epoch: note the gradients' norms (`models.optimization.gradient_norms`), this
        many an epoch;
            0 for not at all.
        average_decay: keep a moving average of the weights (`models.optimization.weight_average`)
        with this
            decay; 0 for none.
        layer_rates: factors of the learning rate (`models.optimization.layer_rates`), or None.
        **options: those of `keras.optimizers.Adam`.
    """

    def __init__(
        self,
        *args,
        updates_per_epoch: int = 0,
        average_decay: float = 0.0,
        layer_rates: LayerRates | None = None,
        **options,
    ):
        super().__init__(*args, **options)
        self.layer_rates, self._paths = layer_rates, []
        self.updates_per_epoch, self.average_decay = updates_per_epoch, average_decay
        self.norms = self.average = None
        # `LossScale` does it in its place.
        self.sums_devices = True

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self._paths = [variable.path for variable in variables]
        if self.updates_per_epoch:
            self.norms = GradientNorms(self.add_variable, variables, self.updates_per_epoch)
        if self.average_decay:
            self.average = WeightAverage(
                self.add_variable_from_reference, variables, self.average_decay
            )

    def apply(self, grads, trainable_variables=None):
        if self.sums_devices:
            grads = _summed(grads, trainable_variables or self._trainable_variables)
        super().apply(grads, trainable_variables)

    def _backend_apply_gradients(self, grads, trainable_variables):
        several = tf.distribute.get_strategy().num_replicas_in_sync > 1
        if several and self.gradient_accumulation_steps:
            tf.distribute.get_replica_context().merge_call(
                self._accumulate, args=(grads, trainable_variables)
            )
        else:
            super()._backend_apply_gradients(grads, trainable_variables)

    def _accumulate(self, strategy, grads, trainable_variables):
        """Keras' accumulation, with the condition around the replicas: what brings them together,
        as an update does, cannot stand inside of one."""
        steps = self.gradient_accumulation_steps
        accumulators = [
            self._accumulated_gradients[self._get_variable_index(variable)]
            for variable in trainable_variables
        ]

        def update(grads, variables):
            means = [(g + sum) / steps for g, sum in zip(grads, accumulators, strict=True)]
            self._apply_weight_decay(variables)
            self._backend_update_step(means, variables, self.learning_rate)

        def keep(grads):
            self._backend_increment_gradient_accumulators(grads, accumulators)

        def update_all():
            strategy.extended.call_for_each_replica(update, args=(grads, trainable_variables))
            self._backend_reset_gradient_accumulators()

        def keep_all():
            strategy.extended.call_for_each_replica(keep, args=(grads,))

        tf.cond((self._iterations.value + 1) % steps == 0, update_all, keep_all)

    def _get_current_learning_rate(self):
        # Keras counts the steps that only accumulate, too.
        if callable(self._learning_rate):
            return self._learning_rate(self.iterations)
        return super()._get_current_learning_rate()

    def _all_reduce_sum_gradients(self, grads_and_vars):
        # `apply` has done it.
        return grads_and_vars

    def _clip_gradients(self, grads):
        # `_backend_update_step` does, which knows whose gradients they are.
        return grads

    def _backend_update_step(self, grads, trainable_variables, learning_rate):
        if self.norms is None:
            grads = super()._clip_gradients(grads)
        else:
            grads = self._noted_and_clipped(grads, trainable_variables)
        super()._backend_update_step(grads, trainable_variables, learning_rate)

    def _noted_and_clipped(self, grads, trainable_variables):
        squares = [tf.zeros([])] * len(self._trainable_variables)
        for gradient, variable in zip(grads, trainable_variables, strict=True):
            squares[self._get_variable_index(variable)] = tf.reduce_sum(tf.square(gradient))
        norm = self.norms.note(tf.stack(squares), self.global_clipnorm)
        if not self.global_clipnorm:
            return super()._clip_gradients(grads)
        scale = self.global_clipnorm / tf.maximum(norm, self.global_clipnorm)
        return [gradient * scale for gradient in grads]

    def update_step(self, gradient, variable, learning_rate):
        index = self._get_variable_index(variable)
        if self.layer_rates is not None:
            learning_rate *= self.layer_rates.factor(self._paths[index], self.iterations)
        weight, momentum, velocity = (
            each.value if isinstance(each, keras.Variable) else each
            for each in (variable, self._momentums[index], self._velocities[index])
        )
        if self.amsgrad or weight.dtype != tf.float32:
            super().update_step(gradient, variable, learning_rate)
        else:
            self._fused_step(gradient, weight, momentum, velocity, learning_rate)
        if self.average is not None:
            self.average.update(index, weight, self.iterations)

    def _fused_step(self, gradient, weight, momentum, velocity, learning_rate):
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

    def get_config(self):
        return {
            **super().get_config(),
            "updates_per_epoch": self.updates_per_epoch,
            "average_decay": self.average_decay,
        }


@keras.saving.register_keras_serializable(package="models")
class LossScale(keras.optimizers.LossScaleOptimizer):
    """Keras' dynamic scale of the loss, for float16. A step is left out if the gradient of any
    device is not finite; Keras asks the first one alone."""

    def __init__(self, inner_optimizer, *args, **options):
        super().__init__(inner_optimizer, *args, **options)
        inner_optimizer.sums_devices = False

    def apply(self, grads, trainable_variables=None):
        # Summed here, before the condition: what is exchanged inside of it may come out of order.
        variables = trainable_variables or self.inner_optimizer._trainable_variables
        super().apply(_summed(grads, variables), trainable_variables)


def _summed(grads: list, variables: list) -> list:
    """Each gradient's rows at their places, and its sum over the devices."""
    # Of rows: their sum. Before the clipping, whose norm is wrong likewise.
    grads = [
        None if gradient is None else dense_gradient(gradient, tuple(variable.shape))
        for gradient, variable in zip(grads, variables, strict=True)
    ]
    if tf.distribute.get_strategy().num_replicas_in_sync == 1:
        return grads
    there = [gradient for gradient in grads if gradient is not None]
    sums = iter(tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, there))
    return [None if gradient is None else next(sums) for gradient in grads]

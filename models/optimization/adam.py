"""Adam with one fused operation for each weight, on one device or several."""

from typing import Any

import keras
import tensorflow as tf

from models.optimization.embedding_gradient import dense_gradient
from models.optimization.gradient_norms import GradientNorms
from models.optimization.layer_rates import LayerRates
from models.optimization.weight_average import WeightAverage


@keras.saving.register_keras_serializable(package="models")
class Adam(keras.optimizers.Adam):
    """`keras.optimizers.Adam` (Kingma & Ba 2015), one fused operation for each weight.

    The gradient of an embedding consists of rows, some of which occur several times. Keras squares
    them one by one, so that its second moment is the sum of squares where the paper has the square
    of the sum. Here the rows are summed first. Then one pass updates the whole matrix: TensorFlow's
    sparse Adam would leave the moments of absent rows unchanged, which is not in the paper either,
    and Keras' Adam takes a pass over the matrix for every term.

    On several devices, the gradient is summed over them before anything else: what is clipped,
    accumulated and recorded is the gradient of the whole batch, where Keras clips the part of each
    device by itself.

    For weights that are not float32, or with `amsgrad`, the update is Keras' own.

    Args:
        *args: those of `keras.optimizers.Adam`.
        updates_per_epoch: how many updates an epoch has, to record the norms of their gradients
            (`models.optimization.gradient_norms`); 0 to record none.
        average_decay: the decay of a moving average of the weights
            (`models.optimization.weight_average`); 0 for no average.
        layer_rates: factors of the learning rate (`models.optimization.layer_rates`), or None.
        **options: those of `keras.optimizers.Adam`.
    """

    def __init__(
        self,
        *args: Any,
        updates_per_epoch: int = 0,
        average_decay: float = 0.0,
        layer_rates: LayerRates | None = None,
        **options: Any,
    ):
        super().__init__(*args, **options)
        self.layer_rates = layer_rates
        self._paths: list[str] = []
        self.updates_per_epoch, self.average_decay = updates_per_epoch, average_decay
        self.norms: GradientNorms | None = None
        self.average: WeightAverage | None = None
        # A `LossScale` sums the gradients itself.
        self.sums_devices = True

    def build(self, variables: list) -> None:
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

    def apply(self, grads: list, trainable_variables: list | None = None) -> None:
        if self.sums_devices:
            grads = _sum_over_devices(grads, trainable_variables or self._trainable_variables)
        super().apply(grads, trainable_variables)

    def _backend_apply_gradients(self, grads, trainable_variables):
        is_distributed = tf.distribute.get_strategy().num_replicas_in_sync > 1
        if is_distributed and self.gradient_accumulation_steps:
            tf.distribute.get_replica_context().merge_call(
                self._accumulate, args=(grads, trainable_variables)
            )
        else:
            super()._backend_apply_gradients(grads, trainable_variables)

    def _accumulate(self, strategy, grads, trainable_variables):
        """Accumulates as Keras does, but with the condition around the replicas: an update
        synchronises them, which is impossible inside a condition of each."""
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
        # `apply` has summed them.
        return grads_and_vars

    def _clip_gradients(self, grads):
        # `_backend_update_step` clips, as it knows the weights of the gradients.
        return grads

    def _backend_update_step(self, grads, trainable_variables, learning_rate):
        if self.norms is None:
            grads = super()._clip_gradients(grads)
        else:
            grads = self._record_and_clip(self.norms, grads, trainable_variables)
        super()._backend_update_step(grads, trainable_variables, learning_rate)

    def _record_and_clip(
        self, norms: GradientNorms, grads: list, trainable_variables: list
    ) -> list:
        squares = [tf.zeros([])] * len(self._trainable_variables)
        for gradient, variable in zip(grads, trainable_variables, strict=True):
            squares[self._get_variable_index(variable)] = tf.reduce_sum(tf.square(gradient))
        norm = norms.record(tf.stack(squares), self.global_clipnorm)
        if not self.global_clipnorm:
            return super()._clip_gradients(grads)
        scale = self.global_clipnorm / tf.maximum(norm, self.global_clipnorm)
        return [gradient * scale for gradient in grads]

    def update_step(self, gradient: tf.Tensor, variable: Any, learning_rate: tf.Tensor) -> None:
        index = self._get_variable_index(variable)
        if self.layer_rates is not None:
            learning_rate *= self.layer_rates.factor(self._paths[index], self.iterations)
        weight, momentum, velocity = (
            v.value if isinstance(v, keras.Variable) else v
            for v in (variable, self._momentums[index], self._velocities[index])
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

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "updates_per_epoch": self.updates_per_epoch,
            "average_decay": self.average_decay,
        }


@keras.saving.register_keras_serializable(package="models")
class LossScale(keras.optimizers.LossScaleOptimizer):
    """Keras' dynamic loss scale for float16. It skips a step if the gradient of any device is not
    finite; Keras looks only at the first device."""

    def __init__(self, inner_optimizer: Adam, *args: Any, **options: Any):
        super().__init__(inner_optimizer, *args, **options)
        inner_optimizer.sums_devices = False

    def apply(self, grads: list, trainable_variables: list | None = None) -> None:
        # Summed before the condition: inside it, the devices might exchange in different orders.
        variables = trainable_variables or self.inner_optimizer._trainable_variables
        super().apply(_sum_over_devices(grads, variables), trainable_variables)


def _sum_over_devices(grads: list, variables: list) -> list:
    """Sums each gradient over the devices, and first its rows if it is that of an embedding."""
    # Before the clipping: the norm of rows is not that of their sum.
    grads = [
        None if gradient is None else dense_gradient(gradient, tuple(variable.shape))
        for gradient, variable in zip(grads, variables, strict=True)
    ]
    if tf.distribute.get_strategy().num_replicas_in_sync == 1:
        return grads
    there = [gradient for gradient in grads if gradient is not None]
    sums = iter(tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, there))
    return [None if gradient is None else next(sums) for gradient in grads]

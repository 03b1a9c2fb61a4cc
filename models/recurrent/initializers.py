"""Initial weights of gates: a matrix or a bias for each gate, instead of one for all."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="models")
class GateOrthogonal(keras.initializers.Initializer):
    """Draws an orthogonal matrix for each gate (Saxe et al. 2014).

    Keras' `orthogonal` makes the rows of all gates' matrices together orthonormal, so that each
    gate's own matrix shrinks the state. Here each one keeps its length.

    Args:
        seed: of the matrices.

    Call arguments:
        shape: (units, gates * units).
    """

    def __init__(self, seed: int | None = None):
        self.seed = seed if seed is not None else keras.random.SeedGenerator()

    def __call__(self, shape: tuple, dtype: Any = None) -> keras.KerasTensor:
        units, columns = shape
        seed = self.seed
        if isinstance(seed, int):
            seed = keras.random.SeedGenerator(seed)
        blocks = []
        for _ in range(columns // units):
            normal = keras.random.normal((units, units), dtype="float32", seed=seed)
            q, r = ops.qr(normal)
            # Without the sign, q is not uniform over the orthogonal matrices.
            blocks.append(q * ops.sign(ops.diagonal(r)))
        return ops.cast(ops.concatenate(blocks, axis=1), dtype or keras.config.floatx())

    def get_config(self) -> dict:
        return {"seed": self.seed if isinstance(self.seed, int) else None}


@keras.saving.register_keras_serializable(package="models")
class GateBias(keras.initializers.Initializer):
    """Sets the biases of the gates by how long a cell shall remember.

    `constant` gives every unit the same forget-gate bias (Gers et al. 2000; Jozefowicz et al. 2015
    advise 1). `chrono_length` draws it as `log u`, `u` uniform over 1 to `chrono_length - 1`, so
    that the units' memories spread over that many steps, and the input gate gets the opposite
    (Tallec & Ollivier 2018, "Can recurrent neural networks warp time?", equation 16).

    Args:
        signs: for each gate 1 for a forget gate, -1 for an input gate, 0 for the others, in the
            order of the bias.
        constant: of the forget gates; the input gates stay at 0.
        chrono_length: steps, at least 3; 0 for `constant`.
        seed: of the draws.

    Call arguments:
        shape: (gates * units,) or (2, gates * units), a GRU's, whose second bias stays 0.
    """

    def __init__(
        self,
        signs: tuple[int, ...],
        constant: float = 1.0,
        chrono_length: int = 0,
        seed: int | None = None,
    ):
        if chrono_length and chrono_length < 3:
            raise ValueError(f"chrono_length must be 0 or at least 3. Received: {chrono_length}")
        self.signs, self.constant = tuple(signs), constant
        self.chrono_length, self.seed = chrono_length, seed

    def __call__(self, shape: tuple, dtype: Any = None) -> keras.KerasTensor:
        units = shape[-1] // len(self.signs)
        if self.chrono_length:
            times = keras.random.uniform((units,), 1.0, self.chrono_length - 1.0, seed=self.seed)
            bias = ops.concatenate([sign * ops.log(times) for sign in self.signs])
        else:
            bias = ops.repeat(
                ops.array([self.constant * max(sign, 0) for sign in self.signs]), units
            )
        bias = ops.cast(bias, dtype or keras.config.floatx())
        return bias if len(shape) == 1 else ops.stack([bias, ops.zeros_like(bias)])

    def get_config(self) -> dict:
        return {
            "signs": self.signs,
            "constant": self.constant,
            "chrono_length": self.chrono_length,
            "seed": self.seed,
        }

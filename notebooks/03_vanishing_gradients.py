# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 3 · Vanishing and exploding gradients
#
# A recurrent network learns from an error at the end of a text what it should have remembered at
# the beginning. The error has to travel back through every step. This notebook measures what is
# left of it:
#
# 1. how the gradient **vanishes** in SimpleRNN, LSTM and GRU, and how the **initial weights**
#    decide about that,
# 2. how it **explodes**, and what clipping does,
# 3. a task in which a symbol must be remembered: a SimpleRNN fails at it, a gated cell does not.

# %%
import os

from apps.commands.startup import import_tensorflow

import_tensorflow()  # without what it writes at its start
import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

from models.recurrent.factory import recurrent_layer

# The switch: "sample" runs in two or three minutes; "full" remembers for longer and trains longer;
# "tiny" only shows that everything runs.
SETTING = os.environ.get("NOTEBOOK_SETTING", "sample")
STEPS = {"tiny": 16, "sample": 640, "full": 4000}[SETTING]
DELAY = {"tiny": 8, "sample": 40, "full": 100}[SETTING]
TIME = 20 if SETTING == "tiny" else 100

keras.utils.set_random_seed(1)
plt.rcParams.update({"figure.figsize": (7, 3), "figure.constrained_layout.use": True})

# %% [markdown]
# ## 1. What is left of an error
#
# With $h_t = \tanh(W x_t + R\,h_{t-1} + b)$ the chain rule gives one factor for each step back:
#
# $$\frac{\partial h_T}{\partial h_t} = \prod_{k=t+1}^{T} \mathrm{diag}\!\left(1 - h_k^2\right) R$$
#
# The tangent's derivative $1 - h^2$ is at most 1. If the factors shrink a vector, a hundred of
# them leave nothing; if they stretch it, it explodes. An LSTM's cell state has a way back without
# a matrix:
#
# $$c_t = f_t \odot c_{t-1} + i_t \odot \tanh(g_t)
# \quad\Rightarrow\quad \frac{\partial c_T}{\partial c_t} \approx \prod_{k=t+1}^{T}
# \mathrm{diag}(f_k)$$
#
# A forget gate near 1 lets the error through. A gate at its initial value $\sigma(0) = 0.5$ halves
# it at each step.
#
# We let untrained layers read random vectors, take a random direction of the last state as the
# error, and measure the gradient at each input, relative to the last one:


# %%
def norms_back(layer, scale=1.0, time=TIME, features=16):
    """<float>[time], mean norm of the gradient by the input so many steps before the end."""
    generator = tf.random.Generator.from_seed(3)
    inputs = scale * generator.normal([32, time, features])
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        state = layer(inputs)
        error = tf.reduce_sum(state * generator.normal(tf.shape(state)))
    gradients = tf.convert_to_tensor(tape.gradient(error, inputs))
    norms = tf.reduce_mean(tf.norm(gradients, axis=2), axis=0).numpy()[::-1]
    return norms / norms[0]


UNITS = 64
layers = {
    "SimpleRNN, small random R": recurrent_layer(
        "simple_rnn", UNITS, recurrent_initializer=keras.initializers.RandomNormal(stddev=0.08)
    ),
    "SimpleRNN, orthogonal R": recurrent_layer("simple_rnn", UNITS),
    "LSTM, forget bias 0": recurrent_layer("lstm", UNITS, forget_bias=0.0),
    "LSTM, forget bias 1": recurrent_layer("lstm", UNITS, forget_bias=1.0),
    "LSTM, forget bias 3": recurrent_layer("lstm", UNITS, forget_bias=3.0),
    "LSTM, chrono": recurrent_layer("lstm", UNITS, chrono_length=100),
    "GRU": recurrent_layer("gru", UNITS),
    "GRU, chrono": recurrent_layer("gru", UNITS, chrono_length=100),
}
back = {name: norms_back(layer) for name, layer in layers.items()}

plt.figure(figsize=(9, 3.2))
decades = np.log10(np.maximum([*back.values()], 1e-30))
image = plt.imshow(decades, cmap="magma", vmin=-10, vmax=0, aspect="auto")
plt.yticks(range(len(back)), [*back])
plt.xlabel("steps before the end")
plt.colorbar(image, label="gradient, power of ten")
plt.show()

# %% [markdown]
# Black means: a word that far back might as well not be there, for this layer cannot learn from it.
# How far back is a millionth of the gradient left?

# %%
for name, norms in back.items():
    lost = np.flatnonzero(norms < 1e-6)
    print(f"{name:28}", f"{lost[0]:3} steps" if len(lost) else f"more than {TIME} steps")

# %% [markdown]
# - The **small random** matrix shrinks at each step and forgets first.
# - An **orthogonal** matrix keeps a vector's length; only the tangent shrinks it.
# - The LSTM depends on its **forget bias** $b_f$: the gate begins at $\sigma(b_f)$, which is 0.5,
#   0.73 and 0.95 for biases of 0, 1 and 3. Gers et al. (2000) added the gate, Jozefowicz et al.
#   (2015) advise a bias of 1.
# - **Chrono** initialisation (Tallec & Ollivier 2018) gives each unit another bias,
#   $b_f = \log u$ with $u$ uniform in $1 \dots T-1$, so that some units forget soon and some late.
# - In a **GRU** the update gate $z$ does what the forget gate does in an LSTM,
#   $h_t = z_t \odot h_{t-1} + (1 - z_t) \odot \tilde h_t$, and begins at 0.5, too.
#
# ## 2. Exploding
#
# If $R$ stretches, the product grows. Here $R = \gamma Q$ with an orthogonal $Q$, and inputs so
# small that the tangent is a straight line. Then theory says $\gamma^{T-t}$ exactly (dotted):

# %%
for gain in (0.8, 0.95, 1.0, 1.05, 1.2):
    layer = recurrent_layer(
        "simple_rnn", UNITS, recurrent_initializer=keras.initializers.Orthogonal(gain)
    )
    norms = norms_back(layer, scale=1e-12)
    (line,) = plt.semilogy(norms, label=f"γ = {gain}")
    plt.semilogy(
        gain ** np.arange(TIME), color=line.get_color(), linestyle=":", linewidth=4, alpha=0.5
    )
plt.gca().set(xlabel="steps before the end", ylabel="gradient")
plt.legend()
plt.show()

# %% [markdown]
# An exploding gradient is a wall in the landscape of the loss: one step, and the weights land far
# away. **Clipping** (Pascanu et al. 2013) keeps the direction and bounds the length of the step:
#
# $$g \leftarrow g \cdot \min\!\left(1, \frac{c}{\lVert g \rVert}\right)$$
#
# The same network with $\gamma = 1.3$ learns the same examples with plain gradient descent, once
# as it is and once clipped to $c = 1$. The task: say which of four symbols stood first in a
# sequence of 25.


# %%
def first_symbol(rows, length, generator):
    """Symbols <int>[rows, length] and the first of each row."""
    symbols = generator.integers(0, 4, (rows, length))
    return symbols, symbols[:, 0]


def descend(clip):
    """Losses and gradient norms of each step."""
    keras.utils.set_random_seed(5)
    model = keras.Sequential(
        [
            keras.layers.Embedding(4, 8),
            recurrent_layer(
                "simple_rnn", 32, recurrent_initializer=keras.initializers.Orthogonal(1.3, seed=1)
            ),
            keras.layers.Dense(4),
        ]
    )
    loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = keras.optimizers.SGD(0.3, global_clipnorm=clip)
    generator = np.random.default_rng(2)
    model(first_symbol(32, 25, generator)[0])

    @tf.function
    def step(symbols, answers):
        with tf.GradientTape() as tape:
            loss = loss_of(answers, model(symbols))
        variables = model.trainable_variables
        gradients = tape.gradient(loss, [variable.value for variable in variables])
        gradients = [tf.convert_to_tensor(gradient) for gradient in gradients]
        optimizer.apply(gradients, variables)
        return loss, tf.linalg.global_norm(gradients)

    steps = [
        step(*map(tf.constant, first_symbol(32, 25, generator))) for _ in range(min(STEPS, 300))
    ]
    return np.array(steps).T


figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3))
for name, clip in {"not clipped": None, "clipped to 1": 1.0}.items():
    losses, norms = descend(clip)
    left.semilogy(losses, label=name, alpha=0.8)
    right.semilogy(norms, label=name, alpha=0.8)
left.axhline(np.log(4), color="gray", linestyle=":", label="guessing")
left.set(xlabel="step", ylabel="loss")
right.axhline(1, color="gray", linestyle=":")
right.set(xlabel="step", ylabel="norm before clipping")
left.legend(fontsize=8)
plt.show()

# %% [markdown]
# `--clip-norm` is this $c$ in every application of the suite (1.0 unless changed), and the log of a
# training says how often it was at work.
#
# ## 3. To remember one symbol
#
# The network reads random symbols. Once, among the first ones, stands a mark `*`; the symbol
# behind it must be named at the very end. All other symbols look the same and must be let pass:

# %%
MARK = 4


def marked(rows, length, generator):
    """Symbols <int>[rows, length], one of them the mark, and the symbol behind it."""
    symbols = generator.integers(0, 4, (rows, length))
    place = generator.integers(0, min(5, length - 1), rows)
    symbols[np.arange(rows), place] = MARK
    return symbols, symbols[np.arange(rows), place + 1]


symbols, answers = marked(3, DELAY, np.random.default_rng(0))
for row, answer in zip(symbols, answers, strict=True):
    print("".join("abcd*"[symbol] for symbol in row), "→", "abcd"[answer])

# %%
cells = {
    "SimpleRNN": ("simple_rnn", {}),
    "LSTM": ("lstm", {}),
    "LSTM, chrono": ("lstm", {"chrono_length": DELAY + 2}),
    "GRU": ("gru", {}),
    "GRU, chrono": ("gru", {"chrono_length": DELAY + 2}),
}
PARTS, ROWS = 8, 64
if SETTING == "tiny":
    cells, PARTS = {name: cells[name] for name in ("SimpleRNN", "GRU, chrono")}, 2
curves = {}
for name, (cell, options) in cells.items():
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.layers.Embedding(5, 16),
            recurrent_layer(cell, 32, **options),
            keras.layers.Dense(4),
        ]
    )
    model.compile(
        keras.optimizers.Adam(0.004, global_clipnorm=1.0),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    generator = np.random.default_rng(1)
    new = marked(256, DELAY, generator)
    curves[name] = [model.evaluate(*new, batch_size=256, verbose=0)[1]]
    for _ in range(PARTS):
        model.fit(*marked(ROWS * STEPS // PARTS, DELAY, generator), ROWS, verbose=0)
        curves[name].append(model.evaluate(*new, batch_size=256, verbose=0)[1])

for name, accuracies in curves.items():
    plt.plot(np.arange(PARTS + 1) * STEPS // PARTS, accuracies, marker="o", label=name)
plt.axhline(0.25, color="gray", linestyle=":", label="guessing")
plt.gca().set(xlabel="steps of training", ylabel="accuracy on new sequences", ylim=(0, 1.05))
plt.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
plt.show()
for name, accuracies in curves.items():
    print(f"{name:14} {accuracies[-1]:.2f}")

# %% [markdown]
# The SimpleRNN hardly gets beyond guessing. It has a gradient (its matrix is orthogonal), but no
# way to tell what to keep: it writes every symbol into the same state, the later over the earlier.
# A gated cell can close its input gate behind the mark. But it must *discover* that, and for this
# an error has to come through: with its usual bias the gates of section 1 have lost it on the way.
# With chrono initialisation some units keep it from the start, and learn.
#
# In the suite: `--cell`, `--recurrent-initializer`, `--forget-bias`, `--chrono-length`,
# `--clip-norm`.
#
# ## Try it yourself
#
# 1. In section 1, multiply the inputs by 3 (`scale=3.0`). What does the tangent do to a SimpleRNN
#    that is driven hard? And to the LSTM?
# 2. In section 2, clip to 0.1 and to 10. What is the price of a small $c$?
# 3. In section 3, double `DELAY`. Which of the cells still learn with the same number of steps?

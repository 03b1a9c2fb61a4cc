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
# # 4 · Inside the cells
#
# **Time:** 1 minute of the processor to run it<br>
# **You should know:** notebooks 1 to 3<br>
# **Before:** [3 · Vanishing and exploding gradients](03_vanishing_gradients.ipynb)<br>
# **Next:** [5 · Both ways, and deep](05_bidirectional_and_deep.ipynb)
#
# A cell does one step: it takes a word's vector $x_t$ and the state before it, and returns the
# state after it. Here we open the boxes, each in pictures, in equations and in code:
#
# 1. the LSTM's step by hand in NumPy, equal to the suite's and to Keras' layer,
# 2. the GRU's,
# 3. what the gates do while a network reads a sentence,
# 4. peephole connections,
# 5. how many weights each cell has, and what it costs.

# %%
# The suite is three packages: `data` reads and prepares texts, `models` has layers and networks,
# `apps` the commands that train and use them. `diagrams` lies beside the notebooks.
import os
import time

from apps.commands.startup import import_tensorflow

import_tensorflow()  # without what it writes at its start
import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from diagrams import draw_gru, draw_lstm, draw_simple_rnn

from data.datasets import read_labelled_texts
from data.text.cleaning import tokenize
from data.text.preprocessor import TextPreprocessor
from data.text.vocabulary import build_vocabularies
from models.classification.classifier import TextClassifier
from models.recurrent.factory import recurrent_layer
from models.registry import CELLS

# The switch: "sample" runs offline in a minute or two; "full" reads SST-2 from the folder DATA_DIR
# and trains longer; "tiny" only shows that everything runs.
SETTING = os.environ.get("NOTEBOOK_SETTING", "sample")
DATA_DIR = os.environ.get("DATA_DIR")
DATASET = "sst2" if SETTING == "full" else "sample"
EPOCHS = {"tiny": 1, "sample": 5, "full": 3}[SETTING]

keras.utils.set_random_seed(2)
plt.rcParams.update({"figure.figsize": (7, 3), "figure.constrained_layout.use": True})

BATCH, TIME, FEATURES, UNITS = 3, 12, 5, 4
inputs = np.random.default_rng(0).normal(size=(BATCH, TIME, FEATURES)).astype(np.float32)

# %% [markdown]
# Three cells, as pictures. A pink box is a layer of weights that reads the input $x_t$ and the
# state $h_{t-1}$, a circle works number by number. $\sigma$ gives numbers between 0 and 1: what is
# multiplied by them passes a **gate**.

# %%
figure, axes = plt.subplots(1, 3, figsize=(11, 2.9), width_ratios=(6.4, 10.4, 9.0))
for panel, draw in zip(axes, (draw_simple_rnn, draw_lstm, draw_gru), strict=True):
    draw(panel)
plt.show()

# %% [markdown]
# A SimpleRNN writes its whole state anew at each step. The other two have a line on top that runs
# through the step with nothing in its way but gates: the memory.
#
# ## 1. LSTM
#
# Four projections of the input and of the previous output are made at once, with one matrix each:
#
# $$(a_i,\ a_f,\ a_g,\ a_o) = W x_t + R\,h_{t-1} + b$$
#
# Three of them become gates; the fourth is what may be written. The **cell state** $c$ is the
# memory, the output $h$ is what is shown of it:
#
# $$i = \sigma(a_i), \quad f = \sigma(a_f), \quad g = \tanh(a_g), \quad o = \sigma(a_o)$$
#
# $$c_t = f \odot c_{t-1} + i \odot g \quad\text{(forget some, write some)}, \qquad
# h_t = o \odot \tanh(c_t) \quad\text{(show some)}$$


# %%
def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm_step(x, h, c, weights):
    """x [batch, features], h and c [batch, units] -> the new h and c, and the gates."""
    kernel, recurrent_kernel, bias = weights
    projections = x @ kernel + h @ recurrent_kernel + bias  # [batch, 4 * units]
    a_i, a_f, a_g, a_o = np.split(projections, 4, axis=1)  # [batch, units] each
    i, f, g, o = sigmoid(a_i), sigmoid(a_f), np.tanh(a_g), sigmoid(a_o)  # [batch, units] each
    c = f * c + i * g  # [batch, units]
    return o * np.tanh(c), c, {"input": i, "forget": f, "output": o}


def run(step, inputs, states):
    """The last output, step after step."""
    for t in range(inputs.shape[1]):
        states = step(inputs[:, t], *states)[: len(states)]
    return states[0]


nothing = np.zeros((BATCH, UNITS), np.float32)
lstm = recurrent_layer("lstm", UNITS)
lstm.build(inputs.shape)
lstm.set_weights([np.random.default_rng(1).normal(size=w.shape) for w in lstm.get_weights()])
of_keras = keras.layers.LSTM(UNITS)
of_keras.build(inputs.shape)
of_keras.set_weights(lstm.get_weights())


def by_hand(x, h, c):
    return lstm_step(x, h, c, lstm.get_weights())


hand = run(by_hand, inputs, (nothing, nothing))
print("by hand, first text:", np.round(hand[0], 6))
print("recurrent_layer:    ", np.round(lstm(inputs)[0], 6))
print("greatest difference from the suite's layer:", np.abs(hand - lstm(inputs)).max())
print("greatest difference from Keras' layer:     ", np.abs(hand - of_keras(inputs)).max())
assert np.allclose(hand, lstm(inputs), atol=1e-6) and np.allclose(hand, of_keras(inputs), atol=1e-6)

# %% [markdown]
# ## 2. GRU
#
# The GRU has no separate memory: its output is its state. An **update gate** $z$ says how much
# stays, and what is written is the rest; a **reset gate** $r$ says how much of the old state the
# new proposal sees:
#
# $$(x_z,\ x_r,\ x_g) = W x_t + b, \qquad (h_z,\ h_r,\ h_g) = R\,h_{t-1} + b'$$
#
# $$z = \sigma(x_z + h_z), \qquad r = \sigma(x_r + h_r), \qquad
# \tilde h = \tanh(x_g + r \odot h_g)$$
#
# $$h_t = z \odot h_{t-1} + (1 - z) \odot \tilde h$$
#
# This is the form with the reset gate behind the product $R\,h$, which cuDNN has and the picture
# shows; Cho et al. (2014) put it before: $\tanh(x_g + R_g(r \odot h))$. That is why there are two
# biases.


# %%
def gru_step(x, h, weights):
    """x [batch, features], h [batch, units] -> the new h, and the gates."""
    kernel, recurrent_kernel, biases = weights  # biases [2, 3 * units]
    x_z, x_r, x_g = np.split(x @ kernel + biases[0], 3, axis=1)  # [batch, units] each
    h_z, h_r, h_g = np.split(h @ recurrent_kernel + biases[1], 3, axis=1)  # [batch, units] each
    z, r = sigmoid(x_z + h_z), sigmoid(x_r + h_r)
    proposal = np.tanh(x_g + r * h_g)  # [batch, units]
    return z * h + (1 - z) * proposal, {"update": z, "reset": r}


gru = recurrent_layer("gru", UNITS)
gru.build(inputs.shape)
gru.set_weights([np.random.default_rng(1).normal(size=w.shape) for w in gru.get_weights()])
of_keras = keras.layers.GRU(UNITS)
of_keras.build(inputs.shape)
of_keras.set_weights(gru.get_weights())

hand = run(lambda x, h: gru_step(x, h, gru.get_weights()), inputs, (nothing,))
print("greatest difference from the suite's layer:", np.abs(hand - gru(inputs)).max())
print("greatest difference from Keras' layer:     ", np.abs(hand - of_keras(inputs)).max())
assert np.allclose(hand, gru(inputs), atol=1e-6) and np.allclose(hand, of_keras(inputs), atol=1e-6)

# %% [markdown]
# ## 3. Gates at work
#
# We train a small classifier of the suite to tell praise from blame, take the weights out of its
# LSTM, and read a sentence with the step above: the same network, but every gate in the open.

# %%
corpus = read_labelled_texts(DATASET, "sentiment.csv", DATA_DIR)
train = corpus.split("train")
vocabularies = build_vocabularies(train.texts, "review", max_tokens=20_000, min_count=1)
preprocessor = TextPreprocessor(vocabularies, "review", max_length=60)
model = TextClassifier(
    vocabulary_size=len(vocabularies.tokens) + 2,
    num_classes=2,
    embedding_dim=16,
    recurrent={"cell": "lstm", "units": 8},
    pooling=("last",),
)
model.compile(
    keras.optimizers.Adam(0.01),
    keras.losses.CategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
ids = preprocessor(tf.constant(train.texts))
fitted = model.fit(ids, train.targets, batch_size=32, epochs=EPOCHS, verbose=0)
print("accuracy on the training texts:", np.round(fitted.history["accuracy"][-1], 3))

# %%
weights = model.get_layer("recurrent").layers[0].get_weights()
head = model.get_layer("logits")
positive = corpus.class_names.index("positive")


def read(text):
    """The words of a text; the gates and the cell state after each, [words, units]; and P(positive)
    as if the text ended there."""
    words = ["<start>", *(w.decode() for w in tokenize(tf.constant([text]), "review")[0].numpy())]
    vectors = model.get_layer("embedding")(preprocessor(tf.constant([text]))["token_ids"]).numpy()
    h = c = np.zeros((1, 8), np.float32)
    kept = []
    for t in range(len(words)):
        h, c, gates = lstm_step(vectors[:, t], h, c, weights)
        share = keras.ops.softmax(head(h))[0, positive]
        kept.append([*(gate[0] for gate in gates.values()), c[0], float(share)])
    *states, shares = zip(*kept, strict=True)
    return words, dict(zip([*gates, "cell state"], map(np.array, states), strict=True)), shares


def show(text):
    words, states, shares = read(text)
    figure, axes = plt.subplots(5, 1, figsize=(9, 7), sharex=True, height_ratios=(2, 2, 2, 2, 1.6))
    for panel, (name, values) in zip(axes, states.items(), strict=False):
        is_state = name == "cell state"
        limits = {"cmap": "PuOr", "vmin": -3, "vmax": 3} if is_state else {"vmin": 0, "vmax": 1}
        image = panel.imshow(values.T, aspect="auto", **{"cmap": "viridis"} | limits)
        panel.set(ylabel="unit", title=name if is_state else f"{name} gate", yticks=[])
        figure.colorbar(image, ax=panel, pad=0.01)
    axes[-1].bar(range(len(words)), shares, color="tab:blue")
    axes[-1].axhline(0.5, color="gray", linestyle=":")
    axes[-1].set(ylabel="P(positive)", ylim=(0, 1))
    axes[-1].set_xticks(range(len(words)), words, rotation=45, ha="right")
    plt.show()


show("The plot was bad and boring, but the ending is wonderful and the best.")
by_model = keras.ops.softmax(
    model(preprocessor(tf.constant(["The plot was bad and boring."])), training=False)
)
print("the model itself:", float(by_model[0, positive]))
print("step by step:    ", read("The plot was bad and boring.")[2][-1])

# %% [markdown]
# How to read it:
#
# - A **forget gate** near 1 (yellow) keeps the unit's memory over a word; where it is darker, some
#   of the memory is dropped. Which words make several units forget at once?
# - A bright **input gate** lets a word in. Look for units that are brighter at a telling word than
#   at "the" and "and".
# - The **cell state** carries the evidence so far. Find the units that change their sign between
#   "boring" and "best": the bars below follow them.
# - Not every unit means something by itself. The network is free to spread what it knows.
#
# ## 4. Peepholes
#
# The gates see the output $h_{t-1}$, not the memory itself. If the output gate is closed, the cell
# cannot see what it remembers. **Peephole connections** (Gers et al. 2002) let each gate look at
# its own unit's memory, with one weight each:
#
# $$i = \sigma(a_i + p_i \odot c_{t-1}), \qquad f = \sigma(a_f + p_f \odot c_{t-1}), \qquad
# o = \sigma(a_o + p_o \odot c_t)$$
#
# The rest is as before. The output gate sees the new memory $c_t$, since it decides last.


# %%
def peephole_step(x, h, c, weights):
    kernel, recurrent_kernel, bias, p_i, p_f, p_o = weights
    a_i, a_f, a_g, a_o = np.split(x @ kernel + h @ recurrent_kernel + bias, 4, axis=1)
    i, f = sigmoid(a_i + p_i * c), sigmoid(a_f + p_f * c)
    c = f * c + i * np.tanh(a_g)
    return sigmoid(a_o + p_o * c) * np.tanh(c), c


peephole = recurrent_layer("peephole_lstm", UNITS)
peephole.build(inputs.shape)
generator = np.random.default_rng(1)
peephole.set_weights([generator.normal(size=w.shape) for w in peephole.get_weights()])

hand = run(
    lambda x, h, c: peephole_step(x, h, c, peephole.get_weights()), inputs, (nothing, nothing)
)
print("greatest difference from the suite's layer:", np.abs(hand - peephole(inputs)).max())
assert np.allclose(hand, peephole(inputs), atol=1e-6)

# %% [markdown]
# ## 5. Weights and cost
#
# With $d$ features and $n$ units, a projection has $n(d + n + 1)$ weights. A SimpleRNN has one, a
# GRU three (and a second bias), an LSTM four; an LSTM whose input gate is one minus its forget
# gate (CIFG) three. The times are of reading a batch, and of reading it and computing all
# gradients.

# %%
FEATURES, UNITS, TIME = (16, 16, 8) if SETTING == "tiny" else (64, 64, 64)
batch = tf.random.normal([32, TIME, FEATURES])


def reader_and_learner(layer):
    """Functions of no argument that read the batch, and that also compute the gradients."""
    weights = [weight.value for weight in layer.trainable_weights]

    @tf.function
    def read():
        return layer(batch)

    @tf.function
    def learn():
        with tf.GradientTape() as tape:
            error = tf.reduce_sum(layer(batch) ** 2)
        return tape.gradient(error, weights)

    return read, learn


layers = {cell: recurrent_layer(cell, UNITS) for cell in CELLS}
for layer in layers.values():
    layer.build(batch.shape)
functions = {cell: reader_and_learner(layer) for cell, layer in layers.items()}
took = {cell: [np.inf, np.inf] for cell in CELLS}
# They take turns, so that whatever else the computer does disturbs all alike; the first turn, which
# compiles, is never the fastest.
for _ in range(2 if SETTING == "tiny" else 20):
    for cell, pair in functions.items():
        for which, function in enumerate(pair):
            begun = time.perf_counter()
            function()
            milliseconds = 1000 * (time.perf_counter() - begun)
            took[cell][which] = min(took[cell][which], milliseconds)

print(f"{'cell':18} {'weights':>9} {'projections':>12} {'read, ms':>9} {'learn, ms':>10}")
for cell, layer in layers.items():
    count, (reads, learns) = layer.count_params(), took[cell]
    projections = count / (UNITS * (FEATURES + UNITS + 1))
    print(f"{cell:18} {count:9,} {projections:12.2f} {reads:9.2f} {learns:10.2f}")

reads, learns = zip(*took.values(), strict=True)
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3), sharey=True)
left.barh([*layers], [layer.count_params() for layer in layers.values()], color="tab:gray")
left.set(xlabel="weights")
left.invert_yaxis()
right.barh([*layers], learns, color="tab:orange", label="read and learn")
right.barh([*layers], reads, color="tab:blue", label="read")
right.set(xlabel="milliseconds a batch")
right.legend()
plt.show()

# %% [markdown]
# The time does not simply follow the weights: the steps must wait for each other, and each is
# small. The normalised cells have hardly more weights than the others, but more to do at each
# step.
#
# ## Try it yourself
#
# **1.** Draw the gates for a sentence of your own. Does the verdict turn at "but"?
#
# <details markdown="1"><summary>Answer</summary>
#
# Not at "but", which alone tells nothing about the film. `show("I loved the first half, but the
# rest is boring and slow.")` has P(positive) above 0.9 from "loved" to "rest"; it falls at
# "boring", and at the end it is near 0. "The service was slow and rude, but the food was
# wonderful." goes the other way: near 0 until "was", 0.69 at "wonderful", and 0.39 behind the full
# stop. The word that turns the verdict is the next one that tells something.
#
# </details>
#
# **2.** Set the LSTM's forget bias to -5 with `set_weights` and run it over the same inputs. What
# is left of the first word?
#
# <details markdown="1"><summary>Answer</summary>
#
# Nothing that single precision shows. The bias of the forget gate is the second quarter of the
# bias:
#
# ```python
# other = inputs.copy()
# other[:, 0] += 5.0  # another first word
# kernel, recurrent, bias = lstm.get_weights()
# bias[4:8] = -5.0
# lstm.set_weights([kernel, recurrent, bias])
# print(np.abs(lstm(inputs) - lstm(other)).max())
# ```
#
# With the weights as they are another first word changes the last output by about 0.01, and with
# the bias by 0.0000001: a gate near $\sigma(-5) = 0.007$ leaves $0.007^{11}$ of a memory after
# eleven steps. (The other way from word to word, through $h$, is there still, and small.)
#
# </details>
#
# **3.** With which weights does a GRU compute the same as a SimpleRNN? (What must $z$ and $r$ be?)
#
# <details markdown="1"><summary>Answer</summary>
#
# $z = 0$, so that nothing of the old state stays, and $r = 1$, so that the proposal sees all of it:
# then $h_t = \tanh(W x_t + R\,h_{t-1} + b)$. Gates are sigmoids and never quite 0 or 1, but a bias
# of 30 is near enough. Keras orders the three as $z$, $r$, $g$:
#
# ```python
# simple = recurrent_layer("simple_rnn", 4)
# simple.build((None, None, 5))
# W, R, b = simple.get_weights()
# gru = recurrent_layer("gru", 4)
# gru.build((None, None, 5))
# kernel, recurrent, biases = (np.zeros_like(each) for each in gru.get_weights())
# kernel[:, 8:], recurrent[:, 8:], biases[0, 8:] = W, R, b
# biases[0, :4], biases[0, 4:8] = -30, 30
# gru.set_weights([kernel, recurrent, biases])
# print(np.abs(gru(inputs) - simple(inputs)).max())
# ```
#
# The difference is 0.
#
# </details>
#
# ---
#
# ← [3 · Vanishing and exploding gradients](03_vanishing_gradients.ipynb)<br>
# → [5 · Both ways, and deep](05_bidirectional_and_deep.ipynb)<br>
# [All notebooks](README.md)

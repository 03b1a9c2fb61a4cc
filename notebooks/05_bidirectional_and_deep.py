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
# # 5 · Both ways, and deep
#
# **Time:** 4 minutes of the processor to run it<br>
# **You should know:** notebooks 1 and 4<br>
# **Before:** [4 · Inside the cells](04_inside_the_cells.ipynb)<br>
# **Next:** [6 · Hate speech](06_hate_speech.ipynb)
#
# One recurrent layer reads from left to right. This notebook adds to it:
#
# 1. a second layer that reads from **right to left**, and what that one can see,
# 2. layers **on top** of each other, with residual connections: accuracy against cost,
# 3. and what keeps large networks from learning their examples by heart: **L1, L2, dropout**.

# %%
# The suite is three packages: `data` reads and prepares texts, `models` has layers and networks,
# `apps` the commands that train and use them. `diagrams` lies beside the notebooks.
import os

from apps.commands.startup import import_tensorflow

import_tensorflow()  # without what it writes at its start
import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from diagrams import Row, draw_residual, draw_rows

from data.datasets import read_labelled_texts
from data.text.preprocessor import TextPreprocessor
from data.text.vocabulary import build_vocabularies
from models.classification.classifier import TextClassifier
from models.recurrent.factory import recurrent_layer
from models.recurrent.stack import recurrent_stack

# The switch: "sample" runs offline in two or three minutes; "full" reads the tweets of Davidson et
# al. from the folder DATA_DIR and trains longer; "tiny" only shows that everything runs.
SETTING = os.environ.get("NOTEBOOK_SETTING", "sample")
DATA_DIR = os.environ.get("DATA_DIR")
DATASET = "davidson" if SETTING == "full" else "sample"
STEPS = {"tiny": 8, "sample": 400, "full": 2000}[SETTING]
EPOCHS = {"tiny": 1, "sample": 12, "full": 8}[SETTING]

keras.utils.set_random_seed(1)
plt.rcParams.update({"figure.figsize": (7, 3), "figure.constrained_layout.use": True})

# %% [markdown]
# ## 1. Forward, backward, both
#
# A bidirectional layer (Schuster & Paliwal 1997) is two layers with weights of their own. One reads
# the sequence as it is, the other reads it backward; their outputs at each step are concatenated:
#
# $$\overrightarrow{h}_t = \mathrm{step}(x_t, \overrightarrow{h}_{t-1}), \qquad
# \overleftarrow{h}_t = \mathrm{step}'(x_t, \overleftarrow{h}_{t+1}), \qquad
# h_t = [\,\overrightarrow{h}_t,\ \overleftarrow{h}_t\,]$$


# %%
def named(letter):
    """Labels of four steps."""
    return [f"${letter}_{t}$" for t in range(1, 5)]


plt.figure(figsize=(7, 3.2))
draw_rows(
    plt.gca(),
    [
        Row(named("x"), "input", name="inputs"),
        Row(named(r"\overrightarrow{h}"), "state", "right", shift=-0.24, name="forward"),
        Row(named(r"\overleftarrow{h}"), "state", "left", below=(2,), shift=0.24, name="backward"),
        Row(named("h"), "output", below=(1, 2), name="outputs"),
    ],
)
plt.show()

# %% [markdown]
# By hand, for SimpleRNN cells; the shapes stand behind the lines:


# %%
def one_way(x, W, R, b):
    """The outputs <float>[texts, steps, units] of a SimpleRNN that reads from the left."""
    h = np.zeros((len(x), len(R)), np.float32)  # [texts, units]
    outputs = []
    for t in range(x.shape[1]):
        h = np.tanh(x[:, t] @ W + h @ R + b)  # [texts, units]
        outputs.append(h)
    return np.stack(outputs, axis=1)  # [texts, steps, units]


def both_ways(x, forward, backward):
    """The outputs <float>[texts, steps, 2 x units], of the weights of both layers."""
    seen = one_way(x, *forward)  # [texts, steps, units], what came before each step
    coming = one_way(x[:, ::-1], *backward)[:, ::-1]  # [texts, steps, units], what is to come
    return np.concatenate([seen, coming], axis=2)  # [texts, steps, 2 x units]


x = np.random.default_rng(0).normal(size=(2, 5, 4)).astype(np.float32)
simple = recurrent_layer("simple_rnn", 3, bidirectional=True, return_sequences=True)
simple.build(x.shape)
weights = simple.get_weights()
by_hand = both_ways(x, weights[:3], weights[3:])
print("shape:", by_hand.shape, "(texts, steps, 2 x units)")
print("greatest difference from the suite's layer:", np.abs(by_hand - simple(x)).max())

# %% [markdown]
# The suite's layer is the same for every cell. Here with GRUs:

# %%
keras.utils.set_random_seed(1)
TIME, UNITS = 10, 8
inputs = tf.random.normal([2, TIME, 4], seed=1)
both = recurrent_layer("gru", UNITS, bidirectional=True, return_sequences=True)
outputs = both(inputs)
print("outputs:", outputs.shape, "(texts, steps, 2 x units)")

forward = both.forward_layer(inputs)
backward = both.backward_layer(inputs)[:, ::-1]  # in its own order the first output is of x_T
print("first half less forward:  ", float(tf.reduce_max(tf.abs(outputs[..., :UNITS] - forward))))
print("second half less backward:", float(tf.reduce_max(tf.abs(outputs[..., UNITS:] - backward))))

# %% [markdown]
# What can the output at a step depend on? We measure it: the size of the derivative
# $\partial h_t / \partial x_s$ for each pair of steps. Row: where the output is; column: where the
# input is.


# %%
def influence(part):
    """<float>[output step, input step], norms of the derivatives of a part of the features."""
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(inputs)
        summed = tf.unstack(tf.reduce_sum(both(inputs)[0, :, part], axis=1))
    rows = [tape.gradient(output, inputs)[0] for output in summed]
    return tf.norm(tf.stack(rows), axis=2).numpy()


figure, axes = plt.subplots(1, 3, figsize=(9, 3))
parts = {"forward": slice(0, UNITS), "backward": slice(UNITS, None), "both": slice(None)}
for panel, (name, part) in zip(axes, parts.items(), strict=True):
    panel.imshow(np.sqrt(influence(part)), cmap="Blues")
    panel.set(title=name, xlabel="input at step")
axes[0].set_ylabel("output at step")
plt.show()

# %% [markdown]
# The forward half sees what came before, the backward half what comes after; together they see all,
# but far away only faintly (notebook 3).
#
# When does that matter? When the answer lies on both sides. **Which letters stand in brackets?** At
# an opening bracket nobody knows whether it will be closed:

# %%
LENGTH, ROWS = 12, 64
PARTS = 2 if SETTING == "tiny" else 8  # of a training, with a loss for each
OPEN, CLOSE = 8, 9  # 0 to 7 are letters


def bracketed(rows, seed):
    """Signs <int>[rows, LENGTH], and whether each is a letter with ( before and ) behind it."""
    generator = np.random.default_rng(seed)
    signs = generator.integers(0, 8, (rows, LENGTH))
    for sign in (OPEN, CLOSE):
        chosen = np.flatnonzero(generator.random(rows) < 0.8)
        signs[chosen, generator.integers(0, LENGTH, len(chosen))] = sign
    opened = np.cumsum(signs == OPEN, axis=1) > 0
    closed = np.cumsum((signs == CLOSE)[:, ::-1], axis=1)[:, ::-1] > 0
    return signs, (opened & closed & (signs < 8)).astype(np.float32)


signs, inside = bracketed(4, 1)
for row, marks in zip(signs, inside, strict=True):
    print("".join("abcdefgh()"[sign] for sign in row))
    print("".join("^" if mark else " " for mark in marks))


def trained(layer, task, steps, order=1):
    """A model's losses while it learns a task, and its accuracy at each step of new sequences; with
    an order of -1 it reads them backward."""
    model = keras.Sequential(
        [keras.layers.Embedding(10, 16), layer, keras.layers.Dense(1), keras.layers.Flatten()]
    )
    model.compile(
        keras.optimizers.Adam(0.005, global_clipnorm=1.0),
        keras.losses.BinaryCrossentropy(from_logits=True),
    )
    losses = []
    for seed in range(PARTS):
        signs, answers = (each[:, ::order] for each in task(ROWS * steps // PARTS, seed))
        losses += model.fit(signs, answers, ROWS, verbose=0).history["loss"]
    signs, answers = (each[:, ::order] for each in task(1024, 99))
    right = (model.predict(signs, 1024, verbose=0) > 0) == (answers > 0.5)
    return losses, right.mean(axis=0)[::order]


accuracies = {}
for name, layer, order in [
    ("forward, 32 units", recurrent_layer("gru", 32, return_sequences=True), 1),
    ("backward, 32 units", recurrent_layer("gru", 32, return_sequences=True), -1),
    ("both, 16 units each", recurrent_layer("gru", 16, True, return_sequences=True), 1),
]:
    if SETTING == "tiny" and order == 1:
        continue
    _, accuracies[name] = trained(layer, bracketed, STEPS // 2, order)

for name, by_step in accuracies.items():
    plt.plot(range(1, LENGTH + 1), by_step, marker="o", label=f"{name}: {by_step.mean():.3f}")
plt.gca().set(xlabel="step", ylabel="accuracy on new sequences", ylim=(0.8, 1.02))
plt.legend(fontsize=8, loc="lower center")
plt.show()

# %% [markdown]
# Forward alone knows of the opening bracket, but must guess whether a closing one will come: it is
# sure at the last step, where all is read. Backward alone is its mirror image. Both together are
# right everywhere, and with fewer weights. This is why taggers read both ways. A model that
# *writes* must not: the words to the right do not exist yet (notebook 9).
#
# ## 2. Layers on top of each other
#
# The outputs of one layer are the inputs of the next. With many layers the error has a long way
# down, as it has a long way back in time; a **residual** connection is a short cut around each
# layer:
#
# $$x^{(l+1)} = x^{(l)} + \mathrm{layer}^{(l)}\big(x^{(l)}\big)$$
#
# The suite has it from the second layer on, for the first one reads vectors of another size. With
# three layers:

# %%
plt.figure(figsize=(8, 1.6))
draw_residual(plt.gca(), 3)
plt.show()

# %% [markdown]
# A harder task, for which two letters must be compared wherever they stand: **which letters occur
# only once?** The same number of steps for more and more layers (both pictures have the same
# colours):


# %%
def alone(rows, seed):
    """Letters <int>[rows, LENGTH], and whether each is the only one of its kind."""
    letters = np.random.default_rng(seed).integers(0, 10, (rows, LENGTH))
    same = letters[:, :, None] == letters[:, None, :]
    return letters, (same.sum(axis=2) == 1).astype(np.float32)


depths = [2] if SETTING == "tiny" else [1, 2, 4]
learned, results = {}, []
for residual in [True] if SETTING == "tiny" else [False, True]:
    for depth in depths:
        if depth == 1 and residual:
            continue
        keras.utils.set_random_seed(3)
        stack = recurrent_stack("gru", 12, depth, bidirectional=True, residual=residual)
        losses, by_step = trained(stack, alone, STEPS)
        name = f"{depth} layer{'s' if depth > 1 else ''}{', residual' if residual else ''}"
        learned[name] = losses
        results.append((name, stack.count_params(), by_step.mean()))

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3))
for name, losses in learned.items():
    left.plot(np.arange(1, PARTS + 1) * STEPS // PARTS, losses, marker=".", label=name)
left.set(xlabel="steps of training", ylabel="loss")
left.legend(fontsize=8)
for name, count, accuracy in results:
    right.scatter(count, accuracy, s=50, label=name)
right.set(xlabel="weights of the recurrent layers", ylabel="accuracy on new sequences")
right.margins(x=0.2, y=0.2)
plt.show()
print(f"{'':22} {'weights':>8} {'accuracy':>9}")
for name, count, accuracy in results:
    print(f"{name:22} {count:8,} {accuracy:9.3f}")

# %% [markdown]
# Every layer costs as much as the one before it; what it brings gets less. Of the four layers those
# without short cuts take longest until they learn anything at all, and those with them are the
# first to learn. At the end two layers with short cuts are ahead. But look at the numbers: they lie
# between 0.699 and 0.734, from one training each, and another seed may well change the order of
# neighbours. What one sees here is *when* a stack begins to learn; which one is best takes more
# steps and several seeds (notebook 11). On texts one or two layers are mostly enough: measure
# before you stack (`--num-layers`, `--residual`).
#
# ## 3. By heart
#
# A few hundred texts and tens of thousands of weights: a network can learn its examples by heart
# instead of what they have in common. It shows when the loss on *other* texts rises while that on
# the training texts goes on falling. Three remedies:
#
# - **L2** adds $\lambda \sum w^2$ to the loss: large weights become expensive.
# - **L1** adds $\lambda \sum \lvert w \rvert$: small weights become zero.
# - **Dropout** zeroes a share of the features at random in each training step, so that none can be
#   relied upon. The suite drops the same features at all steps of a text (Gal & Ghahramani 2016).
#
# Half of the texts are for training, half for looking:

# %%
corpus = read_labelled_texts(DATASET, "hate_speech.csv", DATA_DIR)
texts = corpus.split("train")
half = 32 if SETTING == "tiny" else len(texts) // 2
train, other = texts.take(range(half)), texts.take(range(half, 2 * half))
vocabularies = build_vocabularies(train.texts, "tweet", max_tokens=20_000, min_count=1)
preprocessor = TextPreprocessor(vocabularies, "tweet", max_length=60)
ids, other_ids = (preprocessor(tf.constant(each.texts)) for each in (train, other))

remedies = {
    "none": {},
    "L1": {"l1": 1e-4},
    "L2": {"l2": 1e-3},
    "dropout": {"dropout": 0.3},
}
if SETTING == "tiny":
    remedies = {"L1": {"l1": 1e-4}}
runs, kernels = {}, {}
for name, remedy in remedies.items():
    keras.utils.set_random_seed(4)
    model = TextClassifier(
        vocabulary_size=len(vocabularies.tokens) + 2,
        num_classes=len(corpus.class_names),
        embedding_dim=32,
        recurrent={"cell": "gru", "units": 48, "bidirectional": True, **remedy},
        pooling=("attention",),
        dropout=remedy.get("dropout", 0.0),
    )
    # The loss without the penalty, to compare like with like.
    loss = keras.metrics.CategoricalCrossentropy(from_logits=True, name="cross_entropy")
    model.compile(
        keras.optimizers.Adam(0.002, global_clipnorm=1.0),
        keras.losses.CategoricalCrossentropy(from_logits=True),
        metrics=[loss],
    )
    runs[name] = model.fit(
        ids, train.targets, 32, EPOCHS, verbose=0, validation_data=(other_ids, other.targets)
    ).history
    kernels[name] = model.get_layer("recurrent").layers[0].get_weights()[1]

figure, axes = plt.subplots(1, len(runs), figsize=(10, 2.6), sharey=True, squeeze=False)
for panel, (name, history) in zip(axes[0], runs.items(), strict=True):
    panel.plot(history["cross_entropy"], label="training texts")
    panel.plot(history["val_cross_entropy"], label="other texts")
    best = int(np.argmin(history["val_cross_entropy"]))
    panel.axvline(best, color="gray", linestyle=":", label="best epoch")
    panel.set(title=f"{name}: {history['val_cross_entropy'][best]:.3f} at best", xlabel="epoch")
axes[0, 0].set_ylabel("cross-entropy")
axes[0, 0].legend(fontsize=7)
plt.show()

# %% [markdown]
# And the weights? A histogram of a recurrent matrix after the training with each remedy:

# %%
for name, kernel in kernels.items():
    plt.hist(np.clip(kernel.ravel(), -0.4, 0.4), bins=81, histtype="step", label=name)
plt.gca().set(xlabel="weight", ylabel="how many", yscale="log")
plt.legend(fontsize=8)
plt.show()
for name, kernel in kernels.items():
    print(f"{name:8} {np.mean(np.abs(kernel) < 0.003):6.1%} of the weights are almost zero")

# %% [markdown]
# Look for the place where the two curves part. The cheapest remedy is to stop there, which is what
# `--patience` does. L1 keeps the loss on other texts near its best, and leaves most weights at
# zero; dropout keeps it there, too, while L2 of this strength does little. Which remedy has the
# lowest loss at its best epoch depends on the data, and here they hardly differ: the numbers are
# above the pictures. The options are `--l1`, `--l2`, `--dropout`.
#
# ## Try it yourself
#
# **1.** In section 1, ask whether the letter has occurred *before* in the sequence. Which reader is
# enough?
#
# <details markdown="1"><summary>Answer</summary>
#
# The forward one: all that it needs lies to the left. Both ways find it, too, and spend half of
# their units on what is no help. Backward alone can only guess, for it meets a letter before it
# knows what stood to the left of it; it would answer whether the letter comes *again*.
#
# ```python
# def seen_before(rows, seed):
#     letters = np.random.default_rng(seed).integers(0, 10, (rows, LENGTH))
#     same = letters[:, :, None] == letters[:, None, :]
#     return letters, np.tril(same, -1).any(axis=2).astype(np.float32)
# ```
#
# Pass it to `trained` in place of `bracketed`.
#
# </details>
#
# **2.** Why must a layer have as many outputs as inputs for a residual connection around it? And
# how many weights does the connection have?
#
# <details markdown="1"><summary>Answer</summary>
#
# What is added must have the same shape: $x$ and $\mathrm{layer}(x)$ are summed feature by feature.
# A stack of bidirectional layers with 12 units each has 24 features everywhere, and only the first
# layer, which reads vectors of another size, goes without. The addition itself has no weights: look
# at the column of weights above, which is the same with and without.
#
# </details>
#
# **3.** L1 leaves almost three of four recurrent weights at zero. Does the network read faster now?
#
# <details markdown="1"><summary>Answer</summary>
#
# No. The matrix has as many rows and columns as before, and a product with zeros takes as long as
# any other. It would be faster if whole rows and columns were zero, so that units could be cut out,
# or with a product that is made for sparse matrices, which pays at far higher shares of zeros. What
# the zeros say is that a smaller network might have done: try `units=24`.
#
# </details>
#
# ---
#
# ← [4 · Inside the cells](04_inside_the_cells.ipynb)<br>
# → [6 · Hate speech](06_hate_speech.ipynb)<br>
# [All notebooks](README.md)

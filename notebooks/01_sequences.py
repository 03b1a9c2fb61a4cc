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
# # 1 · Sequences: why recurrence
#
# **Time:** 2 minutes of the processor to run it<br>
# **You should know:** Python and NumPy, and what a dense layer and gradient descent are<br>
# **Before:** [The course](README.md)<br>
# **Next:** [2 · Embedding](02_embedding.ipynb)
#
# A text is a **sequence**: its parts come in an order, and there may be any number of them. A plain
# feed-forward network knows neither. This notebook shows, by measuring,
#
# 1. how much texts differ in length,
# 2. what it costs to pad them to one length, and what goes wrong if the network is not told,
# 3. what is lost if the order is thrown away,
# 4. the four shapes of sequence problems, each as a tiny model that learns something you can see.
#
# Every network is written line by line once, with its shapes, and then taken from the suite:
# `recurrent_layer` builds every recurrent layer by name.

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
from diagrams import Row, draw_loop, draw_rows

from data.batches.buckets import order_batches, padding_share
from data.datasets import read_labelled_texts
from data.text.cleaning import tokenize
from models.recurrent.factory import recurrent_layer

# The switch: "sample" runs offline in a minute or two; "full" reads the real corpora from the
# folder DATA_DIR and trains longer; "tiny" only shows that everything runs.
SETTING = os.environ.get("NOTEBOOK_SETTING", "sample")
DATA_DIR = os.environ.get("DATA_DIR")
EPOCHS = {"tiny": 1, "sample": 60, "full": 200}[SETTING]

keras.utils.set_random_seed(1)
plt.rcParams.update({"figure.figsize": (7, 3), "figure.constrained_layout.use": True})

# %% [markdown]
# ## 1. Texts have any length
#
# We count the words of three data sets as the suite cuts them. `tokenize` returns a *ragged*
# tensor: its rows are as long as the texts.

# %%
SAMPLES = {"sample": ["hate_speech.csv", "sentiment.csv", "spam.csv"]}
CORPORA = {"davidson": [""], "sst2": [""], "imdb": [""]}

lengths = {}
for dataset, files in (CORPORA if SETTING == "full" else SAMPLES).items():
    for file in files:
        corpus = read_labelled_texts(dataset, file, DATA_DIR)
        texts = corpus.split("train").texts
        lengths[file or dataset] = tokenize(tf.constant(texts), "plain").row_lengths().numpy()

figure, axes = plt.subplots(1, 3, figsize=(9, 2.4))
for panel, (name, counts) in zip(axes, lengths.items(), strict=True):
    panel.hist(counts, bins=np.linspace(0, counts.max() + 1, min(counts.max() + 2, 60)))
    title = f"{name}\nmean {counts.mean():.0f}, longest {counts.max()}"
    panel.set(title=title, xlabel="words of a text")
axes[0].set_ylabel("texts")
plt.show()

# %% [markdown]
# A feed-forward layer $y = f(Wx + b)$ has weights for each input: if the inputs are the words of
# a text, the matrix $W$ grows with the longest text, and a word at place 3 and the same word at
# place 4 meet different weights. A **recurrent** layer uses the same weights at each step and
# carries what it has read in a state $h$:
#
# $$h_t = \tanh(W x_t + R\, h_{t-1} + b), \qquad h_0 = 0$$
#
# Left: the layer as it is written, a cell that hands its state to itself. Right: the same cell
# *unrolled*, once for each word of a text. That is how we will draw networks from here on:

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(8, 2.6), width_ratios=(1, 3))
draw_loop(left, "as it is written")
draw_rows(
    right,
    [
        Row(["the", "dog", "chased", "the", "hen"], "input", name="$x_t$"),
        Row([f"$h_{t}$" for t in range(1, 6)], "state", links="right", name="cell"),
        Row([None] * 4 + ["answer"], "output"),
    ],
    "unrolled",
)
plt.show()

# %% [markdown]
# It has as many weights for 10 words as for 1000:

# %%
print("longest text   weights of Dense   weights of SimpleRNN   (32 features a word, 64 units)")
for longest in (10, 100, 1000):
    dense, recurrent = keras.layers.Dense(64), recurrent_layer("simple_rnn", 64)
    dense.build((None, longest * 32))
    recurrent.build((None, longest, 32))
    print(f"{longest:12,} {dense.count_params():18,} {recurrent.count_params():22,}")

# %% [markdown]
# ## 2. What padding costs
#
# A batch is a rectangle: shorter texts are filled up with **padding**, the id 0. Three ways to make
# batches of 32, from careless to careful:
#
# - all texts as long as the longest text of the data set,
# - each batch as long as its own longest text,
# - the same, with texts of similar length in one batch, as the suite does it (`order_batches`).

# %%
counts = next(iter(lengths.values()))[: 40 if SETTING == "tiny" else None]
generator = np.random.default_rng(0)
shuffled = np.array_split(generator.permutation(len(counts)), max(len(counts) // 32, 1))
alike = order_batches(counts, 32, generator)

shares = {
    "to the longest of all": 1 - counts.sum() / (len(counts) * counts.max()),
    "to the longest of the batch": padding_share(counts, shuffled),
    "texts of like length together": padding_share(counts, alike),
}
for name, share in shares.items():
    print(f"{name:32} {share:6.1%} of all positions are padding")

# %% [markdown]
# Padding is computed like any word. So we measure the processor time that an LSTM takes to read the
# whole data set in each of the three ways, the best of a few passes:

# %%
WIDTH = 32
lstm = recurrent_layer("lstm", 192)
read = tf.function(
    lambda vectors: lstm(vectors), input_signature=[tf.TensorSpec([None, None, WIDTH])]
)


ways = {
    "to the longest of all": [(len(rows), counts.max()) for rows in shuffled],
    "to the longest of the batch": [(len(rows), counts[rows].max()) for rows in shuffled],
    "texts of like length together": [(len(rows), counts[rows].max()) for rows in alike],
}
took = dict.fromkeys(ways, np.inf)
# The three take turns, so that whatever else the computer does disturbs all of them alike.
for _ in range(2 if SETTING == "tiny" else 6):
    for name, shapes in ways.items():
        batches = [tf.random.normal([rows, words, WIDTH]) for rows, words in shapes]
        begun = time.process_time()
        for batch in batches:
            read(batch)
        took[name] = min(took[name], time.process_time() - begun)

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 2.2), sharey=True)
left.barh([*shares], [100 * share for share in shares.values()], color="tab:gray")
left.set(xlabel="padding, % of all positions")
left.invert_yaxis()
right.barh([*took], [1000 * each for each in took.values()], color="tab:blue")
right.set(xlabel="processor milliseconds for the whole data set")
plt.show()

# %% [markdown]
# Worse than the time: **unless it is told, the network reads the padding.** The state goes on
# changing after the last word. A *mask* $m_t$ (1 at words, 0 at padding) makes a step that is no
# word keep the state:
#
# $$h_t = m_t \cdot \mathrm{step}(x_t, h_{t-1}) + (1 - m_t) \cdot h_{t-1}$$
#
# One text of 6 words with more and more padding behind it; each line is one unit of the final
# state. Which of the two would you trust with a classification?

# %%
words = tf.random.normal([1, 6, WIDTH])
paddings = range(0, 31, 2)
unmasked, masked = [], []
for padding in paddings:
    padded = tf.pad(words, [[0, 0], [0, padding], [0, 0]])
    mask = tf.sequence_mask([6], 6 + padding)
    unmasked.append(lstm(padded)[0, :8].numpy())
    masked.append(lstm(padded, mask=mask)[0, :8].numpy())

figure, axes = plt.subplots(1, 2, figsize=(9, 2.6), sharey=True)
for panel, states, title in zip(
    axes, (unmasked, masked), ("without a mask", "with a mask"), strict=True
):
    panel.plot(paddings, states)
    panel.set(title=title, xlabel="zeros behind the text")
axes[0].set_ylabel("units of the final state")
plt.show()
print("greatest change with a mask:", np.abs(np.array(masked) - masked[0]).max())

# %% [markdown]
# ## 3. What is lost without order
#
# A **bag of words** averages the vectors of the words: it is fast, and often good enough. But it
# cannot tell these two sentences apart:

# %%
ANIMALS = ["cat", "fox", "hen", "cow", "pig", "owl"]
WORDS = ["", "the", "dog", "chased", "today", "again", *ANIMALS]
ID = {word: number for number, word in enumerate(WORDS)}
generator = np.random.default_rng(1)


def tale():
    """A sentence with a dog in it, and whether the dog is the one that chases."""
    chaser, chased = generator.permutation(["dog", generator.choice(ANIMALS)])
    ending = generator.choice(["", "today", "again"])
    return f"the {chaser} chased the {chased} {ending}".strip(), float(chaser == "dog")


def ids_of(sentences):
    """<int32>[sentences, words], 0 where padded."""
    rows = [[ID[word] for word in sentence.split()] for sentence in sentences]
    return keras.utils.pad_sequences(rows, padding="post")


for sentence, label in [tale() for _ in range(4)]:
    print(f"{label:.0f}  {sentence}")

# %% [markdown]
# A recurrent network reads the words one after the other. Here is all of it without a layer of
# anybody: the weights, the reading, the training by gradient descent. Behind each line stands the
# shape of what it computes:

# %%
sentences, labels = zip(*[tale() for _ in range(512)], strict=True)
ids, labels = ids_of(sentences), np.array(labels, np.float32)

FEATURES, UNITS = 8, 8
start = tf.random.Generator.from_seed(1)
E = tf.Variable(start.normal([len(WORDS), FEATURES]))  # a vector for each word
W = tf.Variable(start.normal([FEATURES, UNITS]) * 0.3)  # from a vector to the state
R = tf.Variable(start.normal([UNITS, UNITS]) * 0.3)  # from a state to the next one
b = tf.Variable(tf.zeros([UNITS]))
v = tf.Variable(start.normal([UNITS, 1]) * 0.3)  # from the last state to the answer


def read(ids):
    """How surely the dog chases: log-odds <float32>[texts], of ids <int32>[texts, words]."""
    h = tf.zeros([len(ids), UNITS])  # [texts, units]
    for t in range(ids.shape[1]):
        x = tf.gather(E, ids[:, t])  # [texts, features]
        after = tf.tanh(x @ W + h @ R + b)  # [texts, units]
        is_word = ids[:, t, None] != 0  # [texts, 1]
        h = tf.where(is_word, after, h)  # [texts, units], the mask: padding keeps the state
    return (h @ v)[:, 0]  # [texts]


weights = [E, W, R, b, v]
for epoch in range(min(EPOCHS, 12)):
    right = []
    for rows in np.array_split(generator.permutation(len(ids)), 16):
        with tf.GradientTape() as tape:
            logits = read(ids[rows])
            losses = tf.nn.sigmoid_cross_entropy_with_logits(labels[rows], logits)
            loss = tf.reduce_mean(losses)
        for weight, gradient in zip(weights, tape.gradient(loss, weights), strict=True):
            weight.assign_sub(0.5 * tf.convert_to_tensor(gradient))
        right.append(np.mean((logits.numpy() > 0) == (labels[rows] > 0.5)))
    if epoch in (0, 1, 3, 11):
        print(f"epoch {epoch + 1:2}: accuracy {np.mean(right):.3f}")

# %% [markdown]
# Two loops, over the words and over the batches: there is no more to a recurrent network. The
# suite's layer with these weights gives the same answers:

# %%
layer = recurrent_layer("simple_rnn", UNITS)
layer.build((None, None, FEATURES))
layer.set_weights([W.numpy(), R.numpy(), b.numpy()])
same = (layer(tf.gather(E, ids), mask=ids != 0) @ v)[:, 0]
print("greatest difference from the suite's layer:", float(tf.reduce_max(tf.abs(same - read(ids)))))

# %% [markdown]
# From here on we build with layers. Against each other, a bag of words and a recurrent reader:


# %%
def reader(layer):
    """Words -> vectors -> one vector -> whether the dog chases."""
    return keras.Sequential(
        [keras.layers.Embedding(len(WORDS), 8, mask_zero=True), layer, keras.layers.Dense(1)]
    )


histories = {}
readers = {
    "bag of words": reader(keras.layers.GlobalAveragePooling1D()),
    "recurrent": reader(recurrent_layer("simple_rnn", 8)),
}
for name, model in readers.items():
    model.compile(
        keras.optimizers.Adam(0.01),
        keras.losses.BinaryCrossentropy(from_logits=True),
        metrics=[keras.metrics.BinaryAccuracy(threshold=0.0)],
    )
    fitted = model.fit(ids, labels, epochs=min(EPOCHS, 12), batch_size=32, verbose=0)
    histories[name] = fitted.history["binary_accuracy"]

for name, accuracies in histories.items():
    plt.plot(range(1, len(accuracies) + 1), accuracies, marker="o", label=name)
plt.axhline(0.5, color="gray", linestyle=":", label="guessing")
plt.gca().set(xlabel="epoch", ylabel="accuracy", ylim=(0.3, 1.05))
plt.legend()
plt.show()

pair = ids_of(["the dog chased the hen", "the hen chased the dog"])
for name, model in readers.items():
    first, second = keras.ops.sigmoid(model(pair)).numpy()[:, 0]
    print(f"{name:13} P(dog chases): {first:.4f} if the dog does, {second:.4f} if the hen does")

# %% [markdown]
# The bag's two answers are equal to the last digit, whatever its weights are: the mean does not
# depend on the order. More training cannot help.
#
# ## 4. Four shapes
#
# What goes in and what comes out may each be one thing or a sequence:

# %%
xs, hs, ys = ([f"${name}_{t}$" for t in range(1, 5)] for name in "xhy")
shapes = {
    "one to one": (["$x$"], ["$h$"], ["$y$"]),
    "one to many": (["$x$"] * 4, hs, ys),
    "many to one": (xs, hs, [None, None, None, "$y$"]),
    "many to many": (xs, hs, ys),
}
figure, axes = plt.subplots(1, 4, figsize=(11, 2.4), width_ratios=(1, 4, 4, 4))
for panel, (title, (inputs, states, outputs)) in zip(axes, shapes.items(), strict=True):
    rows = [Row(inputs, "input"), Row(states, "state", links="right"), Row(outputs, "output")]
    draw_rows(panel, rows, title)
plt.show()

# %% [markdown]
# ### One to one: a letter, is it a vowel?
#
# No sequence at all: one vector in, one number out. Shown is $P(\text{vowel})$ of each letter.

# %%
LETTERS = "abcdefghijklmnopqrstuvwxyz"
one_hot = np.eye(26, dtype=np.float32)
is_vowel = np.array([float(letter in "aeiou") for letter in LETTERS])

one_to_one = keras.Sequential([keras.layers.Dense(1, activation="sigmoid")])
one_to_one.compile(keras.optimizers.Adam(0.1), "binary_crossentropy")
one_to_one.fit(one_hot, is_vowel, epochs=EPOCHS, batch_size=26, verbose=0)

plt.figure(figsize=(7, 1.8))
plt.bar(
    [*LETTERS],
    one_to_one(one_hot).numpy()[:, 0],
    color=np.where(is_vowel, "tab:orange", "tab:gray"),
)
plt.gca().set(ylabel="P(vowel)", ylim=(0, 1))
plt.show()

# %% [markdown]
# ### One to many: a digit spells its name
#
# The digit's vector is handed to the layer at each step; the state remembers how far the word is.
# `return_sequences=True` gives the output of each step, not only the last one. Watch it learn to
# spell:

# %%
NAMES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
SIZE = 5  # letters of the longest name
digits = np.arange(10)
# Letters are 1 to 26, 0 is what stands behind a name.
spelled = np.array(
    [[LETTERS.index(x) + 1 for x in name] + [0] * (SIZE - len(name)) for name in NAMES]
)


def shown(letter_ids):
    """Ids as text."""
    return "".join("·" if i == 0 else LETTERS[i - 1] for i in letter_ids)


one_to_many = keras.Sequential(
    [
        keras.layers.Embedding(10, 16),
        keras.layers.RepeatVector(SIZE),
        recurrent_layer("gru", 32, return_sequences=True),
        keras.layers.Dense(27),
    ]
)
one_to_many.compile(
    keras.optimizers.Adam(0.02), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
)
trained = 0
for goal in (0, 5, 15, 30, 60):
    goal = min(goal, EPOCHS)
    if goal > trained:
        one_to_many.fit(digits, spelled, epochs=goal - trained, batch_size=10, verbose=0)
        trained = goal
    guesses = one_to_many(digits).numpy().argmax(axis=-1)
    print(f"after {goal:3} epochs:", " ".join(shown(row) for row in guesses))

# %% [markdown]
# ### Many to one: letters to a digit
#
# The other way round: read letters and say which digit they begin. The examples are all beginnings
# of the names: "s" is one of six and one of seven, "se" is one of seven alone. Each picture shows
# what the model believes, letter by letter. Where does it make up its mind?

# %%
many_to_one = keras.Sequential(
    [
        keras.layers.Embedding(27, 16, mask_zero=True),
        recurrent_layer("gru", 32),
        keras.layers.Dense(10),
    ]
)
many_to_one.compile(
    keras.optimizers.Adam(0.02), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
)


def beginnings(name):
    """<int32>[letters, SIZE], the first letter, the first two, ..., 0 where padded."""
    letters = spelled[NAMES.index(name)]
    return np.tril(np.tile(letters, (SIZE, 1)))[: len(name)]


begun = np.concatenate([beginnings(name) for name in NAMES])
meant = np.repeat(digits, [len(name) for name in NAMES])
many_to_one.fit(begun, meant, epochs=2 * EPOCHS, batch_size=20, verbose=0)

figure, axes = plt.subplots(1, 4, figsize=(10, 3), sharey=True)
for panel, name in zip(axes, ("seven", "three", "four", "one"), strict=True):
    beliefs = keras.ops.softmax(many_to_one(beginnings(name))).numpy()
    image = panel.imshow(beliefs.T, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    panel.set_xticks(range(len(name)), [*name])
    panel.set_yticks(range(10), NAMES)
    panel.set(xlabel="letters read")
figure.colorbar(image, ax=axes, label="probability", shrink=0.8)
plt.show()

# %% [markdown]
# ### Many to many: how deep in brackets?
#
# An answer at each step: how many brackets are open? The network must *count*. It trains on strings
# of 20 signs and is tried on many that are three times as long; the picture shows one. What happens
# outside of the green area?


# %%
def brackets(length):
    """Signs <int32>[length], 0 for a letter, 1 opens, 2 closes, and the depth after each."""
    signs, depths, depth = [], [], 0
    for _ in range(length):
        sign = generator.choice(3 if depth else 2)
        depth += (0, 1, -1)[sign]
        signs.append(sign)
        depths.append(depth)
    return np.array(signs), np.array(depths, np.float32)


rows = [brackets(20) for _ in range(16 if SETTING == "tiny" else 512)]
signs, depths = (np.stack(column) for column in zip(*rows, strict=True))
many_to_many = keras.Sequential(
    [
        keras.layers.Embedding(3, 4),
        recurrent_layer("lstm", 16, return_sequences=True),
        keras.layers.Dense(1),
    ]
)
many_to_many.compile(keras.optimizers.Adam(0.01), "mse")
many_to_many.fit(signs, depths[..., None], epochs=min(EPOCHS, 40), batch_size=32, verbose=0)

rows = [brackets(60) for _ in range(4 if SETTING == "tiny" else 200)]
signs, depths = (np.stack(column) for column in zip(*rows, strict=True))
wrong = np.abs(many_to_many(signs)[:, :, 0].numpy() - depths).mean(axis=0)
for first, last in ((0, 20), (20, 40), (40, 60)):
    print(f"mean error, signs {first + 1} to {last}: {wrong[first:last].mean():.2f} brackets")

signs, depths = signs[0], depths[0]
plt.figure(figsize=(12, 2.6))
plt.step(range(60), depths, where="mid", label="truth", color="tab:gray", linewidth=3)
plt.plot(many_to_many(signs[None])[0, :, 0], label="network", color="tab:orange", marker=".")
plt.axvspan(-0.5, 19.5, color="tab:green", alpha=0.1, label="as long as in training")
plt.xticks(range(60), ["·()"[sign] for sign in signs], fontsize=11)
plt.gca().set(ylabel="open brackets", xlim=(-0.5, 59.5))
plt.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
plt.show()

# %% [markdown]
# It goes on counting: nothing in the layer knows how long a text may be. But it drifts. Each step
# adds a small error, no answer ever sets it right, and depths that it has not met in training are
# worse. The mean error grows from 0.05 of a bracket in the first twenty signs to 0.60 in the last.
#
# ## Where each shape is at work in the suite
#
# | shape | application |
# |---|---|
# | many to one | hate speech, sentiment, spam: a text to a class (notebooks 6 and 7) |
# | many to many, step by step | named entities: a tag for each word (8) |
# | one to many | text generation: a beginning, and then word after word (9); captioning (14) |
# | many to one, then one to many | translation: an encoder reads, a decoder writes (10) |
#
# ## Try it yourself
#
# **1.** Give the bag of words pairs of neighbours ("dog chased", "chased the") as its words. Does
# it learn who chases? And in "the dog quickly chased the hen"?
#
# <details markdown="1"><summary>Answer</summary>
#
# Yes. "dog chased" stands in exactly the sentences in which the dog chases, so one pair decides:
#
# ```python
# def pairs_of(ids):
#     """<int>[texts, words - 1], a number for each pair of neighbours, 0 where padded."""
#     return np.where(ids[:, 1:] != 0, ids[:, :-1] * len(WORDS) + ids[:, 1:], 0)
#
# bag = keras.Sequential( [ keras.layers.Embedding(len(WORDS) ** 2, 8, mask_zero=True),
# keras.layers.GlobalAveragePooling1D(), keras.layers.Dense(1), ] ) ```
#
# It is right in every text after two epochs. With a word between the two, "the dog quickly chased
# the hen", it falls to 68 %: the pairs with "quickly" were never seen, and what is left tells less.
# Trained on such sentences it learns "dog quickly" just as well, until another word comes between.
# A pair remembers one step, a state as many as there are.
#
# </details>
#
# **2.** Leave `mask_zero=True` out of *many to one*. How sure is the model after one letter now?
#
# <details markdown="1"><summary>Answer</summary>
#
# As sure as before: after "s" it gives one half to six and one half to seven. All texts of the
# training have five positions, and it has learned to read the padding, too. It only shows when
# there is more of it: ten more zeros behind "s", and seven has 0.02; behind "seven" it needs all
# the letters to get to 0.99. The model with a mask says the same as ever.
#
# ```python
# longer = np.pad(beginnings("seven"), ((0, 0), (0, 10)))
# print(np.round(keras.ops.softmax(many_to_one(longer)).numpy()[:, 7], 2))
# ```
#
# </details>
#
# **3.** Train *many to many* with `"simple_rnn"` and with `"gru"`. Which of them counts best?
#
# <details markdown="1"><summary>Answer</summary>
#
# In the same 40 epochs, with the mean error of 200 new strings:
#
# | cell | signs 1 to 20 | 21 to 40 | 41 to 60 |
# |---|---|---|---|
# | SimpleRNN | 0.21 | 0.53 | 1.03 |
# | GRU | 0.07 | 0.25 | 0.62 |
#
# The LSTM of the text has 0.05, 0.20 and 0.60. It can add to its cell state without bound, which is
# counting; a GRU mixes its state with a proposal between -1 and 1 and has to count in small steps,
# and a SimpleRNN squeezes its state through a tangent at each step. All three drift where they have
# never been.
#
# </details>
#
# ---
#
# ← [The course](README.md)<br>
# → [2 · Embedding](02_embedding.ipynb)<br>
# [All notebooks](README.md)

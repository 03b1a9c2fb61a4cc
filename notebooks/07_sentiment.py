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
# # 7 · Sentiment of long reviews
#
# **Time:** 3 minutes of the processor to run it<br>
# **You should know:** notebooks 2, 5 and 6<br>
# **Before:** [6 · Hate speech](06_hate_speech.ipynb)<br>
# **Next:** [8 · Named entities](08_ner.ipynb)
#
# A review is a page about the plot and a sentence with the verdict. From the raw file to a
# SavedModel:
#
# 1. **long texts**: what is kept of them, and what is lost,
# 2. **batches** of texts of like length, and the padding that this saves,
# 3. training, and what **truncation** costs in answers,
# 4. **pretrained vectors** for the words of which there are too few examples,
# 5. **pooling**: from a sequence to one vector, and where each kind looks,
# 6. a **calibrated** model as a SavedModel.

# %%
# The suite is three packages: `data` reads and prepares texts, `models` has layers and networks,
# `apps` the commands that train and use them.
import contextlib
import io
import json
import os
import sys
import tempfile
from pathlib import Path

from apps.commands.startup import import_tensorflow

import_tensorflow()  # without what it writes at its start
import keras
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import tensorflow as tf
from IPython.display import Image, display

from apps.commands.main import main
from apps.plots import training  # noqa: F401 (it draws into files; `%matplotlib` draws here again)
from apps.sentiment import APPLICATION
from data.batches.buckets import order_batches, padding_share
from data.batches.padded import describe_cut
from data.datasets import read_labelled_texts, read_tagged_texts
from data.errors import UserError
from data.registry import GLOVE, TRUNCATIONS
from data.text.cleaning import tokenize
from data.text.preprocessor import TextPreprocessor
from data.text.vocabulary import build_vocabularies
from data.vectors import find_vectors
from models.layers.pooling import AttentionPooling, pooling_layer

# %matplotlib inline

# The switch: "sample" runs offline in two minutes; "full" reads IMDB and SST-2 from the folder
# DATA_DIR and trains by their recipes, which takes hours; "tiny" only shows that everything runs.
SETTING = os.environ.get("NOTEBOOK_SETTING", "sample")
DATA_DIR = os.environ.get("DATA_DIR") and os.path.abspath(os.environ["DATA_DIR"])
TINY = ["--epochs", "1", "--units", "8", "--no-bidirectional", "--no-characters"]
TINY = [*TINY, "--pooling", "attention"] if SETTING == "tiny" else []

os.chdir(tempfile.mkdtemp())  # for the runs and the SavedModel
plt.rcParams.update({"figure.figsize": (7, 3), "figure.constrained_layout.use": True})

# %% [markdown]
# ## 1. Long texts
#
# The sample has single sentences. For long texts we build a toy: a verdict of three words that are
# easy to learn, hidden among sentences that say nothing about it. In three of four texts it stands
# at the end, else at the beginning. That is how IMDB's reviews are built, only more so.

# %%
PRAISE = ["warm", "funny", "honest", "bold", "lovely", "moving", "brilliant", "charming"]
BLAME = ["dull", "slow", "flat", "dreary", "clumsy", "noisy", "empty", "tiresome"]
if SETTING == "full":
    # Looked at is what the recurrent model learns: without the linear one of the recipes.
    LONG, MAX_LENGTH = ["--dataset", "imdb", "--data-dir", DATA_DIR, "--no-linear"], 400
    corpus = read_labelled_texts("imdb", "sentiment.csv", DATA_DIR)
else:
    generator = np.random.default_rng(0)
    sentences = read_tagged_texts("sample", "ner.conll").everything().texts
    rows = []
    for number in range(60 if SETTING == "tiny" else 600):
        label = ("negative", "positive")[number % 2]
        words = generator.permutation(PRAISE if label == "positive" else BLAME)
        verdict = f"I found it {words[0]} , {words[1]} and {words[2]} ."
        others = generator.choice(sentences, generator.integers(1, 25))
        place = "head" if generator.random() < 0.25 else "tail"
        order = [verdict, *others] if place == "head" else [*others, verdict]
        split = ("train", "train", "train", "validation", "test")[number // 2 % 5]
        rows.append((" ".join(order), label, split, place))
    table = pd.DataFrame(rows, columns=["text", "label", "split", "place"])
    table.to_csv("long.csv", index=False)
    LONG, MAX_LENGTH = ["--dataset", "long.csv", "--batch-size", "16", "--epochs", "6"], 40
    LONG += ["--monitor", "accuracy"]
    corpus = read_labelled_texts("long.csv", "sentiment.csv")

train = corpus.split("train")
print({name: len(part) for name, part in corpus.splits.items()}, corpus.class_names)
shortest = min(train.texts[:20], key=len)
print(f"{train.texts.index(shortest)}: {shortest[:500]}")

# %% [markdown]
# A recurrent network reads word by word, so a text twice as long takes twice as long, and so does
# its gradient on the way back. `--max-length` says how many tokens are kept, `--truncate` which:
#
# - `head`: the first ones,
# - `tail`: the last ones,
# - `head-tail`: a quarter from the head, the rest from the tail (Sun et al. 2019).

# %%
lengths = tokenize(tf.constant(train.texts), "review").row_lengths().numpy()
vocabularies = build_vocabularies(train.texts, "review", max_tokens=30_000, min_count=2)
policies = {
    policy: TextPreprocessor(vocabularies, "review", MAX_LENGTH, truncate=policy)
    for policy in TRUNCATIONS
}
print(describe_cut(policies["head"], train.texts))

long = train.texts[int(np.argsort(lengths)[len(lengths) * 3 // 4])]
for policy, preprocessor in policies.items():
    kept, dropped = preprocessor.keep_tokens(tf.constant([long]))
    words = [word.decode() for word in kept[0].numpy()]
    words.insert(preprocessor.head, f"[... {int(dropped[0])} words ...]")
    shown = words if len(words) < 60 else [*words[:20], "…", *words[-20:]]
    print(f"\n{policy}: {' '.join(shown)}")

# %%
plt.hist(lengths, bins=40)
plt.axvline(MAX_LENGTH, color="tab:red", label=f"--max-length {MAX_LENGTH}")
plt.gca().set(xlabel="tokens of a text", ylabel="training texts")
plt.legend()
plt.show()

# %% [markdown]
# ## 2. Batches of like length
#
# The texts of a batch are one matrix, and the longest of them says how wide it is. Put together at
# random, much of that matrix is padding; sorted by length, hardly any of it
# (`data/batches/buckets.py`). The rows are shuffled all the same: they are sorted within pools, and
# the order of the batches changes from epoch to epoch. White is padding:

# %%
BATCH = 32
rows_of = {
    "at random": np.array_split(
        np.random.default_rng(1).permutation(len(lengths)), max(1, len(lengths) // BATCH)
    ),
    "of like length": order_batches(lengths, BATCH, np.random.default_rng(1)),
    "by tokens": order_batches(lengths, BATCH, np.random.default_rng(1), BATCH * MAX_LENGTH * 2),
}
figure, axes = plt.subplots(1, 3, figsize=(11, 3))
for panel, (name, batches) in zip(axes, rows_of.items(), strict=True):
    widest = lengths.max()
    for number, batch in enumerate(batches[:6]):
        # A batch is a block: one line a text, as long as the text.
        bottom = number * (BATCH + 6)
        panel.add_patch(
            plt.Rectangle((0, bottom), lengths[batch].max(), len(batch), fill=False, linewidth=0.8)
        )
        panel.barh(bottom + 0.5 + np.arange(len(batch)), lengths[batch], height=1.0)
    panel.set(xlabel="tokens", xlim=(0, widest * 1.02), yticks=[])
    panel.invert_yaxis()
    panel.set_title(f"{name}: {padding_share(lengths, batches):.0%} padding", fontsize=10)
axes[0].set_ylabel("the texts of six batches")
plt.show()
for name, batches in rows_of.items():
    print(f"{name:16} {padding_share(lengths, batches):4.0%} padding")

# %% [markdown]
# At random nearly half of the matrix is padding, sorted by length 7 %, and 6 % if batches are
# filled by tokens (`--batch-tokens`): many short texts or few long ones, so that memory does not
# grow with the length of texts either. On IMDB the difference is larger still. A masked
# step changes no answer, but it costs time like any other.
#
# ## 3. What truncation costs
#
# The same network with each policy: word vectors and letters, a bidirectional GRU, maximum and
# attention pooling, a dense layer (notebook 6 has it line by line). What `train` prints is left
# out:


# %%
def sentiment(*arguments, quiet=False):
    """The command line of the application."""
    shown = [each for each in arguments if each != DATA_DIR]
    print("$ python -m apps.sentiment", *shown)
    with contextlib.redirect_stdout(io.StringIO() if quiet else sys.stdout):
        main(APPLICATION, [*arguments])


def measure(name, *options):
    """Train a network and evaluate it on the test split, unless that was done before."""
    run = f"runs/{name}"
    if not Path(run).exists():
        sentiment("train", *options, "--run", run, quiet=True)
        sentiment("evaluate", "--split", "test", "--run", run, quiet=True)


def accuracy(run, split):
    """A figure of a run's `metrics.json`."""
    return json.loads(Path(run, "metrics.json").read_text())[split]["accuracy"]


chosen = {"tiny": ["head-tail"], "sample": [*TRUNCATIONS], "full": ["head-tail"]}[SETTING]
for policy in chosen:
    options = [*LONG, *TINY, "--max-length", str(MAX_LENGTH), "--truncate", policy]
    sentiment("train", *options, "--run", f"runs/{policy}", quiet=True)
for policy in chosen:
    sentiment("evaluate", "--split", "test", "--run", f"runs/{policy}", quiet=True)
print(f"\n{'accuracy':12} {'validation':>10} {'test':>10}")
for policy in chosen:
    run = f"runs/{policy}"
    print(f"{policy:12} {accuracy(run, 'validation'):10.3f} {accuracy(run, 'test'):10.3f}")

if SETTING != "full":
    held_out = table[table["split"] != "train"]
    targets = held_out["label"].to_numpy()
    bars = {}
    for policy in chosen:
        task = APPLICATION.trained(f"runs/{policy}")
        given = np.array(corpus.class_names)[task.scores([*held_out["text"]]).argmax(axis=1)]
        bars[policy] = [
            np.mean((given == targets)[(held_out["place"] == place).to_numpy()])
            for place in ("head", "tail")
        ]
    for number, (policy, values) in enumerate(bars.items()):
        plt.bar(np.arange(2) + 0.25 * number, values, 0.22, label=policy)
    plt.axhline(0.5, color="gray", linestyle=":", label="guessing")
    plt.xticks(np.arange(2) + 0.25, ["verdict at the head", "verdict at the tail"])
    plt.gca().set(ylabel="accuracy, validation and test", ylim=(0, 1.05))
    plt.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    plt.show()

# %% [markdown]
# What is cut cannot be learned, and it cannot be answered: where its policy cuts the verdict away,
# a network guesses. `head` also learns from texts whose label has nothing to do with what is left
# of them. Only `head-tail` sees every verdict here. On real reviews the difference is smaller, for
# a verdict is seldom in one place alone; the recipe of `imdb` reads 400 tokens by `head-tail`
# ([results](../docs/results/sentiment.md)).
#
# ## 4. Pretrained vectors
#
# A word that is not in the training texts is unknown, and a word that is there twice has a vector
# that was moved twice. Vectors that were made from billions of words (GloVe, Pennington et al.
# 2014) know what kind of word it is before the training begins. With `--open-vocabulary N` the
# first $N$ of them join the vocabulary, whether they occur in a training text or not; their own
# vectors stay as they are, since nothing trains them.
#
# Single sentences of the sample, with and without. Only 576 of its 4,096 training sentences are
# read, as many as somebody might label in an afternoon:

# %%
if SETTING == "full":
    SHORT = ["--dataset", "sst2", "--data-dir", DATA_DIR, "--no-linear"]
    sentences = read_labelled_texts("sst2", "sentiment.csv", DATA_DIR)
else:
    sample = read_labelled_texts("sample", "sentiment.csv")
    rows = []
    for split, count in {"train": 576, "validation": 200, "test": 500}.items():
        part = sample.split(split)
        part = part.take(range(min(count, len(part))))
        labels = np.array(part.class_names)[part.targets.argmax(axis=1)]
        rows += [(text, label, split) for text, label in zip(part.texts, labels, strict=True)]
    few = pd.DataFrame(rows, columns=["text", "label", "split"])
    few.to_csv("short.csv", index=False)
    SHORT = ["--dataset", "short.csv", "--batch-size", "16", "--epochs", "8"]
    SHORT += ["--monitor", "accuracy", "--word-dropout", "0.1"]
    sentences = read_labelled_texts("short.csv", "sentiment.csv")
try:
    find_vectors(GLOVE, DATA_DIR)
    VECTORS = ["--vectors", GLOVE, "--open-vocabulary", "50000", "--embedding-dim", "50"]
except UserError as error:
    print(error)
    VECTORS = None

NONE = ["--vectors", "none", "--open-vocabulary", "0"]
recipes = {"none": NONE} | ({"glove": VECTORS} if VECTORS else {})
if SETTING == "tiny":
    recipes = {"head-tail": []}  # one training stands for all
for name, options in recipes.items():
    measure(name, *options, *SHORT)

new = sorted({*tokenize(tf.constant(sentences.split("test").texts), "review").flat_values.numpy()})
print(
    f"\n{'vectors':10} {'vocabulary':>10} {'unknown test words':>20} {'validation':>11} {'test':>6}"
)
for name in recipes:
    run, task = f"runs/{name}", APPLICATION.trained(f"runs/{name}")
    known = {word.encode() for word in task.vocabularies.tokens}
    unknown = sum(word not in known for word in new) / len(new)
    print(
        f"{name:10} {len(known):10,} {unknown:20.0%} "
        f"{accuracy(run, 'validation'):11.3f} {accuracy(run, 'test'):6.3f}"
    )

# %% [markdown]
# Of the different words in the test sentences the network has read half never or once (such words
# count as unknown, too). With GloVe nearly all are known, and yet hardly anything changes: with 500
# test sentences an accuracy is uncertain by 0.04. What a word means is not what is missing here.
# Half of these sentences deny something or take it back, and 576 are too few to learn what "not"
# and "but" do to the words beside them. The [results](../docs/results/sentiment.md) have SST-2,
# with its 6,920 training sentences. Without the package of the vectors the second row is missing.
#
# ## 5. Pooling
#
# The GRU leaves a vector $h_t$ at each word; the dense layer wants one for the text
# (`models/layers/pooling.py`):
#
# $$\begin{aligned}
# \text{last:}\quad & v = [\,\overrightarrow{h}_n,\ \overleftarrow{h}_1\,] \\
# \text{mean:}\quad & v = \tfrac{1}{n}\textstyle\sum_t h_t \\
# \text{max:}\quad & v_i = \max_t h_{t,i} \\
# \text{attention:}\quad & v = \textstyle\sum_t a_t h_t, \quad
# a = \mathrm{softmax}\big(u^{\top} \tanh(W h_t + b)\big)
# \end{aligned}$$
#
# The last state must have carried everything to the end. The others have a short cut to each word
# (and so has the gradient, see notebook 3). Attention (Yang et al. 2016) learns which words count.
# By hand, with the shapes behind the lines, and equal to the suite's layers:

# %%
draw = np.random.default_rng(0).normal
h = draw(size=(2, 5, 6)).astype("float32")  # [texts, words, 2 x 3]: forward, then backward
mask = np.array([[True] * 5, [True] * 3 + [False] * 2])  # [texts, words]
n = mask.sum(axis=1)  # [texts]
last = np.concatenate([h[[0, 1], n - 1, :3], h[:, 0, 3:]], axis=1)  # [texts, 6]
mean = (h * mask[..., None]).sum(axis=1) / n[:, None]  # [texts, 6]
strongest = np.where(mask[..., None], h, -np.inf).max(axis=1)  # [texts, 6]

keras.utils.set_random_seed(1)
layer = AttentionPooling()
layer(h, mask=mask)  # its weights are there once it has seen a shape
W, b, u = (weight.numpy() for weight in layer.weights)  # [6, 64], [64], [64, 1]
score = (np.tanh(h @ W + b) @ u)[..., 0]  # [texts, words]
score = np.exp(np.where(mask, score, -np.inf))  # [texts, words], 0 where padded
a = score / score.sum(axis=1, keepdims=True)  # [texts, words], each row sums to 1
attended = (a[..., None] * h).sum(axis=1)  # [texts, 6]

by_hand = {"last": last, "mean": mean, "max": strongest, "attention": attended}
for name, vectors in by_hand.items():
    suite = layer if name == "attention" else pooling_layer(name, bidirectional=True)
    print(f"{name:10} greatest difference: {np.abs(vectors - suite(h, mask=mask)).max():.1e}")

# %%
poolings = ["last", "mean", "max", "attention"]
if SETTING == "tiny":
    poolings = ["head-tail"]
for name in poolings:
    policy = ["--max-length", str(MAX_LENGTH), "--truncate", "head-tail"]
    measure(name, *LONG, *policy, "--pooling", name)
print(f"\n{'pooling':12} {'validation':>10} {'test':>6}")
for name in poolings:
    run = f"runs/{name}"
    print(f"{name:12} {accuracy(run, 'validation'):10.3f} {accuracy(run, 'test'):6.3f}")

# %% [markdown]
# Where do they look? Of attention we draw the weights $a_t$, of the maximum the share of the
# features whose highest value is at the word. A text with the verdict at its end, and one in which
# it is at the head:


# %%
def looks(name, text):
    """The words that the model reads, and for each how much of the pooled vector is from there."""
    task = APPLICATION.trained(f"runs/{name}")
    kept, _ = task.preprocessor.keep_tokens(tf.constant([text]))
    words = ["<start>", *(word.decode() for word in kept[0].numpy())]
    ids = task.preprocessor(tf.constant([text]))
    outputs = keras.Model(task.model.input, task.model.get_layer("recurrent").output)(ids)
    for layer in task.model.layers:
        if isinstance(layer, AttentionPooling):
            return words, layer.attention_weights(outputs)[0].numpy(), task.scores([text])[0]
    winners = np.argmax(outputs[0], axis=0)
    shares = np.bincount(winners, minlength=len(words)) / len(winners)
    return words, shares, task.scores([text])[0]


positive = corpus.class_names.index("positive")
FILL = "The ferry between Oban and Mull was cancelled because of high wind ."
TEXTS = [
    f"{FILL} I found it warm , funny and bold .",
    f"I found it slow , noisy and dull . {FILL}",
]
drawn = poolings[-2:]
figure, axes = plt.subplots(len(drawn), len(TEXTS), figsize=(11, 6.4), sharex="col", squeeze=False)
for column, text in enumerate(TEXTS):
    for panel, name in zip(axes[:, column], drawn, strict=True):
        words, shares, each = looks(name, text)
        panel.bar(range(len(words)), shares, color="tab:blue" if name == "max" else "tab:orange")
        panel.axhline(1 / len(words), color="gray", linestyle=":", label="mean")
        panel.set_title(f"{name}: P(positive) = {each[positive]:.2f}", fontsize=9)
    axes[-1, column].set_xticks(range(len(words)), words, rotation=90, fontsize=8)
axes[0, 0].set_ylabel("share of the features")
axes[-1, 0].set_ylabel("weight")
axes[0, 0].legend(fontsize=8)
plt.show()

# %% [markdown]
# All four solve the toy, whose verdicts are few and plain. The maximum takes most of its features
# from words of the verdict and from the ends of the text, where one of the directions has read all
# of it. Attention is with the end of the verdict in the first text. In the second it looks at the
# end of the text, far away from the verdict, and the answer is right all the same: $h_t$ is no word
# but the state of a network that has read the whole text in both directions, and at the end it may
# well know of "dull". So attention weights are a look into the network, and no explanation of an
# answer; for that ask `predict --explain` (notebook 6).
#
# ## 6. A calibrated SavedModel
#
# After the training a temperature is chosen on the validation split, so that scores are
# probabilities (Guo et al. 2017; notebook 6 has the equations). The toy is too easy to show it, so
# here is the reliability of the single sentences, before and after it, on their test split:

# %%
display(Image(f"runs/{next(iter(recipes))}/reliability_test.png", width=440))
for name in recipes:
    report = json.loads(Path(f"runs/{name}/metrics.json").read_text())["test"]
    calibration = report["calibration"]
    print(
        f"{name:6} temperature {calibration['temperature']:.2f}, calibration error "
        f"{calibration['ece']:.3f}; {calibration['unscaled']['ece']:.3f} without"
    )

# %% [markdown]
# A temperature needs a validation split that is like the texts to come, and large enough; here it
# has 200 sentences, on which the epoch was chosen, too. The network without vectors is too sure of
# itself: its temperature is far above 1, and takes two thirds of the calibration error on the test
# sentences away. With vectors there is little to mend.
#
# The SavedModel of the long texts:

# %%
sentiment("export", "--run", "runs/head-tail", "--output", "exported/sentiment")
served = tf.saved_model.load("exported/sentiment/1").signatures["serving_default"]

texts = [*TEXTS, f"{TEXTS[1]} {(FILL + chr(32)) * 200}", ""]
answer = {name: each.numpy() for name, each in served(texts=tf.constant(texts)).items()}
for text, classes, scores in zip(texts, answer["classes"], answer["scores"], strict=True):
    shown = text if len(text) < 80 else f"{text[:60]} … ({len(text):,} characters)"
    print(f"{classes[0].decode():9} {scores[0]:.2f}  {shown!r}")

# %% [markdown]
# The graph cuts as the training did, so a text of any length has an answer, in the same time. What
# it does not read, it cannot know: `predict --explain` says how much of a text that is. Of an empty
# text, which says nothing, the network is rightly unsure, but that is luck: it has never read one.
#
# ## Try it yourself
#
# **1.** Put the verdict into the middle. Which policy helps now? What would you do with reviews in
# which it stands anywhere?
#
# <details markdown="1"><summary>Answer</summary>
#
# None of the three. In 200 texts with the verdict in the middle, of 8 to 24 other sentences, `head`
# sees it 21 times, `tail` 7 times and `head-tail` once: forty tokens are not enough, wherever they
# are taken from.
#
# One can read more: with `--max-length 200` a training text has 113 tokens on the average instead
# of 37, so an epoch takes about three times as long, and a tenth of the texts is still cut. Or one
# reads a long text in pieces, one after the other with the same network, and pools over the pieces:
# then nothing is lost, and the cost is that of reading everything once.
#
# </details>
#
# **2.** Put a hundred steps that say nothing behind a text, and look at the four vectors by hand.
# Which pooling suffers?
#
# <details markdown="1"><summary>Answer</summary>
#
# ```python
# longer = np.concatenate([h[:1], np.full((1, 100, 6), 0.1, np.float32)], axis=1)
# print(longer.mean(axis=1), longer.max(axis=1), layer(longer), sep="\n")
# ```
#
# The mean suffers: all of its features are near 0.1 now, whatever the five words say. Attention as
# it is before any training does not know better, and gives the five words a twentieth of the
# weight; it *can* learn to leave the rest out. The maximum keeps five of the six features and loses
# only the one that was negative at every word. The last state would be that of a GRU which has read
# a hundred steps of nothing: it must have learned to keep its memory over them (notebook 3).
#
# </details>
#
# **3.** The two networks of section 4 have an accuracy of 0.664 and 0.662 on 500 test sentences.
# How large must a difference be before it means something?
#
# <details markdown="1"><summary>Answer</summary>
#
# The share of right answers among $n$ texts has a standard error of $\sqrt{p(1-p)/n} = \sqrt{0.66
# \cdot 0.34 / 500} = 0.021$. The difference of two networks on other texts each has $\sqrt{2}$
# times that, 0.03, and twice this is what one can trust: 0.06. Both read the same sentences here,
# so that only those count in which they differ, and a paired test sees less; but a difference of
# 0.002 is one sentence of 500.
#
# </details>
#
# ---
#
# ← [6 · Hate speech](06_hate_speech.ipynb)<br>
# → [8 · Named entities](08_ner.ipynb)<br>
# [All notebooks](README.md)

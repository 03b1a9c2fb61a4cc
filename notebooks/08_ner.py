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
# # 8 · Named entities
#
# **Time:** 5 minutes of the processor to run it<br>
# **You should know:** notebook 5<br>
# **Before:** [7 · Sentiment of long reviews](07_sentiment.ipynb)<br>
# **Next:** [9 · Text generation](09_text_generation.ipynb)
#
# Which words of a text name a person, a place, an organisation? The answer is one tag for each
# word, and the tags depend on each other. From the raw file to a SavedModel:
#
# 1. **BIO**: spans of text as tags of words,
# 2. from a text to **tokens** that know where they stand,
# 3. two taggers, which differ in their **head**: a softmax for each word, and a **CRF** for the
#    whole sentence,
# 4. the CRF's **transition matrix**,
# 5. **Viterbi**: the best of billions of paths,
# 6. **marginals**: how sure it is,
# 7. what is wrong, and of which **kind** it is,
# 8. the **SavedModel** and its spans.

# %%
# The suite is three packages: `data` reads and prepares texts, `models` has layers and networks,
# `apps` the commands that train and use them. `diagrams` lies beside the notebooks.
import contextlib
import io
import json
import os
import sys
import tempfile
from collections import Counter
from pathlib import Path

from apps.commands.startup import import_tensorflow

import_tensorflow()  # without what it writes at its start
import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from diagrams import Row, draw_rows
from IPython.display import Image, display

from apps.commands.main import main
from apps.ner import APPLICATION
from apps.plots import training  # noqa: F401 (it draws into files; the next line draws here again)
from apps.serving.answers import answer
from data.datasets import read_tagged_texts
from data.examples.tags import bio_names, find_entities, spans_to_tags
from data.text.tag_preprocessor import tokenize_all
from data.text.word_tokenizer import tokenize_words
from models.crf.layer import LinearChainCRF, bio_constraints
from models.evaluation.entities import entity_table

# %matplotlib inline

# The switch: "sample" runs offline in two or three minutes; "full" reads WNUT-17 from the folder
# DATA_DIR and trains by its recipe; "tiny" only shows that everything runs.
SETTING = os.environ.get("NOTEBOOK_SETTING", "sample")
DATA_DIR = os.environ.get("DATA_DIR") and os.path.abspath(os.environ["DATA_DIR"])
DATASET = "wnut17" if SETTING == "full" else "sample"
OPTIONS = {
    "tiny": ["--epochs", "1", "--units", "8", "--no-bidirectional", "--characters", "none"],
    "sample": ["--epochs", "6"],
    "full": ["--dataset", DATASET, "--data-dir", DATA_DIR],
}[SETTING]

os.chdir(tempfile.mkdtemp())  # for the runs and the SavedModel
plt.rcParams.update({"figure.figsize": (7, 3), "figure.constrained_layout.use": True})

# %% [markdown]
# ## 1. BIO
#
# An entity is a span of the text with a type. A network that answers word by word needs it as
# tags: the first word of an entity is `B-` (begin), its other words are `I-` (inside), all else is
# `O` (outside). `B` is there for two entities that stand side by side.

# %%
corpus = read_tagged_texts(DATASET, "ner.conll", DATA_DIR)
names = bio_names(corpus.entity_types)
print("splits:", {name: len(part) for name, part in corpus.splits.items()})
print("tags:  ", *names)

for row in corpus.split("train").rows[1:4]:
    starts, ends = np.array(row.tokens).T
    words = [row.text[start:end] for start, end in row.tokens]
    tags = [names[tag] for tag in spans_to_tags(starts, ends, row.spans, corpus.entity_types)]
    widths = [max(len(word), len(tag)) for word, tag in zip(words, tags, strict=True)]
    print()
    for line in (words, tags):
        print(" ".join(f"{each:{width}}" for each, width in zip(line, widths, strict=True)))
    print([(words[first:after], kind) for first, after, kind in find_entities(tags)])

# %% [markdown]
# `find_entities` reads the tags back into entities. It understands the other schemes, too: IO, IOB1
# and BIOES are recognised in a file and become BIO.
#
# How much of each type is there, and how long are the entities?

# %%
spans = [(row, span) for row in corpus.split("train") for span in row.spans]
lengths = Counter()
for row, span in spans:
    inside = sum(span.start <= start < span.end for start, _ in row.tokens)
    lengths[span.type, min(inside, 4)] += 1
below = np.zeros(len(corpus.entity_types))
for length in range(1, 5):
    counts = np.array([lengths[kind, length] for kind in corpus.entity_types])
    label = f"{length} word{'s' if length > 1 else ''}{' or more' if length == 4 else ''}"
    plt.barh(corpus.entity_types, counts, left=below, label=label)
    below += counts
plt.gca().set(xlabel="entities in the training split", xlim=(0, 1.1 * below.max()))
plt.gca().invert_yaxis()
plt.legend()
plt.show()
words = sum(len(row.tokens) for row in corpus.split("train"))
tagged = sum(length * count for (_, length), count in lengths.items())
print(f"at least {1 - tagged / words:.0%} of {words:,} words are outside")

# %% [markdown]
# About three words in four are outside. A tagger that answers `O` and nothing else is right at all
# of them, and worthless. So we will not count words, but entities: one is right if its type *and*
# both ends are (conlleval, Tjong Kim Sang & De Meulder 2003).
#
# ## 2. Tokens that know where they stand
#
# The file brings its tokens. A text that somebody types does not. `data.text.word_tokenizer` cuts
# it inside of TensorFlow's graph, so that the SavedModel does it in the same way, and tells where
# each token begins and ends, in characters of the text as it came:

# %%
text = "Zoë O'Hara can't leave Malmö 🚲 before 7.30, says @rail_news."
tokens = tokenize_words(tf.constant([text]))
words = [word.decode() for word in tokens.strings[0].numpy()]
starts, ends = tokens.starts[0].numpy(), tokens.ends[0].numpy()
print(text)
for word, start, end in zip(words, starts, ends, strict=True):
    assert text[start:end] == word
    print(f"{start:3} - {end:3}  {word}")

# %% [markdown]
# Every span can be cut out of the original text with its two numbers, whatever white space, accents
# or signs there are. Two spans of this text as tags:

# %%
marked = [(0, 10, corpus.entity_types[-1]), (23, 28, corpus.entity_types[0])]
for word, tag in zip(words, spans_to_tags(starts, ends, marked, corpus.entity_types), strict=True):
    print(f"{names[tag]:8}{word}" if tag else f"{'':8}{word}")

# %% [markdown]
# ## 3. Two heads
#
# The network below is the same for both taggers (Huang et al. 2015, Lample et al. 2016, Ma & Hovy
# 2016): word vectors, a convolution over each word's letters, a small vector for how the word is
# written, a bidirectional LSTM, and a dense layer. That gives for each word $t$ a score $e_t(y)$ of
# each tag $y$, the **emissions**.
#
# The **softmax** head decides for each word alone:
#
# $$p(y_t) = \frac{\exp e_t(y_t)}{\sum_{y'} \exp e_t(y')}$$
#
# The **CRF** (Lafferty et al. 2001; `models/crf/layer.py`) scores the sentence as a whole. Beside
# the emissions it learns a matrix $T$, what may follow what, and scores $s$ and $f$ of the first
# and the last tag:
#
# $$\mathrm{score}(y) = s(y_1) + \sum_t e_t(y_t) + \sum_t T(y_t, y_{t+1}) + f(y_n), \qquad
# p(y) = \frac{\exp \mathrm{score}(y)}{\sum_{y'} \exp \mathrm{score}(y')}$$
#
# The sum below has $9^n$ terms for nine tags and $n$ words. The forward algorithm
# (`models/crf/forward_backward.py`) needs $9^2\,n$ steps, for it keeps one sum for each tag:
#
# $$\alpha_t(j) = e_t(j) + \log \sum_i \exp\big(\alpha_{t-1}(i) + T(i, j)\big)$$
#
# What BIO forbids, such as an `I-PER` after a `B-LOC`, gets a score that nothing makes up for.
#
# The whole network, unrolled over a sentence; the letters and the way of writing are left out:


# %%
def four(letter):
    """Labels of four steps."""
    return [f"${letter}_{t}$" for t in range(1, 5)]


plt.figure(figsize=(8, 4.6))
draw_rows(
    plt.gca(),
    [
        Row(["Sahel", "Water", "Fund", "drilled"], "input", name="words"),
        Row(four("x"), "vector", name="vectors"),
        Row(four(r"\overrightarrow{h}"), "state", "right", shift=-0.24, name="LSTM"),
        Row(four(r"\overleftarrow{h}"), "state", "left", below=(2,), shift=0.24, name="LSTM"),
        Row(four("e"), "vector", below=(1, 2), name="emissions"),
        Row(["B-ORG", "I-ORG", "I-ORG", "O"], "output", "line", name="tags of the CRF"),
    ],
)
plt.show()

# %% [markdown]
# ### By hand
#
# The same line by line, with the shape behind each line: the network, the score of a path, and the
# sum over all paths. It reads one sentence at a time, which is slow but plain:

# %%
lines = [[row.text[start:end] for start, end in row.tokens] for row in corpus.split("train").rows]
vocabulary = {word: id_ for id_, word in enumerate(sorted({w for line in lines for w in line}), 1)}
TAGS = len(names)

keras.utils.set_random_seed(1)
id_input = keras.Input([None], dtype="int32")  # [sentences, words]
x = keras.layers.Embedding(len(vocabulary) + 1, 32)(id_input)  # [sentences, words, 32]
lstm = keras.layers.LSTM(32, return_sequences=True)
h = keras.layers.Bidirectional(lstm)(x)  # [sentences, words, 2 x 32]
e = keras.layers.Dense(TAGS)(h)  # [sentences, words, tags]
network = keras.Model(id_input, e)
T = keras.Variable(tf.zeros([TAGS, TAGS]))  # from the tag of the row to that of the column
s, f = keras.Variable(tf.zeros([TAGS])), keras.Variable(tf.zeros([TAGS]))  # first and last


def score(e, y):
    """Of a path, <float32>[]; e <float32>[words, tags], y <int32>[words]."""
    words = tf.reduce_sum(tf.gather(e, y, batch_dims=1))  # [], of [words]
    steps = tf.reduce_sum(tf.gather_nd(T.value, tf.stack([y[:-1], y[1:]], axis=1)))  # []
    return s.value[y[0]] + words + steps + f.value[y[-1]]  # []


def log_z(e):
    """Of the sum over all paths, <float32>[]; e <float32>[words, tags]."""
    alpha = s.value + e[0]  # [tags]
    for e_t in e[1:]:
        paths = alpha[:, None] + T.value  # [tag before, tag]
        alpha = e_t + tf.reduce_logsumexp(paths, axis=0)  # [tags]
    return tf.reduce_logsumexp(alpha + f.value)  # []


def example(row, line):
    """Ids [1, words] and tags [words] of a sentence."""
    y = spans_to_tags(*np.array(row.tokens).T, row.spans, corpus.entity_types)
    return np.array([[vocabulary.get(word, 0) for word in line]]), np.array(y, np.int32)


optimizer, variables = keras.optimizers.Adam(0.01), [*network.trainable_variables, T, s, f]
count = 4 if SETTING == "tiny" else 400
losses = []
for row, line in zip(corpus.split("train").rows[:count], lines, strict=False):
    ids, y = example(row, line)
    with tf.GradientTape() as tape:
        e = network(ids)[0]  # [words, tags]
        loss = log_z(e) - score(e, y)  # [], minus the logarithm of the path's probability
    gradients = tape.gradient(loss, [variable.value for variable in variables])
    optimizer.apply([tf.convert_to_tensor(gradient) for gradient in gradients], variables)
    losses.append(float(loss) / len(line))
quarter = count // 4
print(f"loss a word: {np.mean(losses[:quarter]):.2f} in the first {quarter} sentences,", end=" ")
print(f"{np.mean(losses[-quarter:]):.2f} in the last {quarter}")

crf = LinearChainCRF(TAGS)
crf.build((None, None, TAGS))
crf.set_weights([T.numpy(), s.numpy(), f.numpy()])
by_layer = -crf.log_likelihood(e[None], y[None])[0]
print(f"loss of the last sentence: {log_z(e) - score(e, y):.4f} by hand,", end=" ")
print(f"{by_layer:.4f} by the suite's layer")

# %% [markdown]
# ### By the command line
#
# The suite's tagger reads batches, letters and capitals, too, and needs no more lines than these.
# What `train` prints while it learns is left out here; the curves below say the same:


# %%
def ner(*arguments, quiet=False):
    """The command line of the application."""
    print("$ python -m apps.ner", *arguments)
    with contextlib.redirect_stdout(io.StringIO() if quiet else sys.stdout):
        main(APPLICATION, [*arguments])


ner("train", *OPTIONS, "--head", "crf", "--run", "runs/crf", quiet=True)
if SETTING != "tiny":  # there one training stands for both
    ner("train", *OPTIONS, "--head", "softmax", "--run", "runs/softmax", quiet=True)
display(Image("runs/crf/training_curves.png", width=800))

# %% [markdown]
# A run folder is all that later commands need. `evaluate` adds the figures of the test split to it,
# and with `--baseline` those of a **list**: it finds the entities of the training split and no
# others, and a tagger has to beat it.


# %%
def figures(run):
    """The figures of all splits that were measured."""
    return json.loads(Path(run, "metrics.json").read_text())


runs = {"softmax": "runs/softmax", "crf": "runs/crf"}
if SETTING == "tiny":
    del runs["softmax"]
for run in runs.values():
    ner("evaluate", "--split", "test", "--baseline", "--run", run, quiet=True)
reports = {name: figures(run)["test"] for name, run in runs.items()}
reports = {"list": reports["crf"]["baseline"]["gazetteer"], **reports}

print(f"\n{'test split':10} {'F1':>6} {'precision':>10} {'recall':>7} {'words right':>12}")
for name, report in reports.items():
    print(
        f"{name:10} {report['f1']:6.3f} {report['precision']:10.3f} "
        f"{report['recall']:7.3f} {report['token_accuracy']:12.3f}"
    )
for name, run in runs.items():
    print(f"validation F1 of {name}: {figures(run)['validation']['f1']:.3f}")

# %% [markdown]
# The list is often right and misses three entities of four: names are new, and a tagger must go by
# what stands around them and how they are written. The CRF is ahead of the softmax here, above all
# in precision, since it helps to know from the start what BIO forbids. With more sentences a
# softmax learns most of it ([results](../docs/results/ner.md)). The share of right words hardly
# tells the two apart.
#
# What does the softmax do wrong that the CRF cannot? It begins entities in their middle, and
# changes the type inside of them. (An answer for a user is repaired: such an `I-` becomes a `B-`.)


# %%
def read(tagger, texts):
    """Words of each text, the tagger's emissions <float32>[texts, words, tags], and the mask."""
    tokens = tokenize_all(texts).strings
    ids = {name: each.to_tensor() for name, each in tagger.preprocessor.ragged(tokens).items()}
    words = [[word.decode() for word in row] for row in tokens.to_list()]
    return words, tagger.model(ids, training=False), ids["token_ids"] != 0


def tagged(words, tags):
    """One line, the tags behind their words."""
    return " ".join(
        f"{word}/{names[tag]}" if tag else word for word, tag in zip(words, tags, strict=False)
    )


SENTENCE = "Sahel Water Fund drilled forty wells in Burkina Faso ."
held_out = [row for split in ("validation", "test") for row in corpus.split(split)]
texts = [SENTENCE, *(row.text for row in held_out)]
allowed = np.array(bio_constraints(names))  # [before and at last the start, tag]
taggers = {name: APPLICATION.trained(run) for name, run in runs.items()}
for name, tagger in taggers.items():
    words, emissions, mask = read(tagger, texts)
    best = tagger.model.best_tags(emissions, mask).numpy()
    wrong = 0
    for row, tags in zip(words, best, strict=True):
        before = [-1, *tags[: len(row) - 1]]
        wrong += sum(not allowed[pair] for pair in zip(before, tags, strict=False))
    print(f"{name:8} {wrong:3} steps that are no BIO in {len(texts)} sentences")
    print(f"{'':8} {tagged(words[0], best[0])}")
print(f"\nhighest emission of the CRF:\n{'':8} {tagged(words[0], np.argmax(emissions[0], axis=1))}")

# %% [markdown]
# The last line shows that the CRF's emissions are no answers. They have been trained together with
# the rules, and need not repeat what those rule out: an `I-` at the beginning may be as high as it
# likes.
#
# ## 4. What follows what
#
# The matrix $T$ as it was learned: a row is the tag before, a column the tag after it; the last row
# is $s$, the first tag of a text. Grey is what BIO forbids.

# %%
crf = taggers["crf"].model.crf
learned = np.vstack([crf.transitions.numpy(), crf.start.numpy()])
shown = np.where(allowed, learned, np.nan)
limit = np.nanmax(np.abs(shown))

plt.figure(figsize=(6.5, 5.5))
palette = plt.get_cmap("RdBu").with_extremes(bad="darkgray")
image = plt.imshow(shown, cmap=palette, vmin=-limit, vmax=limit)
for (row, column), value in np.ndenumerate(shown):
    if np.isfinite(value):
        colour = "white" if abs(value) > 0.6 * limit else "black"
        plt.text(column, row, f"{value:.2f}", ha="center", va="center", color=colour, fontsize=7)
plt.xticks(range(len(names)), names, rotation=45, ha="right")
plt.yticks(range(len(names) + 1), [*names, "start"])
plt.gca().set(xlabel="tag", ylabel="tag before it")
plt.colorbar(image, label="score of the step")
plt.show()

# %% [markdown]
# Read along a row: after `B-ORG` or `B-PER` one more word of the name is likely, after `I-PER` the
# name is over. Two entities seldom stand side by side, so in the rows of entities all `B-` are
# red. And a sentence rather begins with a person than with a place. The numbers
# are small, for some hundred steps of training is all they had; the grey ones do most of the work.
#
# ## 5. Viterbi
#
# The best path is found as the sum is, with a maximum where the sum was (Viterbi 1967;
# `models/crf/viterbi.py`). Each tag at each word remembers the score of the best path that ends
# with it, and where that path came from:
#
# $$\delta_t(j) = e_t(j) + \max_i \big(\delta_{t-1}(i) + T(i, j)\big), \qquad
# \psi_t(j) = \arg\max_i \big(\delta_{t-1}(i) + T(i, j)\big)$$
#
# At the last word we take the best tag and follow the pointers back. By hand, equal to the layer:


# %%
def viterbi(emissions, transitions, start, end):
    """Scores and pointers [words, tags], and the best path."""
    scores, pointers = [start + emissions[0]], []
    for emission in emissions[1:]:
        paths = scores[-1][:, None] + transitions  # [from, to]
        pointers.append(paths.argmax(axis=0))
        scores.append(emission + paths.max(axis=0))
    path = [int(np.argmax(scores[-1] + end))]
    for pointer in reversed(pointers):
        path.insert(0, int(pointer[path[0]]))
    return np.array(scores), np.array(pointers), path


[words], emissions, mask = read(taggers["crf"], [SENTENCE])
possible = np.where(allowed, learned, -1e4)
scores, pointers, path = viterbi(emissions[0].numpy(), possible[:-1], possible[-1], crf.end.numpy())
assert path == crf.decode(emissions, mask)[0].numpy().tolist()
print(tagged(words, path))

# %% [markdown]
# The **trellis**: a column for each word, a row for each tag. The colour says how far the best path
# to this place is behind the best path to this column; thin lines are the pointers $\psi$, the
# thick one is the path that wins. Grey is what BIO forbids at the first word.

# %%
behind = scores - scores.max(axis=1, keepdims=True)
behind = np.where(behind < -1e3, np.nan, behind)
plt.figure(figsize=(10, 4.2))
palette = plt.get_cmap("Blues").with_extremes(bad="darkgray")
image = plt.imshow(behind.T, cmap=palette, vmin=-8, vmax=0, aspect="auto")
for step, before in enumerate(pointers):
    for tag in np.flatnonzero(np.isfinite(behind[step + 1])):
        plt.plot([step, step + 1], [before[tag], tag], color="tab:orange", linewidth=1)
plt.plot(path, color="tab:red", linewidth=3, marker="o")
plt.xticks(range(len(words)), words, rotation=30, ha="right")
plt.yticks(range(len(names)), names)
plt.colorbar(image, label="behind the best of the column")
plt.show()

# %% [markdown]
# At "Water" and "Fund" two places are dark: an organisation and a person run side by side, and no
# single word decides between them. At "drilled" `O` is the best, and its pointer goes back to the
# better of the two sums. From there on the winner has hardly a rival.
#
# There is a second best path, and a third (`crf.n_best`), each with its probability among all
# $9^{10}$, three and a half billion:

# %%
paths, log_probabilities = crf.n_best(emissions, 4, mask)
for path, share in zip(paths[0].numpy(), np.exp(log_probabilities[0]), strict=True):
    print(f"{share:6.1%}  {tagged(words, path)}")

# %% [markdown]
# The best four differ in two questions: is the first name an organisation or a person, and does
# "drilled" belong to it? Each answer to the one goes with each to the other.
#
# ## 6. How sure?
#
# The probability of a whole path is small even when most of it is certain. What we want is the
# **marginal** of a tag at a word: the sum over all paths that have it there. Forward sums $\alpha$
# and backward sums $\beta$ give it at once:
#
# $$p(y_t = j) = \exp\big(\alpha_t(j) + \beta_t(j) - \log Z\big)$$
#
# The suite has them as the gradient of $\log Z$ by the emissions, which is the same.

# %%
marginals = crf.marginals(emissions, mask)[0].numpy()
plt.figure(figsize=(10, 3.8))
image = plt.imshow(marginals.T, cmap="Blues", vmin=0, vmax=1, aspect="auto")
for (word, tag), value in np.ndenumerate(marginals):
    if value > 0.05:
        colour = "white" if value > 0.6 else "black"
        plt.text(word, tag, f"{value:.2f}", ha="center", va="center", color=colour, fontsize=8)
plt.xticks(range(len(words)), words, rotation=30, ha="right")
plt.yticks(range(len(names)), names)
plt.colorbar(image, label="probability")
plt.show()

# %% [markdown]
# A span is as sure as its least sure word. Is that worth anything? We sort all entities that were
# found in the held-out texts, the surest first, and look how many of the first so many are right:

# %%
found = []
answers = answer(taggers["crf"], [row.text for row in held_out])
for row, columns in zip(held_out, answers, strict=True):
    for entity in columns["entities"]:
        right = (entity["start"], entity["end"], entity["type"]) in row.spans
        found.append((entity["score"], right))
found.sort(reverse=True)
sureness, right = np.array(found or [(0, 0)]).T
counts = np.arange(1, len(found) + 1)

figure, (left, middle) = plt.subplots(1, 2, figsize=(9, 3))
left.plot(counts, np.cumsum(right)[: len(found)] / counts, marker=".")
left.set(xlabel="so many of the surest entities", ylabel="share that is right", ylim=(0, 1.05))
middle.hist(
    [sureness[right > 0.5], sureness[right < 0.5]],
    bins=np.linspace(0, 1, 11),
    stacked=True,
    label=["right", "wrong"],
    color=["tab:blue", "tab:orange"],
)
middle.set(xlabel="confidence of the entity", ylabel="entities")
middle.legend()
plt.show()

# %% [markdown]
# Of the surer half nearly all are right, of all of them five in six. So the confidence is good for
# an order: what to look at first, or where to draw a line if mistakes are expensive. As a
# probability of being right it is too modest here: of the entities between 0.7 and 0.8 some nine in
# ten are right.
#
# ## 7. What is wrong
#
# `evaluate` counts as conlleval does and names the errors by their kind:
#
# - **missed** and **invented** entities overlap with nothing on the other side,
# - a **boundary** error has the right type and another end,
# - a **type** error has the right ends and another type.

# %%
print(entity_table(reports["crf"]))
display(Image("runs/crf/confusion_test.png", width=480))

# %%
kinds = [*reports["crf"]["errors"]]
width = 0.4
for place, name in enumerate(taggers):
    counts = [reports[name]["errors"][kind]["count"] for kind in kinds]
    plt.barh(np.arange(len(kinds)) + width * place, counts, width, label=name)
plt.yticks(np.arange(len(kinds)) + width / 2, kinds)
plt.gca().set(xlabel="errors on the test split")
plt.gca().invert_yaxis()
plt.legend()
plt.show()

# %% [markdown]
# The most frequent error of both is the type alone: they see *that* something is a name (capitals
# help), but not of what, for most of the names are invented and tell nothing by themselves. Those
# of real texts are known to word vectors, which is why the recipes of the real corpora have
# `--vectors glove-6b-50d`. The softmax invents more: where the CRF weighs a span as a whole, it may
# begin one at any word. Mind the interval: on 240 other sentences the F1 may well be four points
# higher or lower, which is more than the two heads differ by. On WNUT-17, whose names are meant to
# be new, it helps to begin with the tagger of another corpus, and to learn from the validation
# texts, too (`--refit`): the [results](../docs/results/ner.md) have the figures.
#
# ## 8. The SavedModel
#
# `export` writes one graph: tokens, vocabularies, network, Viterbi and marginals. It needs
# TensorFlow alone, takes raw strings, and answers with places in them:

# %%
ner("export", "--run", "runs/crf", "--output", "exported/ner")
served = tf.saved_model.load("exported/ner/1").signatures["serving_default"]

texts = [
    "Zoë O'Hara moved from Malmö to Lisbon.",
    "The  Northfield   Museum is closed on Mondays.",
    "",
]
columns = {name: each.numpy() for name, each in served(texts=tf.constant(texts)).items()}
for name, each in columns.items():
    print(f"{name:7} {each.dtype.name if each.dtype != object else 'string':8} {each.shape}")
for row, text in enumerate(texts):
    tags = [tag.decode() for tag in columns["tags"][row] if tag]
    print(repr(text))
    for first, after, kind in find_entities(tags):
        start, end = columns["starts"][row, first], columns["ends"][row, after - 1]
        score = columns["scores"][row, first:after].min()
        print(f"    {start:3} - {end:3}  {kind:5} {score:.2f}  {text[start:end]!r}")

# %% [markdown]
# The white space of the second text is part of its span, and the empty text has an answer, too: a
# row without tags. `predict` asks the same graph:

# %%
ner("predict", "--run", "runs/crf", *texts[:2])

# %% [markdown]
# ## Try it yourself
#
# **1.** How many of the $9 \cdot 9$ steps from tag to tag does BIO forbid with four types of
# entities, and with how many tags may no sentence begin? Count, then ask `bio_constraints(names)`.
#
# <details markdown="1"><summary>Answer</summary>
#
# Only the four `I-` tags have conditions. Each may follow two of the nine tags, the `B-` and the
# `I-` of its own type, and is forbidden behind the other seven: $4 \cdot 7 = 28$ of 81 steps. No
# sentence begins with one of the four.
#
# ```python
# allowed = np.array(bio_constraints(names))  # [9 tags and the start, 9 tags]
# print((~allowed[:-1]).sum(), (~allowed[-1]).sum())  # 28 4
# ```
#
# </details>
#
# **2.** Viterbi with a pencil: two words, two tags, emissions $e_1 = (2, 0)$ and $e_2 = (1, 0.5)$,
# steps $T = \begin{pmatrix} -1 & 1 \\ 0 & 0 \end{pmatrix}$, nothing for the first and the last tag.
# What is the best path, what is it word by word, and how probable is each?
#
# <details markdown="1"><summary>Answer</summary>
#
# $\delta_1 = (2, 0)$. At the second word the first tag has $1 + \max(2 - 1,\ 0 + 0) = 2$ and the
# second $0.5 + \max(2 + 1,\ 0 + 0) = 3.5$, both from the first tag. So the best path is first,
# second, with a score of 3.5. Word by word the highest emissions are first, first: a path with a
# score of 2.
#
# The four paths have scores of 2, 3.5, 1 and 0.5, and $e^2 + e^{3.5} + e^1 + e^{0.5} = 44.9$. The
# best path has a probability of $33.1 / 44.9 = 0.74$, the one of the highest emissions $7.4 / 44.9
# = 0.16$.
#
# </details>
#
# **3.** The best path of section 5 has a probability of about 37 %, and yet "Burkina" begins a
# place with a probability of 0.97. How can a part be surer than the whole?
#
# <details markdown="1"><summary>Answer</summary>
#
# The marginal sums over *all* paths that have the tag at this word. The four best paths differ at
# "Sahel Water Fund" and at "drilled", and agree on "Burkina Faso", and so do most of the others. A
# path is right only if every word of it is; the more words are unsure, the smaller is the share of
# each single path, and the marginals tell which words these are.
#
# </details>
#
# **4.** Write `predict --input FILE --output answers.html` and open it in a browser.
#
# <details markdown="1"><summary>Answer</summary>
#
# The page shows the texts with their entities in colours, one for each type, and needs nothing from
# outside. With another ending the same answers are a table, with the places in the text and the
# confidence of each entity.
#
# </details>
#
# ---
#
# ← [7 · Sentiment of long reviews](07_sentiment.ipynb)<br>
# → [9 · Text generation](09_text_generation.ipynb)<br>
# [All notebooks](README.md)

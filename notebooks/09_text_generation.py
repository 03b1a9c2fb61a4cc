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
# # 9 · Text generation
#
# **Time:** 3 minutes of the processor to run it<br>
# **You should know:** notebooks 1 and 4<br>
# **Before:** [8 · Named entities](08_ner.ipynb)<br>
# **Next:** [10 · Translation](10_translation.ipynb)
#
# A language model says what comes next. Asked again and again, it writes. This notebook goes from
# raw texts to a SavedModel:
#
# 1. texts become **ids** of characters,
# 2. texts become **streams**, and the state is carried on,
# 3. the **training**, and its figures: nats, bits, perplexity,
# 4. what the **carried state** is worth,
# 5. **temperature, top-k, top-p, min-p**: from a distribution to a text,
# 6. **greedy** and **beam search**: the likeliest text, and why one seldom wants it,
# 7. **one graph** for the whole text, against one call for each character,
# 8. the **export** and its three signatures.

# %%
# The suite is three packages: `data` reads and prepares texts, `models` has layers and networks,
# `apps` the commands that train and use them. `diagrams` lies beside the notebooks.
import contextlib
import html
import io
import os
import shlex
import tempfile
import time
from pathlib import Path

from apps.commands.startup import import_tensorflow

import_tensorflow()  # without what it writes at its start
import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from diagrams import Row, draw_rows
from IPython.display import HTML, Image, display

from apps.commands.main import main
from apps.config.options import override
from apps.plots import training  # noqa: F401 - it chooses how files are drawn; notebooks choose again
from apps.tasks.generation.config import GenerationOptions
from apps.text_generation import APPLICATION
from data.batches.streams import Streams
from data.text.special_tokens import END, START
from data.text.tokenizer import Tokenizer
from data.text.tokenizer_vocabulary import learn_vocabulary
from models.decoding.sampling import Sampling
from models.language_model.language_model import LanguageModel
from models.serving.generator import TextGenerator

# %matplotlib inline

# The switch: "sample" learns offline, in a minute or so, from the help texts that every Python
# carries; "full" reads Tiny Shakespeare from the folder DATA_DIR and trains with the application's
# recipe, which takes long; "tiny" only shows that everything runs.
SETTING = os.environ.get("NOTEBOOK_SETTING", "sample")
CHARACTERS = ["--tokenizer", "characters", "--sequence-length", "128"]
OPTIONS = {
    "tiny": [
        *[*CHARACTERS, "--units", "8", "--embedding-dim", "8"],
        *["--epochs", "1", "--batch-size", "256"],
    ],
    "sample": [
        *[*CHARACTERS, "--cell", "gru", "--units", "128", "--embedding-dim", "32"],
        *["--dropout", "0.1", "--learning-rate", "0.005", "--epochs", "12"],
    ],
    "full": ["--dataset", "tiny_shakespeare", "--data-dir", os.environ.get("DATA_DIR", ".")],
}[SETTING]
if SETTING == "full":
    OPTIONS[-1] = str(Path(OPTIONS[-1]).resolve())
LENGTH = 40 if SETTING == "tiny" else 200  # characters of the texts below
FOLDER = Path(tempfile.mkdtemp())
PROMPT, MIDDLE = (
    ("ROMEO:", "What is thy na") if SETTING == "full" else ("The ", "The object is ret")
)

plt.rcParams.update({"figure.figsize": (8, 3), "figure.constrained_layout.use": True})


def command(*arguments):
    """What `python -m apps.text_generation` does, in a folder for this notebook."""
    shown = [Path(each).name if Path(each).is_absolute() else each for each in arguments]
    print(f"$ python -m apps.text_generation {shlex.join(shown)}\n")
    with contextlib.chdir(FOLDER):
        main(APPLICATION, list(arguments))


# %% [markdown]
# ## 1. Texts to ids
#
# The application reads the corpus and cuts it into a training and a validation split. The texts of
# the sample are a reference manual: correct, dry, and with many terms that return.

# %%
DATASET = "tiny_shakespeare" if SETTING == "full" else "sample"
config = override(
    APPLICATION.recipe(DATASET), {"data_dir": OPTIONS[-1] if SETTING == "full" else None}
)
corpus = config.read_corpus(APPLICATION.sample)
train, validation = corpus.split("train"), corpus.split("validation")
print(len(train), "texts to train,", len(validation), "to validate;", end=" ")
print(f"{sum(map(len, train)):,} and {sum(map(len, validation)):,} characters\n")
print(validation.texts[0][:400])

# %% [markdown]
# The **tokens** are learned from the training texts alone. Characters are the simplest: few of
# them, and nothing is unknown but a sign that never occurred. Words are many, and new ones come
# with every text. Sub-words lie between. One line in each of them:

# %%
line = validation.texts[0].splitlines()[0]
print(repr(line), "\n")
for kind in ("characters", "bytes", "words", "subwords"):
    if SETTING == "tiny" and kind == "subwords":
        continue
    vocabulary = learn_vocabulary(kind, train, 400 if kind == "subwords" else 10_000)
    tokenizer = Tokenizer(vocabulary)
    ids = tokenizer.encode(tf.constant([line]))
    pieces = [piece.decode() for piece in tokenizer.tokens(ids)[0].numpy()]
    size = vocabulary.vocabulary_size
    print(f"{kind:10} vocabulary {size:6,}; {len(pieces):3} ids: {pieces[:9]} ...")
vocabulary = learn_vocabulary("characters", train, 10_000)
tokenizer = Tokenizer(vocabulary)
print("\nthe most frequent characters:", [*vocabulary.tokens[:12]])

# %% [markdown]
# `data.text.tokenizer` does this inside the graph, so that the exported model takes strings and
# gives strings. The first four ids are special: padding, unknown, the start and the end of a text.
#
# ## 2. Streams
#
# The model factorises the probability of a text, character by character, with nothing left out:
#
# $$p(x_1 \dots x_T) = \prod_{t=1}^{T} p(x_t \mid x_1 \dots x_{t-1}),
# \qquad p(x_{t+1} \mid x_1 \dots x_t) = \mathrm{softmax}(W h_t + b), \quad
# h_t = \mathrm{cell}(x_t, h_{t-1})$$
#
# (`models/language_model/language_model.py`; Mikolov et al. 2010.) Unrolled over the beginning of a
# text, each character that is predicted is the next one that is read:

# %%
plt.figure(figsize=(8, 3.2))
draw_rows(
    plt.gca(),
    [
        Row([*"^the␣c"], "input", name="read"),
        Row([f"$x_{t}$" for t in range(1, 7)], "vector", name="vectors"),
        Row([f"$h_{t}$" for t in range(1, 7)], "state", "right", name="cell"),
        Row([*"the␣ce"], "output", name="predicted"),
    ],
)
plt.show()

# %% [markdown]
# ### By hand
#
# The whole model in four lines, with the shape behind each, and its training on characters of the
# manual. `LanguageModel` of the suite builds the same, and has as many weights:

# %%
keras.utils.set_random_seed(1)
ids = keras.Input([None], dtype="int32")  # [texts, characters]
x = keras.layers.Embedding(tokenizer.vocabulary_size, 32)(ids)  # [texts, characters, 32]
h = keras.layers.GRU(64, return_sequences=True)(x)  # [texts, characters, 64]
scores = keras.layers.Dense(tokenizer.vocabulary_size)(h)  # [texts, characters, vocabulary]
by_hand = keras.Model(ids, scores)

read = tokenizer.encode(tf.constant(train.texts)).flat_values.numpy()
rows, steps = (2, 8) if SETTING == "tiny" else (1600, 40)
read = read[: rows * steps + 1]
targets = read[1:].reshape(rows, steps)  # the next character of each, [texts, characters]
inputs = read[:-1].reshape(rows, steps)  # [texts, characters]
by_hand.compile(
    keras.optimizers.Adam(0.01), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
)
losses = by_hand.fit(inputs, targets, batch_size=32, epochs=2, verbose=0).history["loss"]
print(f"loss of a character: {losses[0]:.2f} in the first epoch, {losses[1]:.2f} in the second")


def write(text, length):
    """Goes on with a text, always by the likeliest character."""
    for _ in range(length):
        ids = tokenizer.encode(tf.constant([text])).to_tensor()  # [1, characters]
        scores = by_hand(ids)[0, -1]  # [vocabulary], behind the last character
        text += tokenizer.tokens(tf.argmax(scores)[None]).numpy()[0].decode()
    return text


print(repr(write("The ", 2 if SETTING == "tiny" else 40)))
suite = LanguageModel(tokenizer.vocabulary_size, 32, {"cell": "gru", "units": 64})
print(f"weights: {by_hand.count_params():,} by hand, {suite.count_params():,} in the suite's")

# %% [markdown]
# It has found the most frequent word, and goes round in circles with it. To write, it reads
# everything anew for each character; the suite's model hands its state on instead, and that is the
# next section.
#
# ### Windows
#
# A text of thousands of
# characters is too long to send a gradient through. So it is cut into windows, and each window
# begins with the state in which the one before it has ended: **truncated back-propagation through
# time** (`data/batches/streams.py`, `models/language_model/stream_model.py`). The gradient ends at
# the window's edge, the memory does not.
#
# Two streams with windows of 12 characters, from two short texts (`^` start, `$` end, `·` padding):

# %%
texts = ["the cell keeps what it has read", "and begins anew with another text"]
few = Tokenizer(learn_vocabulary("characters", texts, 100))
streams = Streams(few.encode(tf.constant(texts)), batch_size=2, length=12)
marks = {"<start>": "^", "<end>": "$", "": "·"}


def readable(ids):
    return "".join(marks.get(token.decode(), token.decode()) for token in few.tokens(ids).numpy())


for number, (inputs, targets) in enumerate(streams.dataset()):
    for row in range(2):
        state = "begins anew" if inputs["starts"][row] else "is carried on"
        print(
            f"batch {number}, stream {row}: reads {readable(inputs['token_ids'][row])}"
            f"  predicts {readable(targets[row])}  state {state}"
        )

# %% [markdown]
# What is predicted is what was read, moved by one. Each stream goes on where it had stopped.
#
# ## 3. The training and its figures
#
# The loss is the mean negative log-likelihood of the characters, and it has three names:
#
# $$\text{nats} = -\frac{1}{T}\sum_{t} \ln p(x_t \mid x_{<t}), \qquad
# \text{bits} = \frac{\text{nats}}{\ln 2}, \qquad
# \text{perplexity} = e^{\text{nats}}$$
#
# Bits are what an ideal compressor would need for a character. A perplexity of 4 means: the model
# is as unsure as if it had to choose among four characters that are equally likely.
#
# Here is the command. Each epoch ends with the figures of the validation split and a text. Open
# what it prints and watch the texts: first syllables, then words, then phrases of the manual.

# %%
log = io.StringIO()
with contextlib.redirect_stdout(log):
    command("train", "--run", "runs/writer", "--sample-length", str(LENGTH), *OPTIONS)
shown, _, rest = log.getvalue().partition("\n")
print(shown)
folded = f"<pre>{html.escape(rest.strip())}</pre>"
display(HTML(f"<details><summary>What it prints</summary>{folded}</details>"))

# %% [markdown]
# The run folder has the curves. The loss is higher than the nats of the validation split, since
# dropout makes the training harder; the log-likelihood is the nats with the other sign, so that the
# highest is the best.

# %%
run = FOLDER / "runs" / "writer"
display(Image(filename=run / "training_curves.png"))

# %% [markdown]
# Is that good? Compare it with models that know nothing of the order: every character equally
# likely, and each by its frequency in the training texts.

# %%
command("evaluate", "--run", "runs/writer", "--split", "validation")
task = APPLICATION.trained(run)
model, tokenizer = task.language_model, task.tokenizer
figures = task.evaluate(validation).metrics

ids = tokenizer.encode(tf.constant(train.texts)).flat_values.numpy()
counts = np.bincount(ids, minlength=tokenizer.vocabulary_size) + 1.0
held_out = tokenizer.encode(tf.constant(validation.texts)).flat_values.numpy()
by_frequency = -np.log(counts / counts.sum())[held_out].mean()
print(f"\n{'':24} {'nats':>6} {'bits':>6} {'perplexity':>11}")
for name, nats in {
    "all characters alike": np.log(tokenizer.vocabulary_size),
    "by their frequency": by_frequency,
    "the language model": figures["nats_per_unit"],
}.items():
    print(f"{name:24} {nats:6.3f} {nats / np.log(2):6.3f} {np.exp(nats):11.1f}")

# %% [markdown]
# The mean hides where the model is sure and where it is not. The bits of each character of a line
# that it has never read:


# %%
def logits_of(text):
    """The ids of a text, and the logits <float32>[length + 1, vocabulary] before each of them and
    behind the last."""
    ids = tokenizer.encode(tf.constant([text]))[0].numpy()
    logits, _ = model(tf.constant([[START, *ids]], tf.int32))
    return ids, logits[0]


LETTERS = set("abcdefghijklmnopqrstuvwxyz ,.")
lines = [line for text in validation.texts for line in text.splitlines()]
plain = [at for at, line in enumerate(lines) if len(line) > 55 and set(line.lower()) <= LETTERS]
text = lines[plain[0]].strip()
ids, logits = logits_of("\n".join([*lines[max(0, plain[0] - 9) : plain[0]], text]))
bits = -tf.nn.log_softmax(logits).numpy()[np.arange(len(ids)), ids] / np.log(2)
bits = bits[-len(text) :]
plt.figure(figsize=(11, 2.8))
plt.bar(range(len(text)), bits, color=plt.cm.magma_r(np.clip(bits / 8, 0.1, 0.95)))
plt.xticks(range(len(text)), [letter.replace(" ", "␣") for letter in text], fontsize=8)
plt.axhline(bits.mean(), color="gray", linestyle=":", label=f"mean {bits.mean():.2f}")
plt.gca().set(ylabel="bits", xlim=(-1, len(text)))
plt.legend()
plt.show()

# %% [markdown]
# Most is paid where a word begins: there it is decided which word it will be. The rest of a
# familiar one costs next to nothing, and so do most of the spaces behind words. A model of
# characters has found out where words end without ever being told that there are words.
#
# ## 4. What the carried state is worth
#
# The same text of the validation split, read twice: once with the state carried from window to
# window, once with a state that begins anew in each. The loss by the position in the window:

# %%
WINDOW = 64
long = max(validation.texts, key=len)
ids = tokenizer.encode(tf.constant([long]))[0].numpy()
count = min(len(ids) // WINDOW, 8 if SETTING == "tiny" else 150)
targets = ids[: count * WINDOW].reshape(count, WINDOW)
windows = np.concatenate([[START], ids])[: count * WINDOW].reshape(count, WINDOW)


def loss_by_position(logits):
    """<float>[WINDOW], of logits <float32>[windows, WINDOW, vocabulary]."""
    return tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits).numpy().mean(axis=0)


read = tf.function(model)
anew = loss_by_position(read(tf.constant(windows, tf.int32))[0])
states, logits = model.initial_states(1), []
for window in windows:
    after, states = read(tf.constant([window], tf.int32), states)
    logits.append(after[0])
carried = loss_by_position(tf.stack(logits))

plt.plot(anew, label=f"begins anew: {anew.mean():.3f} nats")
plt.plot(carried, label=f"carried on: {carried.mean():.3f} nats")
plt.gca().set(xlabel="position in the window", ylabel="nats")
plt.legend()
plt.show()
print(f"the first 4 positions: {anew[:4].mean():.2f} anew, {carried[:4].mean():.2f} carried")
print(f"the last 32 positions: {anew[-32:].mean():.2f} anew, {carried[-32:].mean():.2f} carried")

# %% [markdown]
# With an empty memory the first character of a window is guessed by little more than its frequency
# (see the table above). After ten or twenty characters the new state has caught up: what this model
# uses lies hardly further back than a few words. A larger one, trained for longer, remembers more.
#
# ## 5. From a distribution to a text
#
# The model gives a probability for each next character. How to choose from them is no part of the
# training (`models/decoding/sampling.py`):
#
# - **temperature** $\tau$: $p_i \propto \exp(z_i / \tau)$. Below 1 the likely become likelier.
# - **top-k** (Fan et al. 2018): only the $k$ likeliest.
# - **top-p** (Holtzman et al. 2020): the fewest that have the share $p$ together.
# - **min-p** (Nguyen et al. 2024): those that are at least $p$ times as likely as the likeliest.
#
# What may follow here?

# %%
ways = {
    "as it is": {},
    "temperature 0.5": {"temperature": 0.5},
    "temperature 1.5": {"temperature": 1.5},
    "top-k 3": {"top_k": 3},
    "top-p 0.8": {"top_p": 0.8},
    "min-p 0.1": {"min_p": 0.1},
}
TOP = 14


def draw_ways(before):
    """The distributions of the character behind a text."""
    after = logits_of(before)[1][-1:]
    likeliest = np.argsort(-after[0].numpy())[:TOP]
    names = [name.decode() for name in tokenizer.tokens(tf.constant(likeliest)).numpy()]
    names = [{" ": "␣", "\n": "¶"}.get(name, name) for name in names]
    figure, axes = plt.subplots(2, 3, figsize=(10, 4.2), sharex=True, sharey=True)
    for panel, (way, options) in zip(axes.flat, ways.items(), strict=True):
        shares = Sampling(**options).probabilities(after)[0].numpy()
        entropy = abs(np.sum(shares * np.log2(np.maximum(shares, 1e-12))))
        panel.bar(range(TOP), shares[likeliest], color="tab:orange" if options else "tab:blue")
        panel.set_title(f"{way}: {(shares > 0).sum()} left, {entropy:.2f} bits", fontsize=10)
        panel.set_xticks(range(TOP), names)
    figure.suptitle(f"behind {before!r}")
    plt.show()


draw_ways(PROMPT)
draw_ways(MIDDLE)

# %% [markdown]
# Top-k always leaves $k$, whether the model is sure or not: at a word's beginning that is too few,
# within a word too many. Top-p and min-p follow the distribution: they leave many where much is
# possible and one or two where the model is sure. The temperature excludes nothing. It moves
# probability to the likely or to the unlikely ones.
#
# As texts, with the same beginning and the same seed. `predict` has these options:

# %%
for options in (
    ["--temperature", "0.3"],
    ["--temperature", "1.0"],
    ["--temperature", "1.5"],
    ["--top-k", "3"],
    ["--top-p", "0.8"],
    ["--min-p", "0.1"],
):
    common = ["--run", "runs/writer", "--max-length", str(LENGTH), "--seed", "1"]
    command("predict", PROMPT, *common, *options)
    print("─" * 100)
    if SETTING == "tiny":
        break

# %% [markdown]
# Cold texts are made of real words and go round in circles. Hot ones are new and fall apart. The
# full distribution has a long tail of characters that are each unlikely, but in two hundred draws
# one of them is met for certain, and the model has to go on from there. This is why cutting the
# tail off helps more than its small share makes one expect.
#
# ## 6. The likeliest text
#
# Why choose by chance at all? **Greedy** decoding takes the likeliest character each time. **Beam
# search** (`models/decoding/beam_search.py`) keeps the $k$ likeliest beginnings, so that a poor
# character can lead to a better text. Both against 64 texts that are drawn by chance:

# %%
SHORT = 10 if SETTING == "tiny" else 40
WIDTHS = [2] if SETTING == "tiny" else [2, 4, 16]


def written(beginnings, **options):
    """What follows beginnings, and the log-likelihood of that, in nats a character."""
    generator = TextGenerator(
        tokenizer, model, GenerationOptions(max_length=SHORT, **options), task.ends
    )
    answer = generator.serve(tf.constant(beginnings))
    texts = [text.decode() for text in answer["continuations"].numpy()]
    lengths = np.maximum([len(text) for text in texts], 1)
    return texts, answer["log_likelihoods"].numpy() / lengths


drawn, of_drawn = written([PROMPT] * 64)
searched = {"greedy": {"greedy": True}}
searched |= {f"beam of {width}": {"beam_width": width} for width in WIDTHS}
found = {name: written([PROMPT], **options) for name, options in searched.items()}
plt.hist(of_drawn, bins=24, color="lightgray", label="by chance")
for (name, (_, each)), colour in zip(found.items(), ("C3", "C0", "C1", "C2"), strict=False):
    plt.axvline(each[0], color=colour, label=name)
about = -figures["nats_per_unit"]
plt.axvline(about, color="black", linestyle=":", label="real texts, mean")
plt.gca().set(xlabel="log-likelihood, nats a character", ylabel="texts")
plt.legend(fontsize=8)
plt.show()
for name, (texts, each) in found.items():
    print(f"{name:11} {each[0]:6.3f}  {texts[0]!r}")
for number in range(3):
    print(f"{'by chance':11} {of_drawn[number]:6.3f}  {drawn[number]!r}")
print(f"\nreal texts have about {about:.3f} nats a character, by chance {of_drawn.mean():.3f}")

# %% [markdown]
# The four lines of the searched texts lie side by side at the right end of the picture, so close
# that they cover each other; their places are in the list. These texts are far likelier than any
# that is drawn, and far likelier than what people write: the mean of real texts (dotted) lies among
# those that are drawn by chance. The likeliest text is dull. So language models sample, and beams
# are for tasks with an answer, such as translation (notebook 10). A wider beam need not find a
# likelier text, either: a beginning that would have won later may be thrown out by others that look
# better now.
#
# ## 7. One graph
#
# A text is a loop: choose, step, choose. Written in Python, each turn is a call of `model.predict`
# with all that belongs to it. The suite's generator is one `tf.while_loop` that carries the states
# and leaves the graph once, when all is written (`models/decoding/decode.py`). The same model both
# ways:

# %%
states = [keras.Input((state.shape[-1],)) for state in model.initial_states(1)]
token = keras.Input((1,), dtype="int32")
stepper = keras.Model([token, *states], model(token, states))


def step_by_step(length):
    """Characters by `predict`, one call each."""
    generator = np.random.default_rng(0)
    ids = [START]
    carried = [np.zeros([1, *state.shape[1:]], np.float32) for state in states]
    for _ in range(length):
        logits, carried = stepper.predict([np.array([[ids[-1]]]), *carried], verbose=0)
        shares = tf.nn.softmax(logits[0, -1, END + 1 :]).numpy().astype(float)
        ids.append(END + 1 + generator.choice(len(shares), p=shares / shares.sum()))
    return tokenizer.decode(tf.constant([ids]))


generator = TextGenerator(tokenizer, model, GenerationOptions(max_length=LENGTH), ends=False)
seconds = {}
for name, characters, function in (
    ("predict, each character", LENGTH // 8, lambda: step_by_step(LENGTH // 8)),
    ("one graph, 1 text", LENGTH, lambda: generator.serve(tf.constant([""]))),
    ("one graph, 32 texts", 32 * LENGTH, lambda: generator.serve(tf.constant([""] * 32))),
):
    function()  # what is compiled once does not count
    for _ in range(1 if SETTING == "tiny" else 3):
        begun = time.process_time()
        function()
        took = (time.process_time() - begun) / characters
        seconds[name] = min(took, seconds.get(name, took))
for name, each in seconds.items():
    times = seconds["predict, each character"] / each
    print(f"{name:24} {1 / each:10,.0f} characters a processor second, {times:7,.1f} times")

# %% [markdown]
# The arithmetic of a step is the same and takes next to nothing; what `predict` costs is everything
# around it. And 32 texts at once take far less than 32 times as long as one.
#
# ## 8. The SavedModel
#
# `export` writes what `predict` uses, as a graph of plain TensorFlow operations. It needs no Python
# of the suite:

# %%
command(
    "export", "--run", "runs/writer", "--output", "exported/writer", "--max-length", str(LENGTH)
)
exported = tf.saved_model.load(FOLDER / "exported" / "writer" / "1")
for name, signature in exported.signatures.items():
    _, inputs = signature.structured_input_signature
    print(
        f"{name}: {', '.join(sorted(inputs))} → {', '.join(sorted(signature.structured_outputs))}"
    )

# %%
# Goes on with texts, with the options of the export.
answer = exported.signatures["serving_default"](texts=tf.constant([PROMPT]))
print(answer["texts"].numpy()[0].decode(), "\n")

# Goes on as each call says.
answer = exported.signatures["generate"](
    prompts=tf.constant([PROMPT, MIDDLE]),
    max_length=tf.constant(60),
    temperature=tf.constant(0.7),
    top_k=tf.constant(0),
    top_p=tf.constant(0.9),
    seed=tf.constant(1),
)
for each in answer["texts"].numpy():
    print(repr(each.decode()))

# How likely is it that a text begins so? The line of section 3 as it is, and mistreated.
words = text.split()
mistreated = [text, " ".join(words[::-1]), text.upper(), text[::-1]]
answer = exported.signatures["score"](texts=tf.constant(mistreated))
print()
for each, likelihood, count in zip(
    mistreated, answer["log_likelihoods"].numpy(), answer["tokens"].numpy(), strict=True
):
    print(f"{-likelihood / count:6.2f} nats a character: {each!r}")

# %% [markdown]
# `score` is a judge that nobody has trained as one. The line as it is is the likeliest; its words
# in the wrong order are less likely, but not by much, since the model looks back a few words at
# most. In capitals or letter by letter backward it is nothing that the model has ever read. The
# same weights can begin a classifier: see "Transfer" in the README.
#
# ## Try it yourself
#
# **1.** Somebody's model of sub-words has a perplexity of 30, and its sub-words have 2.5 characters
# on the average. Is it better than ours?
#
# <details markdown="1"><summary>Answer</summary>
#
# No. A perplexity is by token, so that two models can only be compared if their tokens are the
# same. By the character it needs $\log_2(30) / 2.5 = 1.96$ bits, and ours, in the table above,
# fewer. **Bits per character** are the same question to all models of a text: how many bits does an
# ideal compressor need for it?
#
# </details>
#
# **2.** `predict --interactive` offers the likeliest characters. Write a line with it, and count
# how often the likeliest one was yours.
#
# <details markdown="1"><summary>Answer</summary>
#
# There is no right answer, but one to compare with: a model with $b$ bits a character is, on the
# average, as unsure as if it chose among $2^b$ characters (section 3). Within words you will take
# its first offer most of the time, at their beginning seldom: the picture of the bits of each
# character shows the same.
#
# </details>
#
# **3.** The function `write` by hand reads all of the text anew for each character. How many steps
# does it take for a text of 200 characters, and how many if the state is handed on?
#
# <details markdown="1"><summary>Answer</summary>
#
# For the first character it takes one step, for the second two, for the last 200: $200 \cdot 201 /
# 2 = 20100$ steps. With the state handed on a step reads one character: 200 in all. The longer the
# text, the larger the difference; it is the reason for `initial_states` and the signature of `step`
# in the suite's model.
#
# </details>
#
# **4.** Train on your own texts: `--dataset FOLDER`.
#
# <details markdown="1"><summary>Answer</summary>
#
# A folder of text files, each of them a text; a part is put aside for validation. Some hundred
# thousand characters are the least for words that look like words: the manual here has four hundred
# thousand. Begin with the options of section 3 and watch the validation loss: when it rises while
# that of the training falls, the model learns your texts by heart (notebook 5).
#
# </details>
#
# ---
#
# ← [8 · Named entities](08_ner.ipynb)<br>
# → [10 · Translation](10_translation.ipynb)<br>
# [All notebooks](README.md)

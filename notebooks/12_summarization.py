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
# # 12 · Summarization
#
# **Time:** 5 minutes of the processor to run it<br>
# **You should know:** notebook 10<br>
# **Before:** [11 · Choosing a cell](11_choosing_a_cell.ipynb)<br>
# **Next:** [13 · Chat](13_chat.ipynb)
#
# A headline is a translation whose words mostly stand in the text already, and the ones that
# matter, the names, may stand nowhere else. This notebook adds one mechanism to the translator of
# notebook 10, and shows what it does:
#
# 1. **notices and headlines**: how much of a headline stands in its notice, and where,
# 2. a translator that **writes** names it has never read,
# 3. **copying**: two distributions and a gate, by hand,
# 4. the picture of **where each token came from**,
# 5. **coverage**: looking at the same place again,
# 6. **lead-1** and other summaries that learn nothing,
# 7. **lengths** as inputs of the SavedModel.

# %%
# The suite is three packages: `data` reads and prepares texts, `models` has layers and networks,
# `apps` the commands that train and use them.
import contextlib
import io
import os
import shlex
import sys
import tempfile
from itertools import pairwise
from pathlib import Path

from apps.commands.startup import import_tensorflow

import_tensorflow()  # without what it writes at its start
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

from apps.commands.main import main
from apps.config.options import override
from apps.plots import training  # noqa: F401 - it chooses how files are drawn; notebooks choose again
from apps.serving.answers import answer_by_length
from apps.summarization import APPLICATION, SummarizationPredictOptions
from apps.tasks.seq2seq.baselines import BASELINES
from data.batches.parallel import append_end
from data.text.special_tokens import START
from models.evaluation import generated_texts
from models.seq2seq.copying import coverage_loss

# %matplotlib inline

# The switch: "sample" trains offline on the notices that ship with the suite, for three epochs
# instead of ten; "full" reads the e-mails of AESLC from the folder DATA_DIR, which takes an hour;
# "tiny" only shows that everything runs.
SETTING = os.environ.get("NOTEBOOK_SETTING", "sample")
TINY = SETTING == "tiny"
DATASET = "aeslc" if SETTING == "full" else "sample"
DATA_DIR = str(Path(os.environ["DATA_DIR"]).resolve()) if SETTING == "full" else None
OPTIONS = {
    "tiny": ["--epochs", "1", "--units", "4", "--embedding-dim", "4", "--batch-size", "256"],
    "sample": ["--epochs", "3"],
    "full": ["--dataset", DATASET, "--data-dir", DATA_DIR],
}[SETTING]
FOLDER = Path(tempfile.mkdtemp())

plt.rcParams.update({"figure.figsize": (8, 3), "figure.constrained_layout.use": True})


def command(*arguments, quiet=False):
    """What `python -m apps.summarization` does, in a folder for this notebook."""
    shown = [Path(each).name if Path(each).is_absolute() else each for each in arguments]
    print(f"$ python -m apps.summarization {shlex.join(shown)}\n")
    out = io.StringIO() if quiet else sys.stdout
    with contextlib.chdir(FOLDER), contextlib.redirect_stdout(out):
        main(APPLICATION, list(arguments))


# %% [markdown]
# ## 1. Notices and headlines
#
# The sample has 4,680 notices of an invented town, with a headline each:

# %%
config = override(APPLICATION.recipe(DATASET), {"data_dir": DATA_DIR})
corpus = config.read_corpus(APPLICATION.sample)
train, test = corpus.split("train"), corpus.split("test").take(range(10 if TINY else 200))
for notice, headline in test.take(range(3)):
    print(f"{notice}\n    → {headline}\n")


def words_of(text):
    """The words of a text in small letters, without signs."""
    return [word.strip(".,:;!?()'\"").lower() for word in text.split()]


known = {word for text in train.translations for word in words_of(text)}


def names_in(headline, notice):
    """The words of a headline that no headline of the training has, and that its notice has."""
    return [w for w in words_of(headline) if w not in known and w in words_of(notice)]


pairs = [(words_of(headline), words_of(notice)) for notice, headline in test]
total = sum(len(headline) for headline, _ in pairs)
inside = [
    (notice.index(w), len(notice)) for headline, notice in pairs for w in headline if w in notice
]
new = [names_in(headline, notice) for notice, headline in test]
print(f"words of the headlines that their notices have: {len(inside) / total:.0%}")
print(f"of them in the first third of the notice: {np.mean([at < n / 3 for at, n in inside]):.0%}")
print(f"headlines with a word that the training has in none: {np.mean([bool(n) for n in new]):.0%}")

# %% [markdown]
# Most of a headline can be found in its notice, and it need not stand at the beginning: some
# notices begin with a greeting, or with what does not matter.
#
# ## 2. A translator writes names
#
# First the translator of notebook 10 as it is, from notices to headlines. Each word is written out
# of one vocabulary of word pieces, so that it *can* spell a name it has never read. But each piece
# has to pass through states that have learned to tell known words from each other. Beside it the
# same model with the mechanism of the next section:

# %%
PLAIN, COPYING = ("copying", "copying") if TINY else ("plain", "copying")
if not TINY:
    command("train", "--run", "runs/plain", "--no-copy", *OPTIONS, quiet=True)
command("train", "--run", "runs/copying", *OPTIONS, quiet=True)

# %%
tasks = {
    name: APPLICATION.trained(FOLDER / "runs" / name) for name in dict.fromkeys((PLAIN, COPYING))
}


graphs = {}


def headlines(name, texts, **options):
    """What a model makes of texts, with options as `predict` has them."""
    tasks[name].set_options(SummarizationPredictOptions(**options))
    # Traced once for all calls.
    graph = graphs.setdefault((name, str(options)), tasks[name].serving().serve)
    return [row["summary"] for row in answer_by_length(tasks[name], graph, list(texts))]


def names_right(written):
    """The share of new names that the headlines have which should have them."""
    found = [
        name in words_of(text) for text, names in zip(written, new, strict=True) for name in names
    ]
    return np.mean(found or [0.0])


written = {name: headlines(name, test.texts) for name in tasks}
for name, texts in written.items():
    scores = generated_texts.main_scores(config.metrics, texts, test.translations)
    print(f"{name:8} ROUGE-L {scores['rouge_l']:5.1f}   new names right: {names_right(texts):.0%}")
with_names = [row for row, names in enumerate(new) if names][:5] or [0]
for row in with_names:
    print(f"\nshould be: {test.translations[row]}")
    for name, texts in written.items():
        print(f"{name:>9}: {texts[row]}")

# %% [markdown]
# The plain translator gets most names right: attention shows it the pieces, and it has learned to
# write what it looks at. But four in ten are wrong, and they look like names: "Drinholt Road" for
# "Lanternholt Road". Headlines of this kind are worse than none, because nobody sees that they are
# wrong. The model that copies makes fewer mistakes with names (74 % are right). After three epochs
# it still makes others: "Survey on the ice r".
#
# ## 3. Copying
#
# The attention looks at the word that comes next anyway. So it may as well point: with the
# probability $1 - g$ the next token is not written, but **copied** from where the attention $a$
# looks (the pointer-generator of See et al. 2017; `models/seq2seq/copying.py`):
#
# $$p(w) = g\, \operatorname{softmax}(o)_w + (1 - g) \sum_{s:\, x_s = w} a_s, \qquad
# g = \sigma(v^\top h + b)$$
#
# The gate $g$ is learned like everything else: nobody says which words are copied. All headline
# tokens at once, with the shape behind each line:

# %%
task = tasks[COPYING]
model, tokenizer = task.model, task.tokenizers[0]
ROW = next((row for row in with_names if len(test.texts[row].split()) < 45), with_names[0])
NOTICE, HEADLINE = test.texts[ROW], written[COPYING][ROW]
print(NOTICE, "\n    →", HEADLINE)

x = append_end(tokenizer.encode(tf.constant([NOTICE]))).to_tensor()  # [1, S]
y = append_end(tokenizer.encode(tf.constant([HEADLINE]))).to_tensor()  # [1, T]
before = tf.concat([[[START]], y[:, :-1]], axis=1)  # [1, T], what each step has read

memory, states = model.encode(x)
h, a = model.decoder.decode_target(before, memory, states)  # [1, T, size], [1, T, S]
o = model.decoder.compute_logits(h)  # [1, T, V]
v, b = model.decoder.copying.gate.weights  # [size, 1], [1]

g = tf.sigmoid(h @ v + b)[0].numpy()  # [T, 1]
softmax = tf.nn.softmax(o)[0].numpy()  # [T, V]
by_writing = g * softmax  # [T, V]
by_copying = np.zeros_like(by_writing)  # [T, V]
for s, token in enumerate(x[0].numpy()):
    by_copying[:, token] += (1 - g[:, 0]) * a[0, :, s].numpy()
p = by_writing + by_copying  # [T, V], rows sum to 1

theirs = tf.exp(model({"token_ids": x, "target_ids": before}))[0].numpy()
print(f"\nlargest difference from the suite's own: {np.abs(p - theirs).max():.0e}")
assert np.allclose(p, theirs, atol=1e-5) and np.allclose(p.sum(axis=1), 1, atol=1e-4)

# %% [markdown]
# The four likeliest tokens before three steps of this headline: the least certain one, the one that
# is copied most, and the one that is written most, which here is the first token again. Until the
# kind of headline is chosen, many are possible, and all are written. After "No parking in" only one
# token will do, and it is copied.


# %%
def pieces(ids):
    """Tokens as strings; ␣ is a space."""
    return [t.decode().replace(" ", "␣") for t in tokenizer.tokens(tf.constant(ids)).numpy()]


ids = y[0].numpy()
steps = np.arange(len(ids))
share = by_copying[steps, ids] / p[steps, ids]  # [T], of each token that is copied
chosen = [int(p[steps, ids].argmin()), int(share.argmax()), int(share.argmin())]
figure, axes = plt.subplots(1, 3, figsize=(10, 2.6))
for panel, t in zip(axes, chosen, strict=True):
    best = np.argsort(-p[t])[:4]
    panel.barh(range(4), by_writing[t, best], color="C0", label="written")
    panel.barh(range(4), by_copying[t, best], left=by_writing[t, best], color="C1", label="copied")
    panel.set_yticks(range(4), pieces(best), parse_math=False)
    panel.invert_yaxis()
    panel.set(xlim=(0, 1), xlabel="probability")
    panel.set_title(
        f"after “{''.join(pieces(ids[:t])).replace('␣', ' ').strip()[-22:]}”", fontsize=10
    )
axes[0].legend(loc="lower right")
plt.show()

# %% [markdown]
# ## 4. Where each token came from
#
# The mixture is a sum, so that each token's probability can be divided among its origins: the
# vocabulary, and the places of the notice where the same token stands:
#
# $$P(\text{from place } s \mid y_t) = \frac{(1 - g_t)\, a_{ts}\, [x_s = y_t]}{p(y_t)}, \qquad
# P(\text{from the vocabulary} \mid y_t) = \frac{g_t\, \operatorname{softmax}(o_t)_{y_t}}{p(y_t)}$$
#
# Above is the attention, as in notebook 10; below the origins, whose rows sum to 1. The last column
# is the vocabulary:

# %%
same = x[0].numpy()[None, :] == ids[:, None]  # [T, S]
origin = (1 - g) * a[0].numpy() * same / p[steps, ids][:, None]  # [T, S]
origin = np.concatenate([origin, 1 - share[:, None]], axis=1)  # [T, S + 1]
assert np.allclose(origin.sum(axis=1), 1, atol=1e-4)

labels = pieces(x[0].numpy())
figure, (top, bottom) = plt.subplots(2, 1, figsize=(12, 7.6))
for panel, weights, names, title in (
    (top, a[0].numpy(), labels, "attention: where it looks"),
    (bottom, origin, [*labels, "vocabulary"], "origin: where each token came from"),
):
    image = panel.imshow(weights, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    panel.set_xticks(range(len(names)), names, rotation=90, fontsize=8, parse_math=False)
    panel.set_yticks(range(len(ids)), pieces(ids), fontsize=8, parse_math=False)
    panel.set_title(title, fontsize=10)
panel.get_xticklabels()[-1].set_color("C3")
panel.axvline(len(labels) - 0.5, color="C3", linewidth=1)
figure.colorbar(image, ax=(top, bottom), shrink=0.6)
plt.show()

# %% [markdown]
# The pieces of the names have dark squares in their own columns, one after the other: a name is
# copied piece by piece, and each piece is found behind the one before. The words of a kind of
# headline come from the vocabulary, some of them although they stand in the notice, too: where both
# ways lead to the same word, the training has no reason to prefer one.
#
# `predict` says the same of whole words, and `--highlights` marks what was copied in the notice:

# %%
command("predict", NOTICE, "--run", "runs/copying", "--alignment", "--highlights")

# %% [markdown]
# ## 5. Coverage
#
# A headline that says a thing twice has looked at a place twice. See et al. add up where the
# attention has been, the **coverage** $c_t$, and make the training pay for looking there again:
#
# $$c_t = \sum_{t' < t} a_{t'}, \qquad
# L_{\text{coverage}} = \frac{1}{T} \sum_t \sum_s \min(a_{ts}, c_{ts})$$
#
# By hand for the headline above:

# %%
weights = a[0].numpy()  # [T, S]
covered = np.cumsum(weights, axis=0) - weights  # [T, S], before each step
again = np.minimum(weights, covered).sum(axis=1)  # [T]
theirs = float(coverage_loss(a, tf.constant([[True] * len(ids)])))
print(f"loss {again.mean():.3f}, the suite's own: {theirs:.3f}")
for token, value in zip(pieces(ids), again, strict=True):
    print(f"  {token:12} {value:5.2f} {'█' * round(20 * value)}")

# %% [markdown]
# With `--coverage` it is a part of the training's loss. A third model, with twice the weight of
# what [the page](../docs/applications/summarization.md) suggests. It is compared on how much it
# looks at places again, on pairs of words that a headline has twice (with `no_repeat_ngram` off,
# which forbids most of them in the search), and on its headlines:

# %%
COVERED = COPYING if TINY else "coverage"
if not TINY:
    command("train", "--run", "runs/coverage", "--coverage", "1", *OPTIONS, quiet=True)
tasks[COVERED] = APPLICATION.trained(FOLDER / "runs" / COVERED)


def repeated(texts):
    """The share of texts that have a pair of words twice."""
    pairs = [list(pairwise(words_of(text))) for text in texts]
    return np.mean([len(set(each)) < len(each) for each in pairs])


sample = test.take(range(min(64, len(test))))
x_all = append_end(tokenizer.encode(tf.constant(sample.texts))).to_tensor()
y_all = append_end(tokenizer.encode(tf.constant(sample.translations))).to_tensor()
shifted = tf.concat([tf.fill([len(sample), 1], START), y_all[:, :-1]], axis=1)
for name in dict.fromkeys((COPYING, COVERED)):
    weights = tasks[name].model.attention_weights(x_all, shifted)
    loss = coverage_loss(weights, y_all != 0)
    texts = headlines(name, test.texts, **({} if TINY else {"no_repeat_ngram": 0}))
    scores = generated_texts.main_scores(config.metrics, texts, test.translations)
    print(
        f"{name:9} looks again: {float(loss):.3f}   pairs twice: {repeated(texts):.1%}   "
        f"ROUGE-L {scores['rouge_l']:.1f}"
    )

# %% [markdown]
# The loss does what it says: the attention looks again half as much. But there was little to gain.
# Headlines are short, and few of them say anything twice with or without it. What it costs is
# attention that had a reason to return, and three points of ROUGE-L in this one run. So it is off
# by default; in the long summaries of See et al., where whole sentences came back, it was the
# remedy.
#
# ## 6. Summaries that learn nothing
#
# Before one believes in a model, one compares it with the first sentence of each text (**lead-1**),
# which is hard to beat in newspapers, where it was written to be one; with the first three; and
# with the headline of the most similar notice of the training:

# %%
others = {
    name: BASELINES[name](train, test.texts)
    for name in ("lead-1", "lead-3", "nearest training text")
}
print(f"{'':24} ROUGE-1  ROUGE-2  ROUGE-L")
for name, texts in {**others, **written}.items():
    scores = generated_texts.main_scores(config.metrics, texts, test.translations)
    cells = "  ".join(f"{scores[f'rouge_{n}']:7.1f}" for n in ("1", "2", "l"))
    print(f"{name:24} {cells}")

# %% [markdown]
# The first sentence of a notice may be a greeting, so that lead-1 is weak here; e-mails are another
# matter ([results](../docs/results/summarization.md)). The nearest notice is of the same kind most
# of the time, and its headline has the right words around the wrong names. To be better than both,
# a model has to know the kind and to take the names from the text.
#
# What is like none of its notices, the model does not know how to sum up:

# %%
OTHERS = [
    "Dear residents, the lift in Tower B will not run on Wednesday. It gets a new motor.",
    "Interest rates rose by a quarter of a point on Thursday. Banks expect two more steps.",
    "The cat sat on the mat. It was a sunny day, and the mat was warm.",
]
for text, headline in zip(OTHERS, headlines(COPYING, OTHERS), strict=True):
    print(f"{text}\n    → {headline}\n")

# %% [markdown]
# It takes each of them for the notice that it resembles, and copies what stands where a name would
# be, even from the middle of a word ("Tuarter" from "quarter"). A model that copies is right about
# words and can be wrong about everything else.
#
# ## 7. The SavedModel
#
# The mixture is part of the graph. Besides `serving_default` and `with_attention` there is
# `with_lengths`, which takes the limits of an answer as scalars:

# %%
if not TINY:  # a graph of its own takes longer than all the rest
    command("export", "--run", "runs/copying", "--output", "exported/summarization")
    exported = tf.saved_model.load(FOLDER / "exported" / "summarization" / "1")
    for shortest, longest in ((0, 30), (0, 4), (20, 30)):
        answer = exported.signatures["with_lengths"](
            texts=tf.constant([NOTICE]),
            min_length=tf.constant(shortest),
            max_length=tf.constant(longest),
            no_repeat_ngram=tf.constant(3),
            length_penalty=tf.constant(0.8),
        )
        text, score = answer["summaries"].numpy()[0].decode(), float(answer["scores"][0])
        print(f"{shortest:2} to {longest} tokens {score:7.2f}  {text}")

# %% [markdown]
# A limit is not a wish: with four tokens the headline is cut inside the name, and with twenty it
# has to say something after it has said all. The training has no headlines of these lengths.
#
# ## Try it yourself
#
# **1.** With one vocabulary of *words*, See et al. need ids beyond the vocabulary for the unknown
# words of each text. Why does the code above need none?
#
# <details markdown="1"><summary>Answer</summary>
#
# Its vocabulary has pieces of words down to single bytes, the same for both sides. A word that no
# text of the training has is several known tokens, and each of them can be copied. The price is in
# the picture of section 4: what would be one step is four or five, and each of them can go wrong.
#
# </details>
#
# **2.** What is the gradient of $-\log p(w)$ with respect to $g$, and when does the gate open?
#
# <details markdown="1"><summary>Answer</summary>
#
# With $V = \operatorname{softmax}(o)_w$ and $C = \sum_{s: x_s = w} a_s$ it is
# $-(V - C) / p(w)$. Where the attention finds the token better than the vocabulary does ($C > V$),
# $g$ falls, and the token is copied more. Where the notice does not have it, $C = 0$ and $g$ rises.
# Both grow by $1 / p(w)$: rare names, which are improbable at first, push hardest. And through $C$
# the attention itself is told which place was right, which is why it is so sharp.
#
# </details>
#
# **3.** Which tokens of the headline in section 5 look again, and is that a mistake?
#
# <details markdown="1"><summary>Answer</summary>
#
# Nearly all of it is the "in", which looks where "parking" has looked: at the "in" behind that word
# in the notice. Both are right: "parking" is written from the vocabulary, and what stands behind it
# tells the model that this is the kind of headline. So the loss punishes a look that did no harm.
# What it is meant for is a name that is copied twice, whose pieces would all have long bars.
#
# </details>
#
# **4.** Train on your own texts: `--dataset articles.jsonl --source body --target title`.
#
# <details markdown="1"><summary>Answer</summary>
#
# A few thousand pairs of one kind are enough if the titles follow patterns, as here. `train` says
# how many texts are cut at `--max-source-length` and what share of all tokens is left; if what
# titles speak of stands at the end, raise it. Then compare with lead-1 by `evaluate --baseline`.
#
# </details>
#
# ---
#
# ← [11 · Choosing a cell](11_choosing_a_cell.ipynb)<br>
# → [13 · Chat](13_chat.ipynb)<br>
# [All notebooks](README.md)

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
# # 10 · Translation
#
# **Time:** 5 minutes of the processor to run it<br>
# **You should know:** notebooks 5 and 9<br>
# **Before:** [9 · Text generation](09_text_generation.ipynb)<br>
# **Next:** [11 · Choosing a cell](11_choosing_a_cell.ipynb)
#
# One network reads a sentence, another one writes it in another language. This notebook shows what
# passes between them:
#
# 1. a **toy language** that can be learned in seconds,
# 2. encoder and decoder, and the **bottleneck** between them, by the length of the sentence,
# 3. **attention**, and the picture of where a word looked,
# 4. four ways to **score** (additive, dot, general, concat),
# 5. **local** attention: a window, which moves along or is predicted,
# 6. **self-attention** in the encoder,
# 7. English to French: what 400 sentences teach, and what 7,049 do,
# 8. **beam search**, hypothesis by hypothesis,
# 9. the **export**.

# %%
# The suite is three packages: `data` reads and prepares texts, `models` has layers and networks,
# `apps` the commands that train and use them. `diagrams` lies beside the notebooks.
import collections
import contextlib
import dataclasses
import io
import os
import re
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
from diagrams import draw_encoder_decoder
from IPython.display import Image, display

from apps.commands.main import main
from apps.config.options import override
from apps.plots import translation as translation_pictures
from apps.serving.answers import answer_by_length
from apps.tasks.seq2seq.alignment import Alignment
from apps.tasks.seq2seq.config import TranslationPredictOptions
from apps.tasks.seq2seq.task import Seq2Seq
from apps.training import fit
from apps.translation import APPLICATION
from data.batches.parallel import append_end
from data.examples.parallel import Pair, ParallelCorpus, ParallelTexts
from data.registry import SAMPLES
from data.text.special_tokens import END, START
from models.decoding.beam_search import beam_search
from models.evaluation import translation as translation_report

# %matplotlib inline

# The switch: "sample" runs offline in two or three minutes; "full" trains the toys for longer and
# the translator on Multi30k from the folder DATA_DIR, which takes long; "tiny" only shows that
# everything runs.
SETTING = os.environ.get("NOTEBOOK_SETTING", "sample")
TINY = SETTING == "tiny"
PAIRS = {"tiny": 100, "sample": 3000, "full": 20_000}[SETTING]
LONGEST = 14  # words of a sentence
EPOCHS = {"tiny": 1, "sample": 8, "full": 20}[SETTING]
DATASET = "multi30k" if SETTING == "full" else "sample"
DATA_DIR = str(Path(os.environ["DATA_DIR"]).resolve()) if SETTING == "full" else None
OPTIONS = {
    "tiny": ["--epochs", "1", "--units", "8", "--embedding-dim", "8", "--batch-size", "128"],
    "sample": ["--epochs", "5"],
    "full": ["--dataset", DATASET, "--data-dir", DATA_DIR],
}[SETTING]
FOLDER = Path(tempfile.mkdtemp())

plt.rcParams.update({"figure.figsize": (7, 3), "figure.constrained_layout.use": True})


def command(*arguments, quiet=False):
    """What `python -m apps.translation` does, in a folder for this notebook."""
    shown = [Path(each).name if Path(each).is_absolute() else each for each in arguments]
    print(f"$ python -m apps.translation {shlex.join(shown)}\n")
    out = io.StringIO() if quiet else sys.stdout
    with contextlib.chdir(FOLDER), contextlib.redirect_stdout(out):
        main(APPLICATION, list(arguments))


# %% [markdown]
# ## 1. A language in the mirror
#
# Real languages need hundreds of thousands of sentences. To see how the parts work, a made-up one
# is better: the sentence in a mirror. Each word is written backward, and the words stand in the
# opposite order. A translator has to learn a dictionary and where to look, but no grammar. Its
# words are the most frequent ones of the English sample:

# %%
lines = (SAMPLES / "translation.tsv").read_text(encoding="utf-8").splitlines()[1:]
counts = collections.Counter(
    word for line in lines for word in re.findall("[a-z]+", line.split("\t")[0].lower())
)
WORDS = [word for word, _ in counts.most_common(60) if len(word) > 2][:24]
generator = np.random.default_rng(0)


def mirrored(pairs, longest, same_order=False):
    """A corpus of random sentences and what the mirror makes of them; 400 of them are new."""
    rows = {}
    while len(rows) < pairs + HELD_OUT:
        words = generator.choice(WORDS, generator.integers(1, longest + 1))
        order = words if same_order else words[::-1]
        rows[" ".join(words)] = " ".join(word[::-1] for word in order)
    rows = [Pair(*row) for row in rows.items()]
    splits = {"train": ParallelTexts(rows[HELD_OUT:]), "test": ParallelTexts(rows[:HELD_OUT])}
    return ParallelCorpus.from_splits("toy", ("plain", "mirror"), splits)


HELD_OUT = 20 if TINY else 400
mirror = mirrored(PAIRS, LONGEST)
short = mirrored(PAIRS * 2 // 3, 8)
same_order = mirrored(PAIRS * 2 // 3, 8, same_order=True)
for source, target in mirror.split("train").take(range(4)):
    print(f"{source}\n    → {target}")

# %% [markdown]
# ## 2. The bottleneck
#
# The **encoder** reads the source both ways; the **bridge** turns its last states into the first
# state of the **decoder**, which is a language model of the target (notebook 9) that begins there
# (Sutskever et al. 2014; `models/seq2seq/encoder_decoder.py`, `models/layers/initial_states.py`,
# `models/seq2seq/decoder.py`):
#
# $$h_i = [\,\overrightarrow{h}_i,\ \overleftarrow{h}_i\,], \qquad
# s_0 = \tanh\!\big(W_b\,[\,\overrightarrow{h}_S,\ \overleftarrow{h}_1\,]\big), \qquad
# s_t = \mathrm{cell}(y_{t-1}, s_{t-1}), \qquad
# p(y_t) = \mathrm{softmax}\!\big(O \tanh(W s_t)\big)$$
#
# Whatever the length of the sentence: all that the decoder knows of it is the vector $s_0$. With
# **attention** it may look at all $h_i$ again, before each word:

# %%
toy = (["can", "she", "have"], ["evah", "ehs", "nac"])
figure, (top, bottom) = plt.subplots(2, 1, figsize=(8.5, 6.4), height_ratios=(3, 4.3))
draw_encoder_decoder(top, *toy, title="without attention")
draw_encoder_decoder(bottom, *toy, attention=(0.1, 0.8, 0.1), title="with attention, second word")
plt.show()

# %% [markdown]
# The same model without and with attention, and how good its translations are by the length of the
# sentence:

# %%
TOY = dataclasses.replace(
    APPLICATION.config(),
    tokenizer="words",
    cell="gru",
    units=8 if TINY else 48,
    embedding_dim=8 if TINY else 32,
    epochs=EPOCHS,
    learning_rate=5e-3,
    dropout=0.0,
    word_dropout=0.0,
    label_smoothing=0.0,
    average_weights=0.0,
    beam_width=1,
)


def train_toy(corpus, **options):
    """A translator of a toy language, the answers to its new sentences, and their figures."""
    if TINY:  # one for all pictures
        if toys:
            return toys["general"]
        options = {"attention": "local-p", "encoder_self_attention": True}
    config = dataclasses.replace(TOY, **options)
    keras.utils.set_random_seed(config.seed)
    with contextlib.redirect_stdout(io.StringIO()):
        task = Seq2Seq.build(config, corpus)
        batches, loss = task.training_data(corpus)
    task.model.compile(fit.optimizer(config, batches.steps(0)), loss)
    for epoch in range(config.epochs):
        task.model.fit(batches.dataset(epoch), shuffle=False, verbose=0)
    task.set_options(TranslationPredictOptions(alignment=config.attention != "none"))
    new = corpus.split("test")
    answers = answer_by_length(task, task.serving().serve, [SENTENCE, *new.texts])
    written = [answer["translation"] for answer in answers[1:]]
    return (
        task,
        answers,
        translation_report.translation_report(written, new.translations, new.texts),
    )


SENTENCE = " ".join(WORDS[3:11])  # for the pictures
toys, curves = {}, {}
for attention in ["general"] if TINY else ["none", "general"]:
    toys[attention] = train_toy(mirror, attention=attention)
    figures = toys[attention][-1]
    curves[f"attention: {attention}"] = figures["by_length"]
    print(f"attention {attention:8} BLEU of new sentences: {figures['bleu']:5.1f}")
translation_pictures.bleu_by_length(curves, FOLDER / "bleu_by_length.png")
display(Image(filename=FOLDER / "bleu_by_length.png", width=560))

# %% [markdown]
# BLEU counts the runs of one to four words that a translation shares with the true one; 100 is
# perfect. (`evaluate` prints it by length, too, and draws this picture.) With attention the length
# of a sentence hardly makes a difference here. Without, a few words fit into the vector, and the
# more there are, the less of each is left. A longer training and more units move the bottleneck,
# but do not remove it.
#
# ## 3. Where a word looks
#
# $$\alpha_{ti} = \frac{\exp \mathrm{score}(s_t, h_i)}{\sum_j \exp \mathrm{score}(s_t, h_j)}, \qquad
# c_t = \sum_i \alpha_{ti}\, h_i, \qquad
# p(y_t) = \mathrm{softmax}\!\big(O \tanh(W [\,s_t,\ c_t\,])\big)$$
#
# The weights $\alpha$ are a picture: each row is a word of the translation, and shows which words
# of the source it was made from. `predict --alignment` tells it in words and draws it:

# %%
aligned = toys["general"][1][0]["alignment"]  # of SENTENCE
aligned.draw(FOLDER / "alignment.png")
display(Image(filename=FOLDER / "alignment.png", width=460))

# %% [markdown]
# Nobody has told the network that the order is reversed: the diagonal is what it found useful. Now
# and then some weight lies beside it. An encoder that reads both ways knows a word at its
# neighbours, too, so that a neighbour may do as well.
#
# ### By hand
#
# All of it line by line, with the shape behind each line: encoder, attention by Bahdanau's score,
# decoder, training, and a greedy translation. It learns the toy from short sentences:

# %%
keras.utils.set_random_seed(1)
task = toys["general"][0]
source_tokenizer, target_tokenizer = task.tokenizers
SOURCE, TARGET = source_tokenizer.vocabulary_size, target_tokenizer.vocabulary_size
U = TOY.units
embed_source = keras.layers.Embedding(SOURCE, 32)
read_both_ways = keras.layers.Bidirectional(
    keras.layers.GRU(U, return_sequences=True, return_state=True)
)
bridge = keras.layers.Dense(U, "tanh")
embed_target, cell = keras.layers.Embedding(TARGET, 32), keras.layers.GRUCell(U)
ask, offer, rate = (keras.layers.Dense(size, use_bias=False) for size in (U, U, 1))
join, choose = keras.layers.Dense(U, "tanh"), keras.layers.Dense(TARGET)
layers = [embed_source, read_both_ways, bridge, embed_target, cell, ask, offer, rate, join, choose]


def encode(ids):
    """The states of the words, and the first state of the decoder; ids [texts, S]."""
    x = embed_source(ids)  # [texts, S, 32]
    h, last, first = read_both_ways(x, mask=ids != 0)  # [texts, S, 2U], [texts, U], [texts, U]
    return h, bridge(tf.concat([last, first], axis=1))  # [texts, S, 2U], [texts, U]


def decode(y, s, h, is_word):
    """A step: scores of the next word, the new state, the weights; y <int32>[texts]."""
    s, _ = cell(embed_target(y), [s])  # [texts, U]
    scores = rate(tf.tanh(ask(s)[:, None] + offer(h)))[..., 0]  # [texts, S]
    weights = tf.nn.softmax(tf.where(is_word, scores, -1e9))  # [texts, S], rows sum to 1
    c = tf.reduce_sum(weights[..., None] * h, axis=1)  # [texts, 2U], the mean of what is looked at
    return choose(join(tf.concat([s, c], axis=1))), s, weights  # [texts, TARGET], [texts, U]


def loss_of(ids, targets):
    """The mean loss of a word; targets [texts, T], 0 where padded."""
    h, s = encode(ids)
    y = tf.fill([len(ids)], START)  # [texts]
    total = 0.0
    for t in range(targets.shape[1]):
        scores, s, _ = decode(y, s, h, ids != 0)
        y = targets[:, t]  # [texts], the true word is what the next step reads
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y, scores)  # [texts]
        total += tf.reduce_sum(tf.where(y != 0, losses, 0.0))
    return total / tf.reduce_sum(tf.cast(targets != 0, tf.float32))


pairs = short.split("train")
ids = append_end(source_tokenizer.encode(tf.constant(pairs.texts))).to_tensor()
targets = append_end(target_tokenizer.encode(tf.constant(pairs.translations))).to_tensor()
optimizer = keras.optimizers.Adam(5e-3, global_clipnorm=1.0)
loss_of(ids[:2], targets[:2])  # builds the layers
variables = [variable for layer in layers for variable in layer.trainable_variables]
optimizer.build(variables)


def learn(ids, targets):
    with tf.GradientTape() as tape:
        loss = loss_of(ids, targets)
    gradients = tape.gradient(loss, [variable.value for variable in variables])
    optimizer.apply([tf.convert_to_tensor(gradient) for gradient in gradients], variables)
    return loss


step = learn if TINY else tf.function(learn)
order = np.random.default_rng(0)
for epoch in range(EPOCHS):
    rows = order.permutation(len(ids))[: 16 if TINY else None]
    batches = [rows[at : at + 50] for at in range(0, len(rows) - len(rows) % 50 or 1, 50)]
    each = [float(step(tf.gather(ids, b), tf.gather(targets, b))) for b in batches]
    if epoch in (0, 1, 3, 7):
        print(f"epoch {epoch + 1}: loss of a word {np.mean(each):.3f}")

ids = append_end(source_tokenizer.encode(tf.constant([SENTENCE]))).to_tensor()  # [1, S]
h, s = encode(ids)
y, source = START, [*SENTENCE.split(), "<end>"]
print(f"\n{SENTENCE}")
for _ in range(12):
    scores, s, weights = decode(tf.constant([y]), s, h, ids != 0)
    y = int(tf.argmax(scores[0]))
    if y == END:
        break
    word = target_tokenizer.tokens(tf.constant([y])).numpy()[0].decode().strip()
    print(f"    {word:8} looks at {source[int(tf.argmax(weights[0]))]}")

# %% [markdown]
# The suite has the same parts, batches by length, beams, and more than one score.
#
# ## 4. Four scores
#
# $$\begin{aligned}
# \text{additive (Bahdanau et al. 2015):}\quad & a^\top \tanh(W s_t + U h_i + b)\\
# \text{dot (Luong et al. 2015):}\quad & s_t^\top h_i\\
# \text{general:}\quad & s_t^\top W h_i\\
# \text{concat:}\quad & a^\top \tanh(W [\,s_t,\ h_i\,])
# \end{aligned}$$
#
# (`models/attention/global_attention.py`.) The first picture is that of the model above; the others
# have learned from fewer and shorter sentences:


# %%
def draw(panel, found, title):
    """A heat map of an `apps.tasks.seq2seq.alignment.Alignment`."""
    panel.imshow(found.weights, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    panel.set_xticks(range(len(found.source)), found.source, rotation=90, fontsize=8)
    panel.set_yticks(range(len(found.target)), found.target, fontsize=8)
    panel.set_title(title, fontsize=10)


GLOBAL = ["general"] if TINY else ["general", "additive", "dot", "concat"]
figure, axes = plt.subplots(1, len(GLOBAL), figsize=(3 * len(GLOBAL), 3.2), squeeze=False)
for panel, attention in zip(axes[0], GLOBAL, strict=True):
    if attention not in toys:
        toys[attention] = train_toy(short, attention=attention)
    _, answers, figures = toys[attention]
    draw(panel, answers[0]["alignment"], f"{attention}: BLEU {figures['bleu']:.1f}")
plt.show()

# %% [markdown]
# ## 5. A window
#
# Global attention scores every word of the source for every word of the target. **Local** attention
# (Luong et al. 2015, `models/attention/local_attention.py`) looks at $2D + 1$ of them, around a
# position $p_t$:
#
# - **local-m** (monotonic): $p_t = t$. Both sentences run side by side.
# - **local-p** (predictive): the decoder says where,
#   $p_t = (S - 1)\,\sigma\big(a^\top \tanh(W_p s_t)\big)$, and a Gaussian of deviation $D / 2$
#   favours the middle:
#   $\alpha_{ti} = \mathrm{softmax}_i(\mathrm{score}) \cdot
#   \exp\!\big(-\tfrac{(i - p_t)^2}{2 (D/2)^2}\big)$
#
# In a mirror local-m looks at the wrong end. So it gets a second task: words backward as before,
# but in the same order. The red line is $p_t$, the dotted ones are the window ($D = 2$):


# %%
D = 2  # positions on either side


def middles(task, found):
    """<float>[target], where the windows of a translation stand."""
    attention, last = task.model.decoder.attention, len(found.source) - 1
    if not hasattr(attention, "position"):
        return np.minimum(np.arange(len(found.target)), last)
    source, target = task.tokenizers
    _, states = task.model.encode(append_end(source.encode(tf.constant([SENTENCE]))).to_tensor())
    ids = target.encode(tf.constant([" ".join(found.target)])).to_tensor()
    ids = tf.concat([[[START]], ids], axis=1)[:, : len(found.target)]
    vectors = task.model.decoder.embed_target(ids, training=False)
    queries, _ = task.model.decoder.stack(vectors, initial_state=states)
    return last * attention.position(attention.position_projection(queries))[0, :, 0].numpy()


LOCAL = {
    "local-m, mirror": ("local-m", short),
    "local-m, same order": ("local-m", same_order),
    "local-p, mirror": ("local-p", short),
}
if TINY:
    del LOCAL["local-m, mirror"], LOCAL["local-m, same order"]
figure, axes = plt.subplots(1, len(LOCAL), figsize=(3.4 * len(LOCAL), 3.2), squeeze=False)
for panel, (title, (attention, corpus)) in zip(axes[0], LOCAL.items(), strict=True):
    task, answers, figures = train_toy(corpus, attention=attention, attention_window=D)
    found = answers[0]["alignment"]
    draw(panel, found, f"{title}: BLEU {figures['bleu']:.1f}")
    p, steps = middles(task, found), np.arange(len(found.target))
    panel.plot(p, steps, color="C3", linewidth=1)
    for side in (-D, D):
        panel.plot(p + side, steps, color="C3", linewidth=1, linestyle=":")
    panel.set_xlim(-0.5, len(found.source) - 0.5)
plt.show()

# %% [markdown]
# In the same order local-m has what it needs, at the price of five scores a word. In the mirror it
# sees the right word only near the middle, where both orders cross; all others it must know from
# the bridge, or guess. Local-p starts without knowing where to look, too, but its $p_t$ is learned:
# the red line has turned by itself.
#
# ## 6. The encoder looks at itself
#
# With `--encoder-self-attention` each output of the encoder looks at all the others, and adds what
# it finds (Cheng et al. 2016; Vaswani et al. 2017, with one head;
# `models/attention/self_attention.py`):
#
# $$\alpha = \mathrm{softmax}\!\Big(\frac{(Q h)(K h)^\top}{\sqrt{d}}\Big), \qquad
# h' = h + O\,(\alpha\, V h)$$

# %%
task, answers, figures = train_toy(short, encoder_self_attention=True)
source_ids = append_end(task.tokenizers[0].encode(tf.constant([SENTENCE]))).to_tensor()
encoder = task.model.get_layer("encoder")
before = keras.Model(encoder.input, encoder.get_layer("recurrent").output[0])(source_ids)
weights = encoder.get_layer("self_attention").attention_weights(before)[0].numpy()
figure, (left, right) = plt.subplots(1, 2, figsize=(7.6, 3.4))
words = [*SENTENCE.split(), "<end>"]
draw(left, Alignment(words, words, weights), "encoder at itself")
draw(right, answers[0]["alignment"], f"decoder at encoder: BLEU {figures['bleu']:.1f}")
plt.show()

# %% [markdown]
# Here there is little to find: what a word becomes depends on no other word, and so the encoder
# mostly looks at the word itself. Self-attention is worth something where words far apart belong
# together, a verb and its subject, a pronoun and its noun. One looks at the picture before one
# believes in the option.
#
# ## 7. English to French
#
# Now the application as it is, twice. First with 400 pairs of the sample, and with all that fights
# against learning by heart (dropout, smoothed labels, averaged weights) switched off:

# %%
config = override(APPLICATION.recipe(DATASET), {"data_dir": DATA_DIR})
corpus = config.read_corpus(APPLICATION.sample)
few = corpus.split("train").take(range(50 if TINY else 400))


def write_pairs(path, pairs):
    """A table of pairs, as `--dataset` reads it."""
    lines = ["\t".join(row) for row in (corpus.languages, *pairs)]
    (FOLDER / path).write_text("\n".join(lines) + "\n", encoding="utf-8")


write_pairs("few.tsv", few)
write_pairs("validation.tsv", corpus.split("validation").take(range(10 if TINY else 100)))
if not TINY:
    regularisation = ["--dropout", "--word-dropout", "--label-smoothing", "--average-weights"]
    options = ["--dataset", "few.tsv", "--validation-file", "validation.tsv"]
    options += ["--tokenizer", "words", "--learning-rate", "3e-3"]
    options += ["--units", "128", "--embedding-dim", "128"]
    options += ["--batch-size", "16", "--epochs", "12", "--patience", "12", "--monitor", "chrf"]
    options += [each for name in regularisation for each in (name, "0")]
    command("train", "--run", "runs/few", *options, quiet=True)

# %% [markdown]
# Then with all pairs, by the recipe of the sample, which switches nothing off; five epochs instead
# of its ten have to do here:

# %%
command("train", "--run", "runs/all", *OPTIONS, quiet=True)

# %% [markdown]
# Both translate the same sentences: some that both have learned from, and some that are new to
# both. Beside them two that learn nothing: a copy of the source, and a **translation memory**,
# which answers with the translation of the nearest sentence that it has.

# %%
SOME = range(10 if TINY else 100)
test = corpus.split("test").take(SOME)
known_to = {"few": few, "all": corpus.split("train")}
tasks = {
    name: APPLICATION.trained(FOLDER / "runs" / name) for name in (["all"] if TINY else known_to)
}
written = {}
print(f"{'BLEU and chrF':30} {'learned':>12} {'new':>12}")
for name, task in tasks.items():
    cells = []
    for pairs in (few.take(range(min(len(few), len(SOME)))), test):
        answers = answer_by_length(task, task.serving().serve, pairs.texts)
        written[name] = [answer["translation"] for answer in answers]
        figures = translation_report.translation_metrics(written[name], pairs.translations)
        cells.append(f"{figures['bleu']:6.1f} {figures['chrf']:5.1f}")
    print(f"{f'translator, {len(known_to[name]):,} pairs':30} {cells[0]:>12} {cells[1]:>12}")
for name, train in known_to.items():
    memory = ParallelCorpus.from_splits(name, corpus.languages, {"train": train})
    for baseline, report in tasks["all"].evaluate_baselines(memory, test).items():
        if baseline != "copy" or name == "all":
            title = baseline if baseline == "copy" else f"{baseline}, {len(train):,} pairs"
            print(f"{title:30} {'':12} {report.metrics['bleu']:6.1f} {report.metrics['chrf']:5.1f}")
for number, (source, target) in enumerate(test.take(range(6))):
    print(f"\n{source}\n    should be: {target}")
    for name, answers in written.items():
        print(f"{f'{len(known_to[name]):,} pairs':>13}: {answers[number]}")

# %% [markdown]
# Four hundred pairs are learned by heart: those sentences come out nearly without a mistake, and
# new ones become words that begin rightly and have little to do with the source. The nearest
# sentence of a translation memory is no worse. The loss of the training goes on falling, and that
# of the validation split stays high, as in notebook 5. With 7,049 pairs of the same kind it is the
# other way round: the translator knows its training sentences less well, and comes close to most of
# the new ones, with more than twice the BLEU of the memory. After five epochs it still has gaps: a
# name that gets lost ("Emma"), and an article ("pas de temps", where French says "pas le temps"
# for this one noun). All this holds for sentences of one small domain; a language takes tens of
# thousands of pairs and more: "full" takes the 29,000 of Multi30k, or `--dataset` your own.
#
# Where does it look, in a sentence that it has never read?

# %%
NEW = next(text for text in test.texts if 8 <= len(text.split()) <= 10)
command("predict", NEW, "--run", "runs/all", "--alignment")
display(Image(filename=FOLDER / "alignment.png", width=460))

# %% [markdown]
# Nearly a dictionary: most words look at the one that they translate. "can't" is three words of
# French, and all three look at it; "n'a pas" looks at "doesn't" first and then at "have". Nobody
# has told the network which words belong together: weights are what was useful for the training.
#
# ## 8. Beam search
#
# The likeliest translation is not made of the likeliest words. **Beam search** keeps the $k$ best
# beginnings; each step continues all of them by all words and keeps the best $k$ of these:
#
# $$\mathrm{score}(y) = \frac{\log p(y \mid x)}{\big((5 + |y|) / 6\big)^{\alpha}}$$
#
# The divisor (Wu et al. 2016) keeps it from favouring what is short. We stop the search after each
# step and look at its beginnings, the best one on top. Each is joined with the one that it
# continues; what has no line to the right was thrown out:

# %%
K = 4
model, (tokenizer, of_target) = tasks["all"].model, tasks["all"].tokenizers
source_ids = append_end(tokenizer.encode(tf.constant([NEW]))).to_tensor()
memory, states = model.encode(source_ids)


def step(ids, state):
    logits, state = model.decoder.step(ids, state, memory)
    return logits, state


logits, state = step(tf.constant([START]), model.decoder.initial_state(states, None))
search = tf.function(
    lambda length: beam_search(step, logits, state, beam_width=K, max_length=length, end_id=END)
)
figure, panel = plt.subplots(figsize=(11, 3.2))
before = {(): 0}
for length in range(1, 4 if TINY else 12):
    found = search(tf.constant(length))
    now = {}
    for rank, (ids, size) in enumerate(zip(found.ids[0].numpy(), found.lengths[0], strict=True)):
        if int(size) != length:
            continue  # it has ended before
        prefix = tuple(ids[:length].tolist())
        now[prefix] = rank
        if prefix[:-1] in before:
            panel.plot([length - 1, length], [before[prefix[:-1]], rank], color="C0", zorder=1)
        token = of_target.tokens(tf.constant([ids[length - 1]])).numpy()[0].decode()
        panel.text(
            length,
            rank,
            token.replace(" ", "␣"),
            ha="center",
            va="center",
            fontsize=9,
            bbox={"boxstyle": "round", "facecolor": "white", "edgecolor": "C0"},
        )
    before = now
panel.set(xlabel="step", ylabel="place in the beam", ylim=(K - 0.5, -0.5))
panel.set_xticks(range(1, length + 1))
panel.set_yticks(range(K), range(1, K + 1))
panel.set_xlim(-0.3, length + 0.6)
panel.set_title(NEW, fontsize=10)
plt.show()

# %%
command("predict", NEW, "--run", "runs/all", "--n-best", "5")

# %% [markdown]
# After the first step the beam holds four different subjects, at the third only what begins with
# "Lucas" or "Sophie" is left, and from the fifth on there are continuations of "Lucas" alone: what
# has no line to the right is lost. Here the best beginning stands on top from the first step to the
# last, so that greedy search would have found it as well; it never compares, though. The places
# below are often twins that differ in a word or two, and so do the five answers.
#
# ## 9. The SavedModel
#
# Strings in, strings out: tokenising, the search and the joining of sub-words are part of the
# graph.

# %%
command("export", "--run", "runs/all", "--output", "exported/translation")
exported = tf.saved_model.load(FOLDER / "exported" / "translation" / "1")
texts = [few.texts[0], NEW, "The committee rejected the amendment."]
answer = exported.signatures["serving_default"](texts=tf.constant(texts))
for text, score in zip(answer["translations"].numpy(), answer["scores"].numpy(), strict=True):
    print(f"{score:7.3f}  {text.decode()}")
answer = exported.signatures["with_attention"](texts=tf.constant([NEW]))
pieces = [token.decode() for token in answer["target_tokens"].numpy()[0]]
print("\npieces:", pieces)
print("attention:", answer["attention"].shape, "(texts, tokens of the target, of the source)")

# %% [markdown]
# The first two sentences are of the sample's domain, one learned from and one new. Of the third the
# translator knows hardly a word: what it writes has nothing to do with it, and the score is the
# lowest. A low score is a warning, a good one no proof.
#
# ## Try it yourself
#
# **1.** A sentence of $n$ words out of 24 is one of $24^n$. How many bits is that for fourteen
# words? The vector $s_0$ has 48 numbers of 32 bits. Is it too small?
#
# <details markdown="1"><summary>Answer</summary>
#
# $n \log_2 24 = 14 \cdot 4.585$, which is 64 bits: two of the 48 numbers could hold the sentence.
# So the bottleneck is not one of space. The encoder would have to *learn* a code in which fourteen
# words can be written one after the other without disturbing each other, and the decoder to read it
# in the opposite order, by gradients that travel through both. Attention makes that unnecessary.
#
# </details>
#
# **2.** Let every word come twice in the mirror ("the you" → "uoy uoy eht eht") and train the
# translator by hand on it. Where does it look?
#
# <details markdown="1"><summary>Answer</summary>
#
# Twice at the same word. What tells the two steps apart is the state of the decoder alone: the word
# that it has just written, and where it is.
#
# ```python
# twice = [" ".join(w for x in t.split() for w in (x, x)) for t in pairs.translations]
# targets = append_end(target_tokenizer.encode(tf.constant(twice))).to_tensor()
# ```
#
# After eight epochs on these targets, with new batches of the same rows, the translator writes the
# sentence above without a mistake, each word twice, and each time it looks at the word that it
# writes backward. Attention gives an address for each step, and the address need not move on.
# Local-m, whose window moves by one word a step, would be wrong from the second step on.
#
# </details>
#
# **3.** Train on your own pairs: `--dataset FILE.tsv`, or `--dataset a.en --target-file a.fr`.
#
# <details markdown="1"><summary>Answer</summary>
#
# A table has two columns with the names of the languages above them (`--source` and `--target`
# choose others); two files have a sentence a line, and the same number of lines. A part is put
# aside for validation unless `--validation-file` names one. Then look at the translation memory in
# what `evaluate --baseline` prints: as long as it is as good as the translator, there are too few
# pairs.
#
# </details>
#
# ---
#
# ← [9 · Text generation](09_text_generation.ipynb)<br>
# → [11 · Choosing a cell](11_choosing_a_cell.ipynb)<br>
# [All notebooks](README.md)

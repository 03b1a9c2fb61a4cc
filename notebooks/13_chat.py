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
# # 13 · Chat
#
# **Time:** 5 minutes of the processor to run it<br>
# **You should know:** notebooks 9 and 10<br>
# **Before:** [12 · Summarization](12_summarization.ipynb)<br>
# **Next:** [14 · Captioning](14_captioning.ipynb)
#
# A translation is right or wrong; to "How are you?" there are a hundred right answers. The network
# is the one of notebook 10, from the last turns of a dialogue to the next one. What is new is the
# question which of the many answers to give:
#
# 1. **turns**: what an answer reads, and how many answers there are,
# 2. **perplexity** per token and per word,
# 3. **greedy, beam and sampled** answers side by side,
# 4. **top-p** by hand, and how it differs from turn to turn,
# 5. **blocked n-grams**,
# 6. **maximum mutual information**: against answers that suit everything,
# 7. **distinct-n**, and what variety costs,
# 8. **history**,
# 9. the **export** and its signatures.

# %%
# The suite is three packages: `data` reads and prepares texts, `models` has layers and networks,
# `apps` the commands that train and use them.
import collections
import contextlib
import io
import math
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

from apps.chat import APPLICATION
from apps.commands.main import main
from apps.config.options import override
from apps.plots import training  # noqa: F401 - it chooses how files are drawn; notebooks choose again
from apps.serving.answers import answer_by_length
from apps.tasks.chat.config import ChatPredictOptions
from data.batches.parallel import append_end
from data.examples.dialogues import join_turns
from data.text.special_tokens import START
from models.decoding.sampling import Sampling
from models.evaluation.dialogue import dialogue_scores, words_of

# %matplotlib inline

# The switch: "sample" trains offline on the dialogues that ship with the suite; "full" reads
# DailyDialog from the folder DATA_DIR and trains for more than an hour; "tiny" only shows that
# everything runs.
SETTING = os.environ.get("NOTEBOOK_SETTING", "sample")
TINY = SETTING == "tiny"
DATASET = "dailydialog_clean" if SETTING == "full" else "sample"
DATA_DIR = str(Path(os.environ["DATA_DIR"]).resolve()) if SETTING == "full" else None
OPTIONS = {
    "tiny": [
        *["--epochs", "1", "--units", "4", "--decoder-units", "4", "--embedding-dim", "4"],
        *["--batch-size", "512"],
    ],
    "sample": [],
    "full": ["--dataset", DATASET, "--data-dir", DATA_DIR],
}[SETTING]
FOLDER = Path(tempfile.mkdtemp())

plt.rcParams.update({"figure.figsize": (8, 3), "figure.constrained_layout.use": True})


def command(*arguments, quiet=False):
    """What `python -m apps.chat` does, in a folder for this notebook."""
    shown = [Path(each).name if Path(each).is_absolute() else each for each in arguments]
    print(f"$ python -m apps.chat {shlex.join(shown)}\n")
    out = io.StringIO() if quiet else sys.stdout
    with contextlib.chdir(FOLDER), contextlib.redirect_stdout(out):
        main(APPLICATION, list(arguments))


# %% [markdown]
# ## 1. Turns
#
# The sample has 2,800 dialogues with a helper of an invented town. Each turn but the first answers
# the turns before it; the last three are read, joined by line feeds:

# %%
config = override(APPLICATION.recipe(DATASET), {"data_dir": DATA_DIR})
corpus = config.read_corpus(APPLICATION.sample)
train, test = (
    corpus.split("train"),
    corpus.split("test" if "test" in corpus.splits else "validation"),
)
print(f"{len(train):,} turns with their answers to learn from\n")
for turns, answer in test.take(range(4)):
    print(f"{turns!r}\n    → {answer!r}")

answers_to = collections.defaultdict(collections.Counter)
for turns, answer in train:
    answers_to[turns.split("\n")[-1].lower().strip("!?. ")][answer] += 1
print("\nthe turns with the most different answers:")
for turn in sorted(answers_to, key=lambda turn: -len(answers_to[turn]))[:4]:
    print(f"  {turn!r}: {len(answers_to[turn])} answers, such as")
    for answer, count in answers_to[turn].most_common(3):
        print(f"      {count:3} × {answer}")

# %% [markdown]
# Some turns have one right answer, which depends on what was said before. Others, such as a
# greeting, have many. A network that is trained on all of them learns a distribution over answers,
# and the likeliest answer is only one of its members.
#
# ## 2. Perplexity
#
# The cross-entropy of what was really said, in nats per token, makes the **perplexity** (notebook
# 9). Tokens are pieces of words, and smaller pieces are easier to guess. So there is one per word,
# too, which does not depend on how words are cut:
#
# $$\mathrm{PPL}_{\text{token}} = e^{L / \text{tokens}}, \qquad
# \mathrm{PPL}_{\text{word}} = e^{L / \text{words}}$$
#
# with the loss $L$ of all answers, signs counted as words, and the end of each answer as well.

# %%
command("train", "--run", "runs/chat", *OPTIONS, quiet=True)
task = APPLICATION.trained(FOLDER / "runs" / "chat")
trained_config, model, tokenizer = task.config, task.model, task.tokenizers[0]


def log_likelihoods(turns, answers):
    """The logarithms of p(answer | turns), [answers]; no turns for p(answer)."""
    x = append_end(tokenizer.encode(tf.constant([turns] * len(answers)))).to_tensor()  # [n, S]
    y = append_end(tokenizer.encode(tf.constant(answers))).to_tensor()  # [n, T]
    before = tf.concat([tf.fill([len(answers), 1], START), y[:, :-1]], axis=1)  # [n, T]
    logits = model({"token_ids": x, "target_ids": before})  # [n, T, V]
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y, logits)  # [n, T]
    return -tf.reduce_sum(tf.where(y != 0, losses, 0.0), axis=1).numpy()


some = test.take(range(min(4 if TINY else 50, len(test))))
loss = -sum(float(log_likelihoods(turns, [answer])[0]) for turns, answer in some)
tokens = int(tf.size(tokenizer.encode(tf.constant(some.translations)).flat_values)) + len(some)
words = sum(len(words_of(answer)) + 1 for _, answer in some)
print(f"by hand, {len(some)} answers: {math.exp(loss / tokens):.3f} per token, ", end="")
print(f"{math.exp(loss / words):.3f} per word")
found = task.perplexities(some)
print(f"the suite's own:     {found['perplexity']:.3f} per token, ", end="")
print(f"{found['perplexity_word']:.3f} per word")

# %% [markdown]
# A small number: the sample is a small world. On DailyDialog, real conversations about everyday
# life, it is many times as high ([results](../docs/results/chat.md)).
#
# ## 3. Greedy, beam, sampled
#
# - **greedy**: the likeliest token each time,
# - **beam** of 5: the likeliest answer that is found (notebook 10),
# - **sampled** at temperature $\tau$: drawn from $\operatorname{softmax}(o / \tau)$ (notebook 9).
#   Three draws, with three seeds.


# %%
graphs = {}


def reply(contexts, **options):
    """Answers to several dialogues, with options as `predict` has them."""
    task.config = trained_config  # what an earlier call has changed is forgotten
    task.set_options(ChatPredictOptions(**options))
    graph = graphs.setdefault(str(options), task.serving().serve)  # traced once for all calls
    return [row["answer"] for row in answer_by_length(task, graph, list(contexts))]


ONE = {"candidates": 1, "information": 0.0}
WAYS = {
    "greedy": {"temperature": 0.0, "beam_width": 1, **ONE},
    "beam of 5": {"temperature": 0.0, "beam_width": 5, **ONE},
    "drawn, 0.7": {"temperature": 0.7, "top_p": 1.0, **ONE},
    "drawn, 1.0": {"temperature": 1.0, "top_p": 1.0, **ONE},
    "drawn, 1.5": {"temperature": 1.5, "top_p": 1.0, **ONE},
}
if TINY:
    WAYS = {name: WAYS[name] for name in ("greedy", "drawn, 1.0")}
TURNS = ["Hello!", "I feel tired today.", "What do you like to eat?", "When does the bakery open?"]
side_by_side = {name: reply(TURNS, **options) for name, options in WAYS.items()}
for number, turn in enumerate(TURNS):
    print(turn)
    for name, texts in side_by_side.items():
        print(f"    {name:12} {texts[number]}")

# %% [markdown]
# Where one answer is right, all but the hottest give it, and greedy search and the beam agree. At
# temperature 1.5 an answer may fall apart, or answer another question. A greeting has two good
# answers; at the end of this notebook two seeds draw one each. What the helper likes to eat is not
# in the sample: there the network is as sure as elsewhere, and says what else it likes.
#
# ## 4. Top-p
#
# At temperature 1 the network's own distribution is drawn from, and its long tail with it:
# hundreds of tokens that are improbable one by one, but not together. **Top-p** keeps the smallest
# set of tokens that has at least the share $p$ of the probability, the *nucleus* (Holtzman et al.
# 2020), and draws from it alone. The first token of the answers above:

# %%
P = 0.9


def first_token(turns):
    """The distribution of the first token of an answer, [V]."""
    x = append_end(tokenizer.encode(tf.constant([turns]))).to_tensor()  # [1, S]
    logits = model({"token_ids": x, "target_ids": tf.constant([[START]])})  # [1, 1, V]
    return tf.nn.softmax(logits[0, 0]).numpy()


figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.2))
for turn in TURNS:
    p = first_token(turn)
    order = np.argsort(-p)  # the likeliest first
    sums = np.cumsum(p[order])
    nucleus = order[sums - p[order] < P]  # as long as what comes before is not enough
    own = Sampling(temperature=1.0, top_p=P).probabilities(tf.math.log(p)[None]).numpy()[0]
    assert set(nucleus) == set(np.flatnonzero(own))
    left.plot(range(1, 31), sums[:30], label=turn)
    pieces = [t.decode().strip() for t in tokenizer.tokens(tf.constant(nucleus)).numpy()]
    print(f"{turn:28} {len(nucleus):3} tokens: {' '.join(pieces[:9])}")
left.axhline(P, color="gray", linestyle=":")
left.set(xlabel="tokens, the likeliest first", ylabel="probability together", xscale="log")
left.legend(fontsize=8)
p = np.sort(first_token(TURNS[0]))[::-1]
for temperature in (0.5, 1.0, 2.0):
    shares = p ** (1 / temperature)
    right.plot(
        range(1, 31), (shares / shares.sum())[:30], marker=".", label=f"temperature {temperature}"
    )
right.set(xlabel="tokens, the likeliest first", ylabel="probability", xscale="log")
right.set_title(TURNS[0], fontsize=10)
right.legend(fontsize=8)
plt.show()

# %% [markdown]
# The set is as large as the turn is open. That is the difference to top-k, which would keep as many
# tokens after a question with one answer as after a greeting. The temperature changes the whole
# distribution instead (right): below 1 the likely becomes likelier, above 1 the tail grows.
#
# ## 5. Blocked n-grams
#
# A decoder that is made to go on falls into a loop: what it has written makes the same thing likely
# again. `--no-repeat-ngram 3` forbids every token that would end three tokens which the answer has
# already (Paulus et al. 2018). Here an answer must have at least forty tokens:

# %%
LONG = 12 if TINY else 40
for size in [3] if TINY else [0, 3]:
    [text] = reply(
        [TURNS[-1]], **WAYS["greedy"], min_length=LONG, max_length=LONG + 8, no_repeat_ngram=size
    )
    print(f"no_repeat_ngram {size}: {text}\n")

# %% [markdown]
# The right answer has five words. What it must write after them is nonsense in both cases, but the
# second does not say "is the market square" over and over. The rule does not make an answer good:
# it only forbids the way in which long answers go wrong. An answer of five words has no use for it.
#
# ## 6. Maximum mutual information
#
# Several candidates are drawn, and the best is given. If the best is the likeliest, it is the one
# that suits everything. Li et al. (2016) ask for the most **mutual information** with the turns
# instead: from the logarithm of $p(\text{answer} \mid \text{turns})$ they subtract what the answer
# has without any turns:
#
# $$\log p(\text{answer} \mid \text{turns}) - \lambda \log p(\text{answer})$$
#
# Where does $p(\text{answer})$ come from? A tenth of the answers (`--alone 0.1`) is learned a
# second time with no turns before them, so that the same network is a language model of answers,
# too. The candidates for one turn, by hand:

# %%
LAMBDA = 0.7
TURN = TURNS[1]
MANY = 4 if TINY else 24
several = {"temperature": 1.4, "top_p": 1.0, "candidates": MANY, "information": 0.0}
task.config = trained_config
task.set_options(ChatPredictOptions(**several, n_best=MANY))
[row] = answer_by_length(task, task.serving().serve, [TURN])
result = task.to_result(TURN, row)
candidates = sorted({result.answer, *(text for text, _ in result.others)})
given, alone = log_likelihoods(TURN, candidates), log_likelihoods("", candidates)
information = given - LAMBDA * alone
print(f"{TURN}\n\n  log p(a|t)  log p(a)  information")
for row in np.argsort(-information)[:10]:
    print(f"{given[row]:11.2f} {alone[row]:9.2f} {information[row]:12.2f}   {candidates[row]}")
print(f"\nlikeliest:        {candidates[int(given.argmax())]}")
print(f"most information: {candidates[int(information.argmax())]}")

# %% [markdown]
# The second column says what an answer is worth without the turn. "Bye!" is likelier than all but
# the best, but it is so after any turn, and falls to the ninth place. The best one stays the best,
# since nothing else comes near it. And the second is the danger of the rule: no one ever says it,
# because it is not English, and that counts in its favour.
#
# ## 7. Distinct-n
#
# How various are the answers to many turns? **Distinct-n** (Li et al. 2016) is the share of
# different ones among all their words, or pairs of words. It is compared with what was said, and
# with BLEU, which rewards the answer that was given. All ways for some new turns, as `evaluate`
# measures them:

# %%
new = test.take(range(min(6 if TINY else 300, len(test))))
said = dialogue_scores(new.translations, new.translations)
pairs = [pair for text in new.translations for pair in pairwise(words_of(text))]
assert np.isclose(said["distinct_2"], len(set(pairs)) / len(pairs))

WAYS |= {
    "drawn, 1.0, top-p 0.9": {"temperature": 1.0, "top_p": 0.9, **ONE},
    "likeliest of 8": {"temperature": 1.0, "top_p": 0.9, "candidates": 8, "information": 0.0},
    f"of 8, λ {LAMBDA}": {"temperature": 1.0, "top_p": 0.9, "candidates": 8, "information": LAMBDA},
}
if TINY:
    WAYS = dict(list(WAYS.items())[:2])
table = {}
print(f"{'':22} BLEU-2  distinct-1  distinct-2  most frequent")
for name, options in WAYS.items():
    written = reply(new.texts, **options)
    table[name] = scores = dialogue_scores(written, new.translations)
    print(
        f"{name:22} {scores['bleu_2']:6.1f} {scores['distinct_1']:11.3f} "
        f"{scores['distinct_2']:11.3f} {scores['most_frequent']:14.1%}"
    )
print(f"{'what was said':22} {'':6} {said['distinct_1']:11.3f} {said['distinct_2']:11.3f}")

figure, panel = plt.subplots(figsize=(7, 3.4))
# Some ways lie so near to each other that names beside them would overlap.
for marker, (name, scores) in zip("osD^vPX*", table.items(), strict=False):
    panel.plot(scores["distinct_2"], scores["bleu_2"], marker, markersize=8, alpha=0.8, label=name)
panel.axvline(said["distinct_2"], color="gray", linestyle=":", label="what was said")
panel.set(xlabel="distinct-2", ylabel="BLEU-2")
panel.legend(fontsize=8)
plt.show()

# %% [markdown]
# The ways that look for the likeliest (greedy, beam, likeliest of 8) have the highest BLEU and the
# smallest variety: up to 5 % of all turns get one and the same answer. Draws at temperature 1 are
# about as various as what was said (0.375 after 0.380), at the price of three to four BLEU; at 1.5
# they are far more various, because nonsense is. Mutual information gives back a third of the
# variety that the likeliest of 8 has lost, for one BLEU. In this small world, where most turns have
# one right answer, a draw at 0.7 gives back more for less. One chooses what the chatbot is for.
#
# A third way to choose among the candidates is `--agreement`: the one that shares most words with
# the others (minimum Bayes risk). [The application's page](../docs/applications/chat.md#answers)
# has all options.
#
# ## 8. History
#
# The network has no memory: it reads the last turns each time. So the caller keeps them, and
# `predict --interactive` is little more than this loop:

# %%
history = []
for turn in ["Hello!", "When does the bakery open?", "And when does it close?"]:
    history.append(turn)
    history += reply([join_turns(history)], **WAYS["greedy"])
for number, turn in enumerate(history):
    print(f"{'   ' if number % 2 else '> '}{turn}")
print("\nwithout the turns before:", *reply(["And when does it close?"], **WAYS["greedy"]))
other = ["When does the gym open?", "The gym opens at six.", "And when does it close?"]
print("after the gym:           ", *reply([join_turns(other)], **WAYS["greedy"]))

# %% [markdown]
# Same words, three answers: for the bakery, for the gym, and, where nothing was said before, for
# anything that closes.
#
# ## 9. The SavedModel
#
# `serving_default` takes the turns of a dialogue as a string, `with_turns` a flat list of turns and
# how many each dialogue has, `with_options` temperature, top-p, $\lambda$ and seed as scalars:

# %%
if not TINY:  # a graph of its own takes longer than all the rest
    command("export", "--run", "runs/chat", "--output", "exported/chat")
    exported = tf.saved_model.load(FOLDER / "exported" / "chat" / "1")
    answer = exported.signatures["with_turns"](
        turns=tf.constant([*history[:5], *other]), counts=tf.constant([5, 3], tf.int64)
    )
    print("with_turns:", *(text.decode() for text in answer["answers"].numpy()), sep="\n    ")
    for seed in range(2):
        answer = exported.signatures["with_options"](
            texts=tf.constant(TURNS[:1]),
            temperature=tf.constant(1.0),
            top_p=tf.constant(0.9),
            information=tf.constant(0.0),
            seed=tf.constant(seed),
        )
        print(f"seed {seed}:", answer["answers"].numpy()[0].decode())

# %% [markdown]
# The same turns with the same seed have the same answer, whatever else is in the batch.
#
# ## Try it yourself
#
# **1.** Why do the ways that look for the likeliest answer have the smallest distinct-2?
#
# <details markdown="1"><summary>Answer</summary>
#
# In a translation the likelihood says how right a sentence is. In a dialogue it is divided among
# all right answers, and each of many good ones gets a small share. What is left on top are the few
# answers that suit many turns, and short ones, since each token can only cost. Of two answers to an
# open turn the likelier one is the duller.
#
# </details>
#
# **2.** At which temperature is the expected number of different answers the one of the data?
#
# <details markdown="1"><summary>Answer</summary>
#
# At 1, if the network's distribution were that of the data: then draws from it are as various as
# what people said. The table of section 7 says how near it comes. Lower temperatures are for the
# errors of the network, which lie in the tail: they buy correctness with variety.
#
# </details>
#
# **3.** With $\lambda = 1$ the score is $\log p(\text{turns} \mid \text{answer})$ up to a constant.
# Which one, and what wins then?
#
# <details markdown="1"><summary>Answer</summary>
#
# By Bayes' rule $\log p(a \mid t) - \log p(a) = \log p(t \mid a) - \log p(t)$, and $p(t)$ is the
# same for all answers. What wins is the answer from which one can guess the turns best: one that
# repeats their rarest words, whether or not it is good English. So Li et al. take $\lambda$ below
# 1, or apply it to the first tokens alone, and choose among candidates that were likely.
#
# </details>
#
# **4.** Train on your own dialogues: `--dataset chats.jsonl`, a line `{"turns": [...]}` each.
#
# <details markdown="1"><summary>Answer</summary>
#
# A table with the columns `dialogue`, `speaker` and `text` does as well. Compare with the answer to
# the most similar turns by `evaluate --baseline`: as long as that is better, there are too few
# dialogues, or the training was too short.
#
# </details>
#
# ---
#
# ← [12 · Summarization](12_summarization.ipynb)<br>
# → [14 · Captioning](14_captioning.ipynb)<br>
# [All notebooks](README.md)

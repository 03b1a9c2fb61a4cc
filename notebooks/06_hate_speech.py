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
# # 6 · Hate speech: a rare class
#
# **Time:** 2 minutes of the processor to run it<br>
# **You should know:** notebooks 1, 2 and 5<br>
# **Before:** [5 · Both ways, and deep](05_bidirectional_and_deep.ipynb)<br>
# **Next:** [7 · Sentiment of long reviews](07_sentiment.ipynb)
#
# Most posts are harmless, some are rude, few are hate. A classifier that is to find the few is
# easily praised for the many. From the raw file to a SavedModel:
#
# 1. **imbalance**, and which figures see it,
# 2. a classifier, and its **figures**,
# 3. **class weights** and focal loss: imbalance in the loss,
# 4. **thresholds**: imbalance in the decision,
# 5. **calibration**: whether a score of 0.8 is right in four of five cases,
# 6. **bias**: whether the name of a group decides,
# 7. **explanations**: what each word adds,
# 8. the **SavedModel** and its answers.
#
# The texts of the shipped sample are made up, and so are the peoples in them. They hold no slurs,
# but some are hostile on purpose.

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
from sklearn.metrics import precision_recall_curve, roc_curve

from apps.commands.main import main
from apps.hate_speech import APPLICATION
from apps.plots import training  # noqa: F401 (it draws into files; `%matplotlib` draws here again)
from apps.serving.answers import answer
from apps.tasks.classification.explanation import Explainer
from data.datasets import read_labelled_texts
from data.identity_terms.files import read_identity_terms
from data.registry import IDENTITY_TERMS, SAMPLES
from models.classification.losses import class_weights
from models.classification.thresholds import STRENGTHS, choose_thresholds, decide
from models.evaluation.classification import classification_metrics
from models.layers.pooling import AttentionPooling, MaskedMax
from models.recurrent.factory import recurrent_layer

# %matplotlib inline

# The switch: "sample" runs offline in two minutes; "full" reads Davidson's tweets from the folder
# DATA_DIR and trains by their recipe; "tiny" only shows that everything runs.
SETTING = os.environ.get("NOTEBOOK_SETTING", "sample")
DATA_DIR = os.environ.get("DATA_DIR") and os.path.abspath(os.environ["DATA_DIR"])
HATE = "hate_speech"

os.chdir(tempfile.mkdtemp())  # for the runs and the SavedModel
plt.rcParams.update({"figure.figsize": (7, 3), "figure.constrained_layout.use": True})

# %% [markdown]
# ## 1. Imbalance
#
# In the corpus of Davidson et al. (2017) 6 of 100 tweets are hate speech. In the sample it is every
# third text, so we make it rare: 125 of its hateful texts stay, all others are put aside. What is
# left we split, three parts for training and one each for validation and test. The file that we
# write is one that any user might have: texts, labels, and a column of splits.

# %%
if SETTING == "full":
    DATA = ["--dataset", "davidson", "--data-dir", DATA_DIR]
    corpus = read_labelled_texts("davidson", "hate_speech.csv", DATA_DIR)
else:
    everything = read_labelled_texts("sample", "hate_speech.csv").everything()
    table = pd.DataFrame(list(everything), columns=["text", "label"]).explode("label")
    table = table.sample(frac=1, random_state=0)
    place = table.groupby("label").cumcount()
    aside = (table["label"] == HATE) & (place >= 125)
    table["split"] = np.array(["train", "validation", "train", "test", "train"])[place % 5]
    table[~aside].to_csv("posts.csv", index=False)
    # For section 6: what the model is not trained on.
    table[aside | (table["split"] != "train")].to_csv("more.csv", index=False)
    DATA = ["--dataset", "posts.csv", "--batch-size", "16", "--epochs", "6"]
    DATA += ["--monitor", "macro_f1", "--patience", "6"]
    corpus = read_labelled_texts("posts.csv", "hate_speech.csv")
if SETTING == "tiny":
    DATA += ["--epochs", "1", "--units", "8", "--no-bidirectional", "--no-characters"]
    DATA += ["--batch-size", "64"]

names = corpus.class_names
train, validation, test = (corpus.split(name) for name in ("train", "validation", "test"))
print(f"{'':22}", *(f"{name:>11}" for name in corpus.splits))
for column, name in enumerate(names):
    print(
        f"{name:22}", *(f"{part.targets[:, column].sum():11.0f}" for part in corpus.splits.values())
    )
for text, label in list(train)[:4]:
    print(f"\n{label[0]}: {text}")

# %% [markdown]
# A share of the right answers, the **accuracy**, hardly sees a rare class. These do:
#
# $$\text{precision} = \frac{\text{found and right}}{\text{found}}, \qquad
# \text{recall} = \frac{\text{found and right}}{\text{there}}, \qquad
# F_1 = \frac{2 \cdot \text{precision} \cdot \text{recall}}{\text{precision} + \text{recall}}$$
#
# of each class, and the mean of $F_1$ over the classes, **macro-F1**, in which a rare class counts
# as much as a frequent one. Four answers that no network is needed for, on the test split:

# %%
generator = np.random.default_rng(0)
truth = test.targets > 0.5
hate, shares = names.index(HATE), train.targets.mean(axis=0)
simple = {
    "always the most frequent": np.tile(np.eye(len(names))[shares.argmax()], (len(test), 1)),
    "by chance": generator.multinomial(1, shares, len(test)),
    "the truth, hate is never found": np.where(
        truth[:, [hate]], np.eye(len(names))[names.index("offensive_language")], truth
    ),
    "the truth": truth,
}


def figures(targets, scores, decided):
    """Accuracy, macro-F1, and F1, precision and recall of the rare class."""
    report = classification_metrics(targets, scores, decided, names)
    rare = report["per_class"][HATE]
    return report["accuracy"], report["macro_f1"], rare["f1"], rare["precision"], rare["recall"]


HEAD = f"{'':32} accuracy  macro F1   F1 hate  precision  recall"
print(HEAD)
for name, decided in simple.items():
    decided = np.asarray(decided) > 0.5
    print(
        f"{name:32}",
        "".join(f"{each:8.3f}  " for each in figures(test.targets, decided * 1.0, decided)),
    )

# %% [markdown]
# Look at the third row: an accuracy that looks fine, of a classifier that is useless for its
# purpose.
#
# ## 2. A classifier
#
# Word vectors, a GRU that reads both ways, and the states pooled to one vector, by their maximum
# and by attention. Line by line, with the shape behind each line (the suite's
# `models/classification/classifier.py` also has a convolution over letters, and dropout):

# %%
keras.utils.set_random_seed(1)
ids = keras.Input([None], dtype="int32")  # [texts, words], 0 where padded
x = keras.layers.Embedding(5000, 64, mask_zero=True)(ids)  # [texts, words, 64]
h = recurrent_layer("gru", 32, bidirectional=True, return_sequences=True)(x)  # [texts, words, 64]
strongest = MaskedMax()(h)  # [texts, 64], the highest value of each feature
looked_at = AttentionPooling()(h)  # [texts, 64], the mean, with weights that are learned
v = keras.layers.Concatenate()([strongest, looked_at])  # [texts, 128]
logits = keras.layers.Dense(len(names))(v)  # [texts, classes]
shares_of = keras.layers.Softmax()(logits)  # [texts, classes], scores that sum to 1
network = keras.Model(ids, shares_of)
two_texts = np.array([[5, 17, 3, 0], [8, 9, 2, 4]])
print("scores of two texts by an untrained network:")
print(np.round(network(two_texts), 3))

# %% [markdown]
# The command line builds and trains it. What it prints meanwhile is left out here: the curves below
# tell the same.


# %%
def hate_speech(*arguments, quiet=False):
    """The command line of the application."""
    shown = [f'"{each}"' if " " in each else each for each in arguments if each != DATA_DIR]
    print("$ python -m apps.hate_speech", *shown)
    with contextlib.redirect_stdout(io.StringIO() if quiet else sys.stdout):
        main(APPLICATION, [*arguments])


hate_speech("train", *DATA, "--run", "runs/plain", quiet=True)

# %%
hate_speech("evaluate", "--split", "test", "--baseline", "--run", "runs/plain")
display(Image("runs/plain/training_curves.png", width=760))
display(Image("runs/plain/confusion_test.png", width=420))

# %% [markdown]
# Fourteen of 25 hateful texts are found, and 14 others with them: ten rude ones and four harmless
# ones. Three of the fourteen are the work of thresholds, which were chosen on 324 validation texts;
# section 4 looks at what they trade. Word counts with a logistic regression (TF-IDF) do better than
# the network: to them a word that stands in three of 75 hateful texts says something already. That
# is why the recipe of the sample adds such a model to the network (`--linear`), which we leave out
# here to look at the network alone. On Davidson's 24,783 tweets the network is not behind
# ([results](../docs/results/hate_speech.md)). And look at the intervals: with 25 texts of a class
# its F1 is anything between 0.36 and 0.68, so small differences on this page mean nothing.
#
# ## 3. Imbalance in the loss
#
# The loss is a mean over examples, so nobody asks a rare class. **Class weights** ask it louder
# (`models/classification/losses.py`): with frequencies $\pi_c$ and a power $p$
#
# $$L = -\frac{1}{N}\sum_n w_{y_n} \log p_n(y_n), \qquad w_c \propto \pi_c^{-p}$$
#
# scaled so that their mean over the examples is 1. **Focal loss** (Lin et al. 2017) turns down what
# is right already, whatever its class:
#
# $$L = -\frac{1}{N}\sum_n \big(1 - p_n(y_n)\big)^{\gamma} \log p_n(y_n)$$

# %%
for power in (0, 0.5, 1):
    weights = class_weights(train.targets, power)
    print(
        f"--class-weight {power:<4}", {n: round(w, 2) for n, w in zip(names, weights, strict=True)}
    )

recipes = {"plain": [], "class weights": ["--class-weight", "1"], "focal": ["--focal-gamma", "2"]}
if SETTING == "tiny":  # one training stands for all
    recipes = {"plain": []}
    Path("runs/class").symlink_to("plain")
for name, options in recipes.items():
    if options:
        hate_speech("train", *DATA, *options, "--run", f"runs/{name.split()[0]}", quiet=True)


# %%
classifiers = {name: APPLICATION.trained(f"runs/{name.split()[0]}") for name in recipes}
weighted = classifiers.get("class weights", classifiers["plain"])
scores = {
    (name, split): task.scores(corpus.split(split).texts)
    for name, task in classifiers.items()
    for split in ("validation", "test")
}
even = np.ones(len(names))
print(f"test split, the most probable class\n{HEAD}")
for name in recipes:
    each = scores[name, "test"]
    decided = decide(each / even, False).numpy()
    print(f"{name:32}", "".join(f"{f:8.3f}  " for f in figures(test.targets, each, decided)))

# %% [markdown]
# Taken as the most probable class, eleven of the 25 hateful texts are found by the plain network,
# with as many false alarms. With class weights it finds 17, with eight false alarms, and with focal
# loss 16 with five. Both remedies help; which of the two is better, 25 texts cannot tell.
#
# ## 4. Imbalance in the decision
#
# Weights in the loss change the network. It is cheaper, and can be changed later, to leave the
# network alone and decide otherwise. Left: how the scores of hate speech lie, by the true class.
# Right: each threshold is another trade of precision for recall. The **precision-recall curve**
# shows all of them; the ROC curve does, too, but its false alarms are a share of the many harmless
# texts, which makes it look good where a class is rare.

# %%
each, targets = scores["plain", "test"], test.targets
figure, (left, middle, right) = plt.subplots(1, 3, figsize=(11, 3))
bins = np.linspace(0, 1, 21)
for column, name in enumerate(names):
    of_class = each[targets[:, column] > 0.5, hate]
    left.hist(of_class, bins, histtype="step", linewidth=1.6, label=name, density=True)
left.set(xlabel="score of hate speech", ylabel="density of the texts", title="by true class")
left.legend(fontsize=7)
precision, recall, thresholds = precision_recall_curve(targets[:, hate], each[:, hate])
middle.plot(recall, precision, marker=".", label="precision and recall")
false, found, _ = roc_curve(targets[:, hate], each[:, hate])
middle.plot(false, found, color="gray", linestyle="--", label="ROC: false alarms and recall")
middle.axhline(shares[hate], color="tab:red", linestyle=":", label="precision of chance")
middle.set(xlabel="recall (ROC: false alarms)", ylabel="precision (ROC: recall)", ylim=(0, 1.05))
middle.legend(fontsize=7, loc="lower left", bbox_to_anchor=(0, 1))
f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-9)
right.plot(thresholds, precision[:-1], label="precision")
right.plot(thresholds, recall[:-1], label="recall")
right.plot(thresholds, f1[:-1], label="F1", linewidth=2.5)
right.set(xlabel="threshold for hate speech", ylim=(0, 1.05))
right.legend(fontsize=7)
plt.show()

# %% [markdown]
# With several classes a text gets the one with the highest **ratio** of score to threshold. The
# default, `--thresholds prior`, divides by a power $s$ of the class frequencies (Menon et al.
# 2021; `models/classification/thresholds.py`), a single number that is chosen for macro-F1 on the
# validation split:
#
# $$\hat y = \arg\max_c \frac{p(c)}{\pi_c^{\,s}}$$
#
# `f1` chooses one threshold for each class, `none` takes the most probable class:

# %%
prior = np.maximum(shares, 1 / len(train))
for split in ("validation", "test"):
    each, targets = scores["plain", split], corpus.split(split).targets
    curve = []
    for strength in STRENGTHS:
        decided = decide(each / prior**strength, False).numpy()
        curve.append(figures(targets, each, decided))
    for position, title in ((1, "macro F1"), (2, "F1 hate speech")):
        plt.plot(
            STRENGTHS,
            np.array(curve)[:, position],
            color="tab:blue" if split == "validation" else "tab:orange",
            linestyle="-" if position == 1 else ":",
            label=f"{title}, {split}",
        )
plt.gca().set(xlabel="power s of the class frequencies", ylabel="F1")
plt.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
plt.show()

print(f"plain, test split\n{HEAD}")
for goal in ("none", "prior", "f1"):
    best = choose_thresholds(goal, scores["plain", "validation"], validation.targets, prior, False)
    decided = decide(scores["plain", "test"] / best, False).numpy()
    row = figures(test.targets, scores["plain", "test"], decided)
    print(f"{'--thresholds ' + goal:32}", "".join(f"{f:8.3f}  " for f in row))

# %% [markdown]
# Few hateful texts have a score above 0.5, and yet all have one above 0.1, and most other texts one
# below: the line is in the wrong place. The order is not perfect either, for between the hateful
# texts there are others at all scores. The ROC curve looks fine all the same, as it does for a rare
# class.
#
# A small $s$ moves the line a little, and three more hateful texts are found, with three more false
# alarms. The further it moves, the more harmless texts are taken for hate, and both curves fall.
# Here the curve of the validation split and that of the test split agree roughly, so that what is
# worth something on the one is worth something on the other; with 25 texts of a class that is
# partly luck. On Davidson's tweets, which have six times as many, the thresholds raise the macro-F1
# of the test split clearly ([results](../docs/results/hate_speech.md)).
#
# ## 5. Calibration
#
# A score is calibrated if of all texts with a score of 0.8 four in five are right. The
# **reliability diagram** puts the texts into bins by the score of the most probable class, and the
# **expected calibration error** is the mean distance from the diagonal, weighed by how many texts
# there are in a bin:
#
# $$\mathrm{ECE} = \sum_b \frac{n_b}{N} \,\big|\mathrm{accuracy}(b) - \mathrm{sureness}(b)\big|$$
#
# The remedy is a single number, the **temperature** $\tau$ with the least loss on the validation
# split (Guo et al. 2017; `models/classification/calibration.py`): $p = \mathrm{softmax}(z / \tau)$.
# Above 1 it makes a network less sure, below 1 surer; it changes no order of the classes.

# %%
for name in recipes:
    run = f"runs/{name.split()[0]}"
    if name != "plain":  # that one has been measured
        hate_speech("evaluate", "--split", "test", "--run", run, quiet=True)
    calibration = json.loads(Path(run, "metrics.json").read_text())["test"]["calibration"]
    print(
        f"{name:14} temperature {calibration['temperature']:.2f}, calibration error "
        f"{calibration['ece']:.3f}, without the temperature {calibration['unscaled']['ece']:.3f}"
    )
display(Image("runs/class/reliability_test.png", width=440))

# %% [markdown]
# Points below the diagonal are too sure, those above it not sure enough. The first two networks are
# too sure, so that their temperature is above 1. Focal loss, which has little to say on what is
# right already, keeps its network from it: 0.97 is nearly nothing. On this test split the
# temperature mends little, and for the plain network it even makes the error larger, 0.053 instead
# of 0.033: it is chosen for the loss on other texts, and a few hundred texts measure neither well.
# Most texts lie in the last bins; in the others, of few texts each, chance draws zigzags.
#
# ## 6. Bias
#
# In the training texts a people is often named where it is attacked. A network may learn that the
# *name* is hateful, and then the posts of these people and their friends are taken down.
# `evaluate --bias` looks for that (Borkan et al. 2019, Garg et al. 2019;
# `models/evaluation/bias.py`):
#
# - **BPSN AUC**: hateful texts that do not name the group against harmless texts that do. Low: the
#   name raises the score, false alarms.
# - **BNSP AUC**: harmless texts that do not name it against hateful ones that do. Low: misses.
# - **counterfactual flips**: the name is swapped for that of another group. The answer should not
#   change.

# %%
BIAS = ["evaluate", "--bias", "--bias-class", HATE, "--run", "runs/class"]
if SETTING == "full":
    terms = IDENTITY_TERMS
    hate_speech(*BIAS, "--split", "test")
else:
    # The sample's peoples, each a group; and once more all of them as one.
    peoples = pd.read_csv(SAMPLES / "identity_terms.csv")
    together = peoples.assign(kind="all", group="any of them")
    terms = "terms.csv"
    pd.concat([together, peoples]).to_csv(terms, index=False)
    hate_speech(*BIAS, "--identity-terms", terms, "--dataset", "more.csv", "--split", "all")
[picture] = Path("runs/class").glob("bias_*.png")
display(Image(str(picture), width=900))

# %% [markdown]
# One group lacks the ten texts on each side that a figure needs, and for the others the intervals
# are wide, which is why all of them stand together in the first row. Among the texts that name a
# group, the classifier tells hate from the rest nearly as well (AUC 0.930) as among all texts
# (0.939): a third of the sample's harmless posts name a people, too, so it could not learn that
# naming one is hateful. *Which* one is named matters, though. If it is swapped, up to 28 of 100
# answers change: "hill-folk" lowers the score by 0.16 on average, while "Fennick" raises it by
# 0.11. No difference between the groups is meant by the texts; such differences are what 75 hateful
# texts left. On real tweets it is worse: see the [results](../docs/results/hate_speech.md) for
# Davidson's, where "white" changes every second answer.
#
# A swap can be looked at directly. The same four sentences with each name that fits:

# %%
NAME = "Muslim" if SETTING == "full" else "Ostran"
templates = [
    f"My {NAME} neighbours brought us plum cake",
    f"Does the {NAME} bakery open on Sundays?",
    f"Get off the pitch, you {NAME} clown",
    f"{NAME} families are thieves, throw them out",
]
identity = read_identity_terms(terms)
columns, table = [NAME], []
for template in templates:
    swaps = [template, *(swap.text for swap in identity.swaps(template))]
    table.append(weighted.scores(swaps)[:, hate])
    places = [identity.find(text)[0] for text in swaps]
    columns = [text[place.start : place.end] for text, place in zip(swaps, places, strict=True)]
without = weighted.scores([t.replace(f"{NAME} ", "") for t in templates])[:, hate]
table, columns = np.column_stack([without, table]), ["(no name)", *columns]

plt.figure(figsize=(10, 2.8))
image = plt.imshow(table, cmap="Reds", vmin=0, vmax=1, aspect="auto")
for (row, column), value in np.ndenumerate(table):
    colour = "white" if value > 0.6 else "black"
    plt.text(column, row, f"{value:.2f}", ha="center", va="center", color=colour, fontsize=8)
plt.yticks(range(len(templates)), [t.replace(NAME, "…") for t in templates], fontsize=8)
plt.xticks(range(len(columns)), columns, rotation=40, ha="right", fontsize=8)
plt.colorbar(image, label="score of hate speech")
plt.show()

# %% [markdown]
# A row should have one colour, and three of them have: there the sentence decides. In the last one
# the name moves the score from 0.52 to 0.80. Where a score lies near the line, that is enough for
# another answer.
#
# ## 7. Why this answer?
#
# **Integrated gradients** (Sundararajan et al. 2017; `models/classification/attribution.py`) walk
# on a straight line from a text of unknown words $x'$ to the text $x$, and sum up what each word
# adds to the log-odds $F$ of the class on the way:
#
# $$\mathrm{weight}_t = \sum_i (x_{t,i} - x'_{t,i}) \int_0^1
# \frac{\partial F\big(x' + \alpha (x - x')\big)}{\partial x_{t,i}}\, d\alpha, \qquad
# \sum_t \mathrm{weight}_t = F(x) - F(x')$$
#
# **Occlusion** is the check: how far do the log-odds fall if this word alone becomes unknown?

# %%
TEXTS = [templates[3], "Get off the pitch, you absolute clown", templates[0]]
hate_speech("predict", "--run", "runs/class", "--explain", TEXTS[0])

explained = [row["explanation"] for row in answer(Explainer(weighted), TEXTS)]
figure, axes = plt.subplots(1, len(TEXTS), figsize=(11, 3.4))
for panel, each in zip(axes, explained, strict=True):
    places = np.arange(len(each.words))
    colours = np.where(each.weights > 0, "tab:red", "tab:blue")
    panel.barh(places, each.weights, color=colours)
    panel.plot(each.drops, places, "k.", label="occlusion")
    panel.axvline(0, color="gray", linewidth=0.8)
    panel.set_yticks(places, each.words)
    panel.invert_yaxis()
    panel.set_title(f"for {each.class_name}", fontsize=9)
    panel.set_xlabel("log-odds")
axes[0].legend(fontsize=8)
plt.show()
for each in explained:
    print(
        f"{each.class_name:20} log-odds {each.figure:+.3f}, of unknown words {each.baseline:+.3f}; "
        f"sum of the weights {each.weights.sum():+.3f}"
    )

# %% [markdown]
# The first text has a surprise. The words that make it hostile to a reader, "thieves" and "throw",
# hardly count: with 75 hateful texts the network has not learned them. What speaks for hate speech
# is "are", as it stands in sentences on what a people is said to be, and "Ostran" speaks against
# it, more than any other name would. The answer is right, and the reasons are not; no figure of the
# sections above tells such a thing, but an explanation does. In the other two texts each word
# speaks for the class, most of all "clown" and "neighbours". The weights sum to the difference of
# the log-odds, as the equation says, and occlusion mostly agrees with them, though it says less
# where several words tell the same: the others are still there.
#
# ## 8. The SavedModel
#
# Clean-up, tokens, vocabulary, network, temperature and thresholds are one graph:

# %%
hate_speech("export", "--run", "runs/class", "--output", "exported/hate_speech")
served = tf.saved_model.load("exported/hate_speech/1").signatures["serving_default"]

texts = [*TEXTS, "", "@someone https://example.org 🙂"]
given = {name: each.numpy() for name, each in served(texts=tf.constant(texts)).items()}
for text, classes, each, predicted in zip(
    texts, given["classes"], given["scores"], given["predicted"], strict=True
):
    print(repr(text))
    for name, score, chosen in zip(classes, each, predicted, strict=True):
        print(f"    {'→' if chosen else ' '} {name.decode():20} {score:.3f}")
ours = weighted.scores(texts)
theirs = np.sort(given["scores"], axis=1)
print("greatest difference from the run:", np.abs(np.sort(ours, axis=1) - theirs).max())

# %% [markdown]
# The first class is the one with the highest ratio of score to threshold; its score need not be the
# highest. Empty texts, links and signs have answers, too. Which text a score is for, whether it
# should be shown to a moderator or to nobody, is no question for the network: choose the threshold
# for what a mistake costs (`--min-precision hate_speech=0.8`), and look at section 6 before.
#
# ## Try it yourself
#
# **1.** Read the confusion matrix of section 2: fourteen of 25 hateful texts are found, and there
# are 14 false alarms among 298 other texts. What would the precision be on a platform where one
# post of a thousand is hateful?
#
# <details markdown="1"><summary>Answer</summary>
#
# Of a million posts a thousand are hateful, and 14 of 25 of those are found: 560. Of the other
# 999,000 posts 14 of 298 are false alarms: 46,933. So twelve of a thousand alarms are right:
# $560 / 47493 = 0.012$.
#
# Recall and the share of false alarms belong to the classifier, but precision belongs to the stream
# that it reads. A test split in which a class is 77 times as frequent as out there flatters it.
# Here the scores can sort what a moderator looks at first; they cannot delete posts.
#
# </details>
#
# **2.** Which of the remedies of sections 3 and 4 can be had together? Find the thresholds of the
# network with class weights in the output of `evaluate --bias`.
#
# <details markdown="1"><summary>Answer</summary>
#
# They are all equal, one third for each class: the power $s$ that was chosen on the validation
# split is 0. The class weights have moved the line in the training already, and a second move would
# be one too many. Both together do no harm, since the choice is made by looking, but they are two
# ways to the same thing. The difference is that a threshold can be changed tomorrow without
# training.
#
# </details>
#
# **3.** In the table of section 6 the subgroup AUC of "ostran" has the widest interval. Why?
#
# <details markdown="1"><summary>Answer</summary>
#
# Forty-seven texts name the group, and 33 of them are hateful: the AUC compares those with the
# fourteen that are not. Each of the fourteen counts for a fourteenth of it, and two or three texts
# that happen to be easy or hard move it far. More hateful texts would not help; what is missing are
# harmless texts that name the group. They are also what a network needs if it is to learn that the
# name alone is no sign.
#
# </details>
#
# **4.** What does this classifier make of nonsense, "Zwoosh blimmer frandle"? Ask it, and compare
# the score of hate speech with those of section 6.
#
# <details markdown="1"><summary>Answer</summary>
#
# The answer is "neither", but the score of hate speech is 0.27, ten times that of the sentence on
# plum cake. There is nothing in it that speaks against a class, as most real words do. A text in
# another language is the same to the network. Where that matters it needs harmless texts with rare
# words, or an answer "I do not know" where too many words are unknown.
#
# </details>
#
# ---
#
# ← [5 · Both ways, and deep](05_bidirectional_and_deep.ipynb)<br>
# → [7 · Sentiment of long reviews](07_sentiment.ipynb)<br>
# [All notebooks](README.md)

"""Why a text got its class: answers with a weight for each word."""

import dataclasses
import functools
from collections import Counter
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from apps.tasks.classification.answers import Classification
from apps.tasks.classification.explanation_output import format_explanation
from apps.tasks.classification.task import TextClassification
from data.batches.buckets import order_batches
from data.errors import UserError
from data.formats.record import RichCell
from data.graphs import graph
from data.messages import printable
from models.classification.attribution import TOKENS, Attribution, split
from models.classification.ensemble import Ensemble
from models.serving.classifier import ServingClassifier

# A gap is reported if it exceeds this share of the difference, and this much in log-odds: a smaller
# one changes the score by a hundredth at most.
_GAP = 0.05


@dataclasses.dataclass(frozen=True)
class Explanation(RichCell):
    """What the words of a text add to the log-odds of its class, against unknown words.

    Attributes:
        answer: the classes and their scores, in a line.
        class_name: the class that is explained.
        words: the tokens that the model reads, without the start token.
        weights: <float32>[words], integrated gradients, positive for the class.
        drops: <float32>[words], by how much the log-odds fall without the word (occlusion).
        figure: the log-odds of the class.
        baseline: and with every word unknown.
        cut: how many words the model does not read.
        cut_at: how many it reads before them.
    """

    answer: str
    class_name: str
    words: list[str]
    weights: np.ndarray
    drops: np.ndarray
    figure: float
    baseline: float
    cut: int = 0
    cut_at: int = 0

    @property
    def gap(self) -> float:
        """Returns what the weights' sum misses of the difference between text and baseline."""
        return self.figure - self.baseline - float(self.weights.sum())

    @property
    def gap_matters(self) -> bool:
        """Returns whether the gap is more than a few percent, and not next to nothing."""
        return abs(self.gap) > max(_GAP, _GAP * abs(self.figure - self.baseline))

    @functools.cached_property
    def correlation(self) -> float | None:
        """Spearman's, between weights and drops; None where all words have the same rank."""
        if len(np.unique(self.weights)) < 2 or len(np.unique(self.drops)) < 2:
            return None
        from scipy.stats import spearmanr

        return float(spearmanr(self.weights, self.drops).statistic)

    @property
    def same_top_word(self) -> bool:
        """Returns whether weights and drops agree on the word that speaks most for the class."""
        if not self.words:
            return True
        return self.words[self.weights.argmax()] == self.words[self.drops.argmax()]

    def __str__(self) -> str:
        return format_explanation(self, colours=False)

    def to_cell(self) -> list[list]:
        """Returns `[word, weight]` of each word, for JSON."""
        weights = [float(f"{weight:.6g}") for weight in self.weights]
        return [list(pair) for pair in zip(self.words, weights, strict=True)]


class Tally:
    """What can be said of many explanations together."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def add(self, explanation: Explanation) -> None:
        """Counts one."""
        correlation = explanation.correlation
        self._counts.update(  # type: ignore[call-overload]  # it adds numbers of any type
            texts=1,
            ranked=correlation is not None,
            correlations=correlation or 0.0,
            same_top_word=explanation.same_top_word,
            gaps=explanation.gap_matters,
            cut=explanation.cut > 0,
        )

    def summary(self) -> str:
        """Returns a line on all of them."""
        counts = self._counts
        if not counts["texts"]:
            return "no text was explained"
        parts = [f"{counts['texts']} explained"]
        if counts["ranked"]:
            mean = counts["correlations"] / counts["ranked"]
            parts.append(f"mean rank correlation with occlusion {mean:.2f}")
        parts.append(f"the same top word in {counts['same_top_word'] / counts['texts']:.0%}")
        if counts["gaps"]:
            parts.append(f"{counts['gaps']} whose weights miss their sum by more than {_GAP:.0%}")
        if counts["cut"]:
            parts.append(f"{counts['cut']} too long to be read whole")
        return "; ".join(parts)


class ServingWithTexts:
    """A serving model whose answers hold the texts, too."""

    def __init__(self, serving: ServingClassifier):
        self._serving = serving

    def serve(self, texts: tf.Tensor) -> dict[str, tf.Tensor]:
        """Answers <string>[batch]; the answer has them as `texts`."""
        return {**self._serving.serve(texts), "texts": texts}


class Explainer:
    """Answers texts as a trained classifier does, and adds an `Explanation` in the column
    `explanation`.

    Args:
        task: the classifier.
        colours: whether answers for the terminal are coloured.

    Raises:
        UserError: the classifier is an ensemble.
    """

    def __init__(self, task: TextClassification, colours: bool = False):
        if isinstance(task.model, Ensemble):
            raise UserError(
                f"--explain looks into one model, and this run's is the mean of "
                f"{len(task.model.members)}. Choose one of them, such as --run RUN/seeds/"
                f"{task.config.seed}"
            )
        self.task, self.colours = task, colours
        self._serving = task.serving()
        self._attribution = Attribution(
            split(self._serving.model), task.multi_label, task.decision.temperature
        )
        self._read = graph(self._tokens_and_ids, input_signature=[tf.TensorSpec([None], tf.string)])
        self._tally = Tally()

    def serving(self) -> ServingWithTexts:
        """Returns the classifier's serving model, whose answers hold the texts, too."""
        return ServingWithTexts(self._serving)

    def output_rows(self, answer: dict[str, tf.Tensor]) -> list[dict]:
        """Returns the classifier's columns and `explanation` of each text."""
        rows = self.task.output_rows(answer)
        # The most fitting class stands first: the predicted one, or of several the surest.
        names = [name.decode() for name in answer["classes"].numpy()[:, 0]]
        explanations = self._explain(answer["texts"], rows, names)
        return [{**row, "explanation": each} for row, each in zip(rows, explanations, strict=True)]

    def empty_row(self) -> dict:
        """Returns the output columns of a row that could not be answered."""
        return {**self.task.empty_row(), "explanation": None}

    def format_answer(self, text: str, row: dict) -> str:
        """Formats a text, its answer and the explanation for the terminal."""
        return f"{printable(text)}\n    {format_explanation(row['explanation'], self.colours)}"

    def to_result(self, text: str, row: dict, problem: str = "") -> Classification:
        """Returns the answer to a text, with its explanation."""
        return self.task.to_result(text, row, problem)

    def summary(self) -> str:
        """Returns a line on all that was explained so far."""
        return self._tally.summary()

    def _explain(
        self, texts: tf.Tensor, rows: list[dict], names: list[str]
    ) -> Iterator[Explanation]:
        tokens, dropped, ids = self._read(texts)
        classes = np.array([self.task.class_names.index(name) for name in names], np.int32)
        found = self._attribute(ids, classes)
        for i, (row, words, cut) in enumerate(
            zip(rows, tokens.to_list(), dropped.numpy(), strict=True)
        ):
            # The start token stands before the words.
            weights, drops = (found[i][name][1 : 1 + len(words)] for name in ("weights", "drops"))
            explanation = Explanation(
                self.task.describe_row(row),
                names[i],
                [word.decode() for word in words],
                weights,
                drops,
                float(found[i]["log_odds"]),
                float(found[i]["baseline"]),
                int(cut),
                self._serving.preprocessor.head,
            )
            self._tally.add(explanation)
            yield explanation

    def _tokens_and_ids(self, texts: tf.Tensor) -> tuple:
        tokens, dropped = self._serving.preprocessor.keep_tokens(texts)
        return tokens, dropped, self._serving.preprocessor.to_ids(tokens)

    def _attribute(self, ids: dict[str, tf.RaggedTensor], classes: np.ndarray) -> list[dict]:
        """Computes the attribution of each row, those of like length together."""
        found: list[dict] = [{}] * len(classes)
        lengths = ids["token_ids"].row_lengths().numpy()
        for rows in order_batches(lengths, 1, batch_tokens=TOKENS):
            batch = {name: tf.gather(each, rows).to_tensor() for name, each in ids.items()}
            results = self._attribution(batch, classes[rows])
            results = {name: values.numpy() for name, values in results.items()}
            for place, row in enumerate(rows):
                found[row] = {name: values[place] for name, values in results.items()}
        return found

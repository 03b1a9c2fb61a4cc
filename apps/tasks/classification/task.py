"""The text classification task: one classifier, from its data to its answers."""

import time
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from apps.runs.contents import CONFIG, MODEL
from apps.runs.description import RunDescription
from apps.runs.files import RunFiles
from apps.tasks.builder import check_same_vocabularies, load, with_open_vocabulary
from apps.tasks.classification import answers
from apps.tasks.classification.builder import (
    build_classifier,
    sizes,
    trained_part,
    vocabularies_for,
)
from apps.tasks.classification.config import ClassificationConfig
from apps.tasks.classification.data import ClassifierData, soft_targets
from apps.tasks.classification.linear import add_linear_model, check_size
from apps.tasks.classification.report import (
    ClassificationReport,
    find_mistakes,
    report_baselines,
    report_decision,
    report_scores,
)
from apps.tasks.classification.validation import ClassifierValidation, linear_logits, predict_logits
from apps.tasks.pretrained import load_pretrained
from apps.tasks.teacher import read_teacher
from apps.tasks.training_batches import training_batches
from apps.training import fit as training
from data.batches.padded import Batches, describe_cut
from data.errors import UserError
from data.examples.labelled import LabelledCorpus, LabelledTexts
from data.graphs import in_chunks
from data.messages import printable, say
from data.text.preprocessor import TextPreprocessor
from data.text.vocabulary import Vocabularies
from data.vectors import find_vectors
from models.classification.decision import Decision
from models.classification.ensemble import Ensemble
from models.classification.losses import class_weights, classification_loss
from models.classification.wide_classifier import WideClassifier
from models.members import mean_logits
from models.optimization.layer_rates import weight_depths
from models.precision import in_full_precision
from models.serving.classifier import ServingClassifier


class TextClassification:
    """One classifier and what belongs to it.

    Args:
        config: the options it was or will be trained with.
        class_names: the classes, in the order of the logits.
        multi_label: whether a text may have any number of classes.
        vocabularies: learned from the training texts.
        model: token ids to logits.
        decision: logits to classes; None until it is chosen.
    """

    def __init__(
        self,
        config: ClassificationConfig,
        class_names: tuple[str, ...],
        multi_label: bool,
        vocabularies: Vocabularies,
        model: keras.Model,
        decision: Decision | None = None,
    ):
        self.config = config
        self.class_names = tuple(class_names)
        self.multi_label = multi_label
        self.vocabularies = vocabularies
        self.model = model
        self.decision = decision or Decision.plain(len(class_names), multi_label)
        self.preprocessor = TextPreprocessor(
            vocabularies,
            config.standardize,
            config.max_length,
            config.max_word_length if config.characters else 0,
            config.truncate,
        )
        self.vectorize = in_chunks(self.preprocessor.ragged)

    @classmethod
    def build(
        cls,
        config: ClassificationConfig,
        corpus: LabelledCorpus,
        pretrained: RunFiles | None = None,
    ) -> "TextClassification":
        """Returns a new classifier; vocabularies come from the training split alone."""
        config.precisions(corpus.class_names)  # refused before the training, not after it
        config = replace(config, vectors=find_vectors(config.vectors, config.data_dir))
        trained = load_pretrained(config, pretrained)
        vocabularies = vocabularies_for(config, corpus.split("train").texts, trained)
        vocabularies, open_rows = with_open_vocabulary(vocabularies, config)
        if config.linear:
            check_size(vocabularies)
        model = build_classifier(config, vocabularies, corpus.class_names, open_rows, trained)
        task = cls(config, corpus.class_names, corpus.multi_label, vocabularies, model)
        if config.teacher:
            read_teacher(task)  # refused before the training, not after it has begun
        return task

    @classmethod
    def load(
        cls, config: ClassificationConfig, description: RunDescription, folder: Path
    ) -> "TextClassification":
        """Returns a trained classifier from its run folder.

        Raises:
            UserError: files are missing or damaged.
        """
        try:
            details = description.details
            classes, multi_label = tuple(details["class_names"]), details["multi_label"]
            decision = Decision.read(details["decision"], classes, multi_label)
        except (KeyError, TypeError, ValueError):
            raise UserError(
                f"{folder / CONFIG} is damaged: no classes, or no thresholds of them. Train again"
            ) from None
        vocabularies = Vocabularies.load(folder)
        model = load(folder / MODEL, sizes(config, vocabularies, len(classes)))
        return cls(config, classes, multi_label, vocabularies, model, decision)

    @classmethod
    def ensemble(
        cls, members: list["TextClassification"], corpus: LabelledCorpus
    ) -> "TextClassification":
        """Returns the classifier whose probabilities are the mean of the members'.

        Args:
            members: trained with the same options but for the seed.
            corpus: that they were trained on.

        Raises:
            UserError: their vocabularies differ.
        """
        first = members[0]
        check_same_vocabularies([member.vocabularies for member in members])
        model = Ensemble.from_models([member.model for member in members], corpus.multi_label)
        task = cls(first.config, corpus.class_names, corpus.multi_label, first.vocabularies, model)
        validation = task.validation(corpus)
        task.decision = validation.decide(validation.logits(model))
        return task

    def describe(self) -> dict:
        """Returns what `load` needs besides config, vocabularies and model."""
        return {
            "class_names": self.class_names,
            "multi_label": self.multi_label,
            "decision": self.decision.describe(self.class_names),
        }

    def save(self, folder: Path) -> None:
        """Writes vocabularies and model."""
        self.vocabularies.save(folder)
        self.model.save(folder / MODEL)

    def files(self, folder: Path) -> list[Path]:
        """Returns the vocabulary files of a run folder."""
        return self.vocabularies.files(folder)

    def prepare(self, corpus: LabelledCorpus) -> ClassifierData:
        """Returns what a training needs of a corpus, tokenized once."""
        train = corpus.split("train")
        if cut := describe_cut(self.preprocessor, train.texts):
            say(cut)
        targets = train.targets
        if self.config.teacher:
            targets = soft_targets(self, train.texts)
            say(f"learning the scores of {self.config.teacher}")
        elif self.config.votes and train.votes is not None:
            targets = train.votes
        ids = self.vectorize(train.texts)
        return ClassifierData(ids, targets, train.targets, self.validation(corpus))

    def training_data(self, corpus: LabelledCorpus) -> tuple[Batches, keras.losses.Loss]:
        """Returns the batches of the training split and the loss to minimise."""
        return self._batches_and_loss(self.prepare(corpus))

    def _batches_and_loss(self, data: ClassifierData) -> tuple[Batches, keras.losses.Loss]:
        config = self.config
        batches = training_batches(data.ids, data.targets, self.model, config)
        loss = classification_loss(
            self.multi_label,
            class_weights(data.labels, config.class_weight),
            config.focal_gamma,
            config.label_smoothing,
        )
        return batches, loss

    def trained_part(self) -> keras.Model:
        """Returns what a training changes, see `apps.tasks.classification.builder.trained_part`."""
        return trained_part(self.model, self.config, self.multi_label)

    def fit(self, corpus: LabelledCorpus, folder: Path) -> training.TrainingResult:
        """Trains, see `apps.training.fit.fit`; then the linear model, if there is one, its share,
        the temperature and the thresholds are fitted."""
        config, data = self.config, self.prepare(corpus)
        batches, loss = self._batches_and_loss(data)
        ending = training.fit(
            self.trained_part(),
            batches,
            data.validation.measure,
            loss,
            config.monitor,
            config,
            folder,
            weight_depths(self.model) if config.init_from else None,
            rows=len(data.validation.targets),
        )
        self.model = in_full_precision(self.model)
        logits = data.validation.logits(self.model)
        if config.linear:
            begin = time.monotonic()
            self.model, logits = add_linear_model(self.model, logits, data, config.class_weight)
            ending = ending._replace(seconds=ending.seconds + time.monotonic() - begin)
        self.decision = data.validation.decide(logits)
        return ending

    def validation(self, corpus: LabelledCorpus) -> ClassifierValidation:
        """Returns the validation split of a corpus, tokenized."""
        train = corpus.split("train")
        validation = corpus.split("validation")
        return ClassifierValidation(
            self.vectorize(validation.texts),
            validation,
            np.maximum(train.targets.mean(axis=0), 1 / len(train)),
            self.multi_label,
            self.config.thresholds,
            self.config.precisions(self.class_names),
        )

    def logits(self, texts: list[str]) -> np.ndarray:
        """Returns <float32>[rows, num_classes], in the order of the texts."""
        return predict_logits(self.model, self.vectorize(texts))

    def scores(self, texts: list[str]) -> np.ndarray:
        """Returns <float32>[rows, num_classes], the calibrated probabilities of texts."""
        return self.decision.scores(self.logits(texts)).numpy()

    def decide(self, scores: np.ndarray) -> np.ndarray:
        """Returns <bool>[rows, num_classes], the classes that texts of these scores get."""
        return self.decision.decide(scores).numpy()

    def evaluate(self, examples: LabelledTexts) -> ClassificationReport:
        """Measures the classifier on a split."""
        return self.report(self.logits(examples.texts), examples)

    def report(self, logits: np.ndarray, examples: LabelledTexts) -> ClassificationReport:
        """Measures logits, <float32>[rows, num_classes], of the texts of a split."""
        report = report_decision(logits, examples.targets, self.decision, self.class_names)
        scores = self.decision.scores(logits).numpy()
        mistakes = find_mistakes(
            examples.texts, examples.targets, scores, self.decide(scores), self.class_names
        )
        return replace(report, mistakes=mistakes)

    def report_rows(self, rows: list[dict], examples: LabelledTexts) -> ClassificationReport:
        """Measures output columns of the texts of a split."""
        scores = [[row[f"score_{name}"] for name in self.class_names] for row in rows]
        return report_scores(np.array(scores), examples.targets, self.decision, self.class_names)

    @staticmethod
    def read_report(metrics: dict) -> ClassificationReport:
        """Returns the report of metrics from `metrics.json`, or of the mean of several."""
        return ClassificationReport(metrics)

    def mean(self, logits: list[np.ndarray]) -> np.ndarray:
        """Returns the logits of an ensemble, by those of its members."""
        return np.asarray(mean_logits(logits, self.multi_label))

    def evaluate_baselines(
        self, corpus: LabelledCorpus, examples: LabelledTexts
    ) -> dict[str, ClassificationReport]:
        """Measures in the same way linear models of the training split, and this model's linear
        part alone."""
        validation = self.validation(corpus) if "validation" in corpus.splits else None
        reports = report_baselines(
            corpus.split("train"), validation, examples, self.class_names, self.multi_label
        )
        if isinstance(self.model, WideClassifier) and validation is not None:
            ngrams = self.model.ngrams
            decision = validation.fit_decision(linear_logits(ngrams, validation.ids))
            scores = decision.scores(linear_logits(ngrams, self.vectorize(examples.texts)))
            reports["n-grams alone"] = report_scores(
                scores.numpy(), examples.targets, decision, self.class_names
            )
        return reports

    def serving(self) -> ServingClassifier:
        """Returns the model that takes raw strings; `predict` and `export` both use it."""
        return self._serving(self.model.for_export())

    def to_portable(self) -> ServingClassifier:
        """Returns the model that an ONNX form is written of: no copy, for it runs no graph."""
        return self._serving(self.model)

    def _serving(self, model: keras.Model) -> ServingClassifier:
        return ServingClassifier(self.preprocessor, model, self.class_names, self.decision)

    def output_rows(self, answer: dict[str, tf.Tensor]) -> list[dict]:
        """See `apps.tasks.classification.answers.output_rows`."""
        return answers.output_rows(answer, self.class_names)

    def empty_row(self) -> dict:
        """See `apps.tasks.classification.answers.empty_row`."""
        return answers.empty_row(self.class_names)

    def format_answer(self, text: str, row: dict) -> str:
        """Formats a text and its answer for the terminal."""
        return printable(f"{text}\n    {self.describe_row(row)}")

    def to_result(self, text: str, row: dict, problem: str = "") -> answers.Classification:
        """Returns the answer to a text by its output columns."""
        return answers.to_result(text, row, self.class_names, problem)

    def describe_row(self, row: dict) -> str:
        """See `apps.tasks.classification.answers.describe_row`."""
        return answers.describe_row(row, self.class_names)

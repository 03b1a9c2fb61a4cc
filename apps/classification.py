"""The text classification task: one classifier, from its data to its answers."""

import itertools
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from apps import pictures, training
from apps.application import Application
from apps.classification_config import ClassificationConfig
from apps.classifier_builder import build_classifier, sizes
from apps.held_out import HeldOut, logits_of, probabilities
from apps.run_folder import CONFIG, MODEL
from data.columns import Columns
from data.corpora import read_labelled_texts
from data.errors import UserError
from data.examples import Corpus, LabelledTexts
from data.pipeline import Batches, describe_cut, vectorize
from data.preprocessor import TextPreprocessor, Vocabularies, build_vocabularies
from data.vectors import find_vectors, first_words
from models.baseline import baseline_scores
from models.classifier import TextClassifier
from models.losses import class_weights, classification_loss
from models.metrics import classification_metrics, metrics_table, predicted
from models.precision import in_full_precision
from models.serving import ServingClassifier

MULTI_LABEL_SEPARATOR = "|"


class TextClassification:
    """One classifier and what belongs to it.

    Args:
        config: the options it was or will be trained with.
        class_names: the classes, in the order of the logits.
        multi_label: whether a text may have any number of classes.
        vocabularies: learned from the training texts.
        model: token ids to logits.
    """

    def __init__(
        self,
        config: ClassificationConfig,
        class_names: tuple[str, ...],
        multi_label: bool,
        vocabularies: Vocabularies,
        model: keras.Model,
    ):
        self.config = config
        self.class_names = tuple(class_names)
        self.multi_label = multi_label
        self.vocabularies = vocabularies
        self.model = model
        self.preprocessor = TextPreprocessor(
            vocabularies,
            config.standardize,
            config.max_length,
            config.max_word_length if config.characters else 0,
            config.truncate,
        )

    @staticmethod
    def read(
        application: Application, config: ClassificationConfig, class_names: tuple = ()
    ) -> Corpus:
        """The data set that the config names; `class_names` of a trained model, to evaluate it.

        Raises:
            UserError: it cannot be used.
        """
        columns = Columns(
            config.text_column, config.label_column, config.split_column, config.label_separator
        )
        return read_labelled_texts(
            config.dataset, application.sample, config.data_dir, columns, class_names
        )

    @classmethod
    def build(cls, config: ClassificationConfig, corpus: Corpus) -> "TextClassification":
        """A new classifier for a corpus; vocabularies come from its training split alone."""
        config = replace(config, vectors=find_vectors(config.vectors, config.data_dir))
        vocabularies = build_vocabularies(
            corpus.split("train").texts, config.standardize, config.max_tokens, config.min_count
        )
        if config.vector_words:
            if not config.vectors:
                raise UserError("--vector-words names no file of vectors. Add --vectors")
            words = first_words(config.vectors, config.vector_words)
            vocabularies = vocabularies.joined_by(words)
        model = build_classifier(config, vocabularies, len(corpus.class_names))
        return cls(config, corpus.class_names, corpus.multi_label, vocabularies, model)

    @classmethod
    def load(
        cls, config: ClassificationConfig, description: dict, folder: Path
    ) -> "TextClassification":
        """A trained classifier from its run folder.

        Raises:
            UserError: files are missing or damaged.
        """
        try:
            classes, multi_label = tuple(description["class_names"]), description["multi_label"]
        except (KeyError, TypeError):
            raise UserError(f"{folder / CONFIG} is damaged: no classes. Train again") from None
        vocabularies = Vocabularies.load(folder)
        path = folder / MODEL
        try:
            model = keras.saving.load_model(path, compile=False, safe_mode=True)
            _check_sizes(config, classes, vocabularies, model)
        except Exception as error:  # whatever a damaged archive makes Keras raise
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise UserError(f"cannot load {path}: {reason}. Train again") from error
        return cls(config, classes, multi_label, vocabularies, model)

    def describe(self) -> dict:
        """What `load` needs besides config, vocabularies and model."""
        return {"class_names": self.class_names, "multi_label": self.multi_label}

    def save(self, folder: Path) -> None:
        """Writes vocabularies and model."""
        self.vocabularies.save(folder)
        self.model.save(folder / MODEL)

    def files(self, folder: Path) -> list[Path]:
        """The vocabulary files in a run folder."""
        return [folder / name for name in Vocabularies.FILES.values()]

    def fit(self, corpus: Corpus, folder: Path) -> training.Ending:
        """Trains, see `apps.training.fit`."""
        config, train = self.config, corpus.split("train")
        targets = train.targets
        if config.votes and train.votes is not None:
            targets = train.votes
        print(describe_cut(self.preprocessor, train.texts))
        ids = vectorize(self.preprocessor, train.texts)
        batches = Batches(
            ids,
            targets,
            config.batch_size,
            config.batch_tokens,
            config.seed,
            self.model.distribute_strategy.num_replicas_in_sync,
            config.jit,
        )
        print(f"padding: {batches.padding_share():.1%} of the tokens")
        prior = np.maximum(train.targets.mean(axis=0), 1 / len(train))
        held_out = HeldOut(
            self.preprocessor,
            corpus.split("validation"),
            prior,
            self.multi_label,
            config.prior_correction,
        )
        ending = training.fit(
            self.model,
            batches,
            held_out.figures,
            classification_loss(
                self.multi_label,
                class_weights(train.targets, config.class_weight),
                config.focal_gamma,
                config.label_smoothing,
            ),
            config.monitor,
            config,
            folder,
        )
        self.model = in_full_precision(self.model)
        # In the bias of the output layer every use of the model sees the shift.
        bias = self.model.get_layer("logits").bias
        bias.assign(bias.numpy() + held_out.shift(self.model))
        return ending

    def scores(self, texts: list[str]) -> np.ndarray:
        """<float32>[rows, num_classes], probabilities, in the order of the texts."""
        logits = logits_of(self.model, vectorize(self.preprocessor, texts))
        return probabilities(logits, self.multi_label)

    def check_comparable(self, corpus: Corpus) -> None:
        """Refuses labels of another kind than the model's.

        Raises:
            UserError: one has one label a text, the other any number.
        """
        if corpus.multi_label != self.multi_label:
            kinds = {False: "one label a text", True: "any number of labels a text"}
            raise UserError(
                f"{corpus.name} has {kinds[corpus.multi_label]}, the model was trained for "
                f"{kinds[self.multi_label]}. Check --label-column and --label-separator"
            )

    def evaluate(self, examples: LabelledTexts) -> dict:
        """All figures of a split; see `models.metrics.classification_metrics`."""
        return classification_metrics(
            examples.targets, self.scores(examples.texts), self.class_names, self.multi_label
        )

    def evaluate_baseline(self, corpus: Corpus, examples: LabelledTexts) -> dict[str, dict]:
        """The same figures of linear models trained on the corpus' training split."""
        train = corpus.split("train")
        reports = {}
        for name, balanced in [("tf-idf", False), ("tf-idf, balanced classes", True)]:
            scores = baseline_scores(
                train.texts, train.targets, examples.texts, self.multi_label, balanced
            )
            reports[name] = classification_metrics(
                examples.targets, scores, self.class_names, self.multi_label
            )
        return reports

    @staticmethod
    def table(report: dict) -> str:
        """The figures of a split, for the terminal."""
        return metrics_table(report)

    def draw(self, split: str, report: dict, folder: Path) -> None:
        """Pictures of a split's figures."""
        if "confusion_matrix" in report:
            pictures.confusion_matrix(
                np.array(report["confusion_matrix"]),
                self.class_names,
                folder / f"confusion_{split}.png",
            )

    def serving(self) -> ServingClassifier:
        """The model that takes raw strings; `predict` and `export` both use it.

        It is rebuilt without cuDNN, which a SavedModel would carry to machines without a GPU.
        """
        settings = self.model.get_config()
        settings["recurrent"] = {**settings["recurrent"], "use_cudnn": False}
        portable = TextClassifier.from_config(settings)
        portable.set_weights(self.model.get_weights())
        return ServingClassifier(self.preprocessor, portable, self.class_names, self.multi_label)

    def columns(self, answer: dict[str, tf.Tensor]) -> list[dict]:
        """The serving model's answer to a batch, one dict of output columns a row."""
        classes = [[name.decode() for name in row] for row in answer["classes"].numpy()]
        scores = answer["scores"].numpy()
        chosen = predicted(scores, self.multi_label)
        return [self._row(*row) for row in zip(classes, scores, chosen, strict=True)]

    def _row(self, names: list[str], scores: np.ndarray, chosen: np.ndarray) -> dict:
        # Nine digits are all that a float32 holds; more would be noise in the file.
        values = {name: float(f"{score:.9g}") for name, score in zip(names, scores, strict=True)}
        label = MULTI_LABEL_SEPARATOR.join(itertools.compress(names, chosen))
        by_class = {f"score_{name}": values[name] for name in self.class_names}
        return {"predicted_label": label, "predicted_score": values[names[0]], **by_class}

    def empty_columns(self) -> dict:
        """The output columns of a row that could not be answered."""
        names = ["predicted_label", "predicted_score", *(f"score_{n}" for n in self.class_names)]
        return dict.fromkeys(names)

    def show(self, text: str, row: dict) -> str:
        """A text and its answer, for the terminal."""
        return f"{text}\n    {self.describe_row(row)}"

    def describe_row(self, row: dict) -> str:
        """One answer for the terminal: classes and scores, highest first."""
        scores = {name: row[f"score_{name}"] for name in self.class_names}
        ranked = sorted(scores, key=scores.get, reverse=True)
        return "   ".join(f"{name} {100 * scores[name]:.1f} %" for name in ranked)


def _check_sizes(
    config: ClassificationConfig, classes: tuple, vocabularies: Vocabularies, model: keras.Model
) -> None:
    """Raises ValueError if the files of a run do not belong together: answers would be wrong."""
    expected = sizes(config, vocabularies, len(classes))
    found = {name: model.settings[name] for name in expected}
    if found != expected:
        name = next(name for name in expected if found[name] != expected[name])
        raise ValueError(f"{name} is {found[name]}, not {expected[name]} as its other files say")

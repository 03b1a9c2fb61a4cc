"""The tagging task: one tagger, from its data to its answers."""

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from apps.runs.contents import CONFIG, MODEL
from apps.runs.description import RunDescription
from apps.runs.files import RunFiles
from apps.serving.answers import answer_by_length
from apps.tasks.builder import check_same_vocabularies, load, with_open_vocabulary
from apps.tasks.pretrained import load_pretrained
from apps.tasks.tagging import answers, spans_on_screen
from apps.tasks.tagging.builder import build_tagger, check_tokenizer_vocabulary, sizes
from apps.tasks.tagging.config import TaggingConfig
from apps.tasks.tagging.report import Mistake, TaggingReport, find_mistakes
from apps.tasks.tagging.rows import (
    TaggerValidation,
    TagRows,
    find_token_places,
    label_tokens,
    tag_rows,
)
from apps.tasks.tagging.teacher import soft_tags
from apps.tasks.teacher import read_teacher
from apps.tasks.training_batches import training_batches
from apps.training import fit as training
from data.batches.padded import Batches
from data.errors import UserError, list_values
from data.examples.tagged import TaggedCorpus, TaggedTexts
from data.messages import detail, say
from data.text.tag_preprocessor import TagPreprocessor, build_tag_vocabularies, tokenize_all
from data.text.tokenizer import Tokenizer
from data.text.tokenizer_vocabulary import TokenizerVocabulary, find_vocabulary
from data.text.vocabulary import Vocabularies
from data.text.word_tokenizer import Tokens
from data.user_files.tagged.span_cuts import cut_shared_tokens, find_words_with_inner_ends
from data.vectors import find_vectors
from models.classification.losses import class_weights
from models.evaluation.entities import entity_metrics
from models.evaluation.gazetteer_baseline import gazetteer_tags
from models.precision import in_full_precision
from models.serving.tagger import ServingTagger
from models.tagging.ensemble import TaggerEnsemble
from models.tagging.tagger import Tagger, TaggingLoss


class TextTagging:
    """One tagger and what belongs to it; the interface is that of `TextClassification`.

    Args:
        config: the options it was or will be trained with.
        class_names: the types of entities.
        vocabularies: learned from the training texts.
        model: token ids to emissions.
        tokenizer_vocabulary: of the language model that it reads, if it does.
        refit_epochs: in which it has learned from the validation split, too.
    """

    def __init__(
        self,
        config: TaggingConfig,
        class_names: tuple[str, ...],
        vocabularies: Vocabularies,
        model: Tagger | TaggerEnsemble,
        tokenizer_vocabulary: TokenizerVocabulary | None = None,
        refit_epochs: int = 0,
    ):
        self.config = config
        self.class_names = tuple(class_names)
        self.vocabularies = vocabularies
        self.model = model
        self.tokenizer_vocabulary = tokenizer_vocabulary
        self.refit_epochs = refit_epochs
        # Of the score of no entity, from validation.
        self.shift = 0.0
        self.preprocessor = TagPreprocessor(
            vocabularies,
            config.lowercase,
            config.case_features,
            config.max_word_length if config.characters != "none" else 0,
            None if tokenizer_vocabulary is None else Tokenizer(tokenizer_vocabulary),
        )

    @classmethod
    def build(
        cls, config: TaggingConfig, corpus: TaggedCorpus, pretrained: RunFiles | None = None
    ) -> "TextTagging":
        """Returns a new tagger for a corpus; vocabularies come from its training split alone."""
        if config.max_length <= 2 * config.overlap:
            raise UserError(
                f"--overlap {config.overlap} leaves nothing of windows of {config.max_length} "
                "tokens. Lower it, or raise --max-length"
            )
        config = replace(config, vectors=find_vectors(config.vectors, config.data_dir))
        tokens, words = _training_tokens(corpus)
        if words:
            say(
                f"{len(words)} words hold several entities "
                f"({list_values(dict.fromkeys(words), 2)}): in training they are cut there, but "
                "answers are of whole words"
            )
        learned = build_tag_vocabularies(
            tokens.strings.flat_values, config.max_tokens, config.min_count, config.lowercase
        )
        vocabularies, open_rows = with_open_vocabulary(learned, config)
        trained = load_pretrained(config, pretrained)
        model = build_tagger(config, vocabularies, corpus.entity_types, open_rows, trained)
        read = None
        if trained:
            read = check_tokenizer_vocabulary(
                trained.tokenizer_vocabulary, model, config.init_from or ""
            )
        task = cls(config, corpus.entity_types, vocabularies, model, read)
        if config.teacher:
            read_teacher(task)  # refused before the training, not after it has begun
        return task

    @classmethod
    def load(
        cls, config: TaggingConfig, description: RunDescription, folder: Path
    ) -> "TextTagging":
        """Returns a trained tagger from its run folder.

        Raises:
            UserError: files are missing or damaged.
        """
        try:
            types = tuple(description.details["class_names"])
        except (KeyError, TypeError):
            raise UserError(f"{folder / CONFIG} is damaged: no types. Train again") from None
        vocabularies = Vocabularies.load(folder)
        model = load(folder / MODEL, sizes(config, vocabularies, types))
        tokens = TokenizerVocabulary.load(folder) if find_vocabulary(folder).exists() else None
        tokens = check_tokenizer_vocabulary(tokens, model, folder)
        return cls(config, types, vocabularies, model, tokens, description.refit_epochs)

    @classmethod
    def ensemble(cls, members: list["TextTagging"], corpus: TaggedCorpus) -> "TextTagging":
        """Returns the tagger of the members' mean emissions, see
        `models.tagging.ensemble.TaggerEnsemble`; their shifts of no entity are among these.

        Args:
            members: trained with the same options but for the seed.
            corpus: that they were trained on.

        Raises:
            UserError: their vocabularies differ.
        """
        first = members[0]
        check_same_vocabularies(
            [(each.vocabularies, each.tokenizer_vocabulary) for each in members]
        )
        return cls(
            first.config,
            first.class_names,
            first.vocabularies,
            TaggerEnsemble.from_models([member.model for member in members]),
            first.tokenizer_vocabulary,
            max(member.refit_epochs for member in members),
        )

    def describe(self) -> dict:
        """Returns what `load` needs besides config, vocabularies and model."""
        return {"class_names": self.class_names, "refit_epochs": self.refit_epochs}

    def save(self, folder: Path) -> None:
        """Writes vocabularies and model."""
        self.vocabularies.save(folder)
        if self.tokenizer_vocabulary is not None:
            self.tokenizer_vocabulary.save(folder)
        self.model.save(folder / MODEL)

    def files(self, folder: Path) -> list[Path]:
        """Returns the vocabulary files of a run folder."""
        files = self.vocabularies.files(folder)
        return files if self.tokenizer_vocabulary is None else [*files, find_vocabulary(folder)]

    def training_data(self, corpus: TaggedCorpus) -> tuple[Batches, keras.losses.Loss]:
        """Returns the batches of the training split and the loss to minimise."""
        config, tokens = self.config, _training_tokens(corpus)[0]
        train = self._rows(corpus.split("train"), tokens)
        texts, rows = len(corpus.split("train")), train.tags.nrows()
        say(f"train: {rows:,} rows of at most {config.max_length} tokens of {texts:,} texts")
        learned = train.tags
        if config.teacher:
            learned = soft_tags(self, corpus.split("train"), tokens)
            say(f"learning the tags of {config.teacher}")
        batches = training_batches(train.ids, learned, self.model, config)
        weights = None
        if config.class_weight:
            tags = len(self.model.settings["tags"])
            one_hot = np.eye(tags, dtype=np.float32)[train.tags.flat_values.numpy() - 1]
            weights = class_weights(one_hot, config.class_weight)
        return batches, TaggingLoss(weights)

    def trained_part(self) -> keras.Model:
        """Returns what a training changes: the model."""
        return self.model

    def fit(self, corpus: TaggedCorpus, folder: Path) -> training.TrainingResult:
        """Trains, see `apps.training.fit.fit`."""
        config, validation = self.config, corpus.split("validation")
        batches, loss = self.training_data(corpus)
        rows = self._rows(validation, tokenize_all(validation.texts))
        held_out = TaggerValidation(rows, validation, self.class_names, config.outside_shift)
        ending = training.fit(
            self.model,
            batches,
            held_out.measure,
            loss,
            config.monitor,
            config,
            folder,
        )
        self.model = in_full_precision(self.model)
        if config.outside_shift:
            self._shift_outside(held_out.outside_shift(self.model))
        return ending

    def fit_as(
        self, chosen: "TextTagging", corpus: TaggedCorpus, folder: Path, epochs: int
    ) -> training.TrainingResult:
        """Trains without a validation split, see `apps.commands.refit`; the shift is that of
        `chosen`, unless that does harm."""
        batches, loss = self.training_data(corpus)
        monitor, config = self.config.monitor, self.config
        ending = training.fit(
            self.model, batches, None, loss, monitor, config, folder, epochs=epochs
        )
        self.model, self.refit_epochs = in_full_precision(self.model), ending.epochs
        if chosen.shift:
            train = corpus.split("train")
            learned = self._rows(train, tokenize_all(train.texts))
            held = TaggerValidation(learned, train, self.class_names)
            self._shift_outside(held.harmless_shift(self.model, chosen.shift))
        return ending

    def _shift_outside(self, by: float) -> None:
        self.shift = by
        if by:
            self.model.shift_outside(by)
            detail(f"score offset of 'no entity' (O), chosen on validation: {by:g}")

    def _rows(self, examples: TaggedTexts, tokens: Tokens) -> TagRows:
        return tag_rows(
            self.preprocessor, examples, tokens, self.class_names, self.config.max_length
        )

    def evaluate(self, examples: TaggedTexts) -> TaggingReport:
        """Measures the tagger on a split, through the serving model; see
        `models.evaluation.entities`."""
        rows = answer_by_length(self, self.serving().serve, examples.texts)
        return self.report_rows(rows, examples)

    def report_rows(self, rows: list[dict], examples: TaggedTexts) -> TaggingReport:
        """Measures output columns of the texts of a split."""
        tokens = tokenize_all(examples.texts)
        places = find_token_places(examples, tokens)
        found = [
            label_tokens(each, answers.to_spans(row["entities"]), self.class_names)
            for each, row in zip(places, rows, strict=True)
        ]
        metrics = entity_metrics(*self._gold(examples), found, self.class_names)
        if words := find_words_with_inner_ends(tokens, examples):
            metrics["cut_words"] = {"count": len(words), "first": words[0]}
        mistakes = find_mistakes(
            Mistake(row.text, tuple(row.spans), tuple(answers.to_spans(answer["entities"])))
            for row, answer in zip(examples, rows, strict=True)
        )
        return TaggingReport(metrics, mistakes)

    @staticmethod
    def read_report(metrics: dict) -> TaggingReport:
        """Returns the report of metrics from `metrics.json`, or of the mean of several."""
        return TaggingReport(metrics)

    def evaluate_baselines(
        self, corpus: TaggedCorpus, examples: TaggedTexts
    ) -> dict[str, TaggingReport]:
        """Measures a list of the training split's entities in the same way."""
        known, wanted = (self._gold(part) for part in (corpus.split("train"), examples))
        found = gazetteer_tags(*known, wanted[0])
        return {"gazetteer": TaggingReport(entity_metrics(*wanted, found, self.class_names))}

    def _gold(self, examples: TaggedTexts) -> tuple[list[list[str]], list[list[str]]]:
        """Returns the tokens that metrics count, and their tags."""
        places = find_token_places(examples, tokenize_all(examples.texts))
        tokens = [
            [row.text[start:end] for start, end in each]
            for row, each in zip(examples, places, strict=True)
        ]
        tags = [
            label_tokens(each, row.spans, self.class_names)
            for row, each in zip(examples, places, strict=True)
        ]
        return tokens, tags

    def serving(self) -> ServingTagger:
        """Returns the model that takes raw strings; `predict`, `evaluate` and `export` use it."""
        return self._serving(self.model.for_export())

    def to_portable(self) -> ServingTagger:
        """Returns the model that an ONNX form is written of: no copy, for it runs no graph."""
        return self._serving(self.model)

    def _serving(self, model: Tagger | TaggerEnsemble) -> ServingTagger:
        config = self.config
        return ServingTagger(self.preprocessor, model, config.max_length, config.overlap)

    def output_rows(self, answer: dict[str, tf.Tensor]) -> list[dict]:
        """See `apps.tasks.tagging.answers.output_rows`."""
        return answers.output_rows(answer)

    def empty_row(self) -> dict:
        """See `apps.tasks.tagging.answers.empty_row`."""
        return answers.empty_row()

    def to_result(self, text: str, row: dict, problem: str = "") -> answers.TaggedText:
        """Returns the answer to a text by its output columns."""
        return answers.to_result(text, row, problem)

    def format_answer(self, text: str, row: dict) -> str:
        """Formats a text and its answer for the terminal."""
        return spans_on_screen.mark_spans(text, row["entities"])


def _training_tokens(corpus: TaggedCorpus) -> tuple[Tokens, list[str]]:
    """Returns the tokens of the training split, and the words cut between their entities."""
    train = corpus.split("train")
    return cut_shared_tokens(tokenize_all(train.texts), train)

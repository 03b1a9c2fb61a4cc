"""The translation task: one translator, from its data to its answers."""

from dataclasses import replace
from pathlib import Path

import keras
import tensorflow as tf

from apps.runs.contents import CONFIG, MODEL
from apps.runs.description import RunDescription
from apps.runs.files import RunFiles
from apps.serving.answers import answer_by_length
from apps.tasks.builder import load
from apps.tasks.seq2seq import answers as translated
from apps.tasks.seq2seq.builder import (
    build_tokenizers,
    build_translator,
    learn_vocabularies,
    sizes,
    vocabulary_names,
)
from apps.tasks.seq2seq.config import (
    TranslationConfig,
    TranslationExportOptions,
    TranslationPredictOptions,
)
from apps.tasks.seq2seq.report import TranslationReport, find_worst
from apps.tasks.seq2seq.validation import Seq2SeqValidation, encode_pairs
from apps.training import fit as training
from data.batches.parallel import ParallelBatches
from data.errors import UserError
from data.examples.parallel import ParallelCorpus, ParallelTexts
from data.messages import detail, printable, say
from data.text.tokenizer_vocabulary import TokenizerVocabulary, find_vocabulary
from models.evaluation import translation
from models.evaluation.translation_memory import memory_translations
from models.precision import in_full_precision
from models.seq2seq.encoder_decoder import Translator
from models.seq2seq.loss import TranslationLoss
from models.seq2seq.search import TranslationSearch
from models.serving.translator import ServingTranslator


class Seq2Seq:
    """One translator and what belongs to it; the interface is that of `TextClassification`.

    Args:
        config: the options it was or will be trained with.
        class_names: the languages, that of the sources first.
        tokenizer_vocabularies: of either side, learned from the training texts; one object if they
            share it.
        model: ids to logits.
    """

    def __init__(
        self,
        config: TranslationConfig,
        class_names: tuple[str, str],
        tokenizer_vocabularies: tuple[TokenizerVocabulary, TokenizerVocabulary],
        model: Translator,
    ):
        self.config, self.class_names = config, tuple(class_names)
        self.tokenizer_vocabularies, self.model = tokenizer_vocabularies, model
        self.tokenizers = build_tokenizers(tokenizer_vocabularies)
        self.options = TranslationPredictOptions()

    @classmethod
    def read(
        cls, config: TranslationConfig, sample: str = "", trained: "Seq2Seq | None" = None
    ) -> ParallelCorpus:
        """Reads the data set that the config names.

        Args:
            config: the options.
            sample: the name of the file that `--dataset sample` means.
            trained: the task that is evaluated on the data, or None for a training.

        Raises:
            UserError: it cannot be used.
        """
        return config.read_corpus(sample, trained.class_names if trained else ())

    @classmethod
    def build(
        cls, config: TranslationConfig, corpus: ParallelCorpus, pretrained: RunFiles | None = None
    ) -> "Seq2Seq":
        """Returns a new translator for a corpus; its tokens come from the training split alone."""
        train = corpus.split("train")
        vocabularies = learn_vocabularies(config, train)
        tokenizers = build_tokenizers(vocabularies)
        source, target = sizes(tokenizers).values()
        say(f"tokens: {config.tokenizer}, vocabularies of {source:,} and {target:,}")
        model = build_translator(config, tokenizers, len(train))
        return cls(config, corpus.languages, vocabularies, model)

    @classmethod
    def load(
        cls, config: TranslationConfig, description: RunDescription, folder: Path
    ) -> "Seq2Seq":
        """Returns a trained translator from its run folder.

        Raises:
            UserError: files are missing or damaged.
        """
        languages = description.class_names
        if len(languages) != 2:
            raise UserError(f"{folder / CONFIG} is damaged: no languages. Train again")
        loaded = [TokenizerVocabulary.load(folder, name) for name in vocabulary_names(config)]
        vocabularies = (loaded[0], loaded[-1])
        model = load(folder / MODEL, sizes(build_tokenizers(vocabularies)))
        return cls(config, languages, vocabularies, model)

    def describe(self) -> dict:
        """Returns what `load` needs besides config, vocabularies and model."""
        return {"class_names": self.class_names}

    def save(self, folder: Path) -> None:
        """Writes vocabularies and model."""
        names = vocabulary_names(self.config)
        for name, vocabulary in zip(names, self.tokenizer_vocabularies, strict=False):
            vocabulary.save(folder, name)
        self.model.save(folder / MODEL)

    def files(self, folder: Path) -> list[Path]:
        """Returns the files of the vocabularies in a run folder."""
        return [find_vocabulary(folder, name) for name in vocabulary_names(self.config)]

    def training_data(self, corpus: ParallelCorpus) -> tuple[ParallelBatches, keras.losses.Loss]:
        """Returns the batches of the training split and the loss to minimise.

        Raises:
            UserError: all pairs are too long.
        """
        config, train = self.config, corpus.split("train")
        sources, targets = encode_pairs(self.tokenizers, train)
        short = tf.maximum(sources.row_lengths(), targets.row_lengths()) <= config.max_length
        kept = int(tf.math.count_nonzero(short))
        if not kept:
            raise UserError(
                f"no pair has at most {config.max_length} tokens on both sides. Raise --max-length"
            )
        if kept < len(train):
            say(
                f"left out: {len(train) - kept:,} of {len(train):,} pairs are longer than "
                f"{config.max_length} tokens"
            )
        batches = ParallelBatches(
            tf.ragged.boolean_mask(sources, short),
            tf.ragged.boolean_mask(targets, short),
            config.batch_size,
            config.batch_tokens,
            config.seed,
            self.model.distribute_strategy.num_replicas_in_sync,
            config.jit,
        )
        detail(f"padding: {batches.padding_share():.1%} of the tokens")
        return batches, TranslationLoss(config.label_smoothing)

    def fit(self, corpus: ParallelCorpus, folder: Path) -> training.TrainingResult:
        """Trains, see `apps.training.fit.fit`."""
        batches, loss = self.training_data(corpus)
        held_out = Seq2SeqValidation(self, corpus.split("validation"))
        ending = training.fit(
            self.model,
            batches,
            held_out.measure,
            loss,
            self.config.monitor,
            self.config,
            folder,
        )
        self.model = in_full_precision(self.model)
        return ending

    def evaluate(self, examples: ParallelTexts) -> TranslationReport:
        """Measures the translator on a split, through the serving model; see
        `models.evaluation.translation`."""
        rows = answer_by_length(self, self.serving().serve, examples.texts)
        translations = [row["translation"] for row in rows]
        worst = find_worst(examples.texts, examples.translations, translations)
        return replace(self._report(translations, examples), worst=worst)

    def read_report(self, metrics: dict) -> TranslationReport:
        """Returns the report of metrics from `metrics.json`, or of the mean of several."""
        return TranslationReport(metrics, f"attention: {self.config.attention}")

    def _report(self, translations: list[str], examples: ParallelTexts) -> TranslationReport:
        return self.read_report(
            translation.translation_report(translations, examples.translations, examples.texts)
        )

    def evaluate_baselines(
        self, corpus: ParallelCorpus, examples: ParallelTexts
    ) -> dict[str, TranslationReport]:
        """Measures the sources as they are, and a translation memory, in the same way."""
        found = {
            "copy": examples.texts,
            "translation memory": memory_translations(corpus.split("train"), examples.texts),
        }
        return {name: self._report(translations, examples) for name, translations in found.items()}

    def set_options(self, options: TranslationPredictOptions | TranslationExportOptions) -> None:
        """Answers as these options say, where they say something; else as the training's do.

        Raises:
            UserError: more translations are wanted than the beam holds, or there is no attention.
        """
        names = ("beam_width", "length_penalty", "coverage_penalty", "replace_unknown")
        given = {name: getattr(options, name) for name in names}
        given = {name: value for name, value in given.items() if value is not None}
        self.config = replace(self.config, **given)
        if isinstance(options, TranslationPredictOptions):
            self.options = options
        if self.options.n_best > self.config.beam_width:
            raise UserError(
                f"--n-best {self.options.n_best} needs a beam as wide. Received: "
                f"--beam-width {self.config.beam_width}"
            )
        if self.options.alignment and self.config.attention == "none":
            raise UserError(
                "--alignment needs a model with attention, this one was trained without"
            )

    def search(self) -> TranslationSearch:
        """Returns how the options look for translations."""
        config, options = self.config, self.options
        return TranslationSearch(
            1 if options.temperature else config.beam_width,
            config.length_penalty,
            config.coverage_penalty,
            options.n_best,
            options.temperature,
            options.top_k,
            options.top_p,
            options.seed,
            config.max_length,
        )

    def serving(self) -> ServingTranslator:
        """Returns the model that takes raw strings; `predict`, `evaluate` and `export` use it."""
        return ServingTranslator(
            *self.tokenizers,
            self.model.for_export(),
            self.search(),
            self.config.replace_unknown,
            self.options.alignment,
        )

    def output_rows(self, answer: dict[str, tf.Tensor]) -> list[dict]:
        """Returns the output columns of each text of a batch that the serving model answered."""
        return translated.output_rows(answer)

    def empty_row(self) -> dict:
        """Returns the output columns of a row that could not be answered."""
        return translated.empty_row(self.options)

    def format_answer(self, text: str, row: dict) -> str:
        """Formats an answer for the terminal."""
        return printable(translated.format_row(row))

    def to_result(self, text: str, row: dict, problem: str = "") -> translated.Translation:
        """Returns the answer to a text by its output columns."""
        return translated.to_result(text, row, problem)

    def draw_answer(self, row: dict, number: int) -> Path | None:
        """Draws the alignment of an answer, if it has one, and returns the picture's path."""
        if row.get("alignment") is None:
            return None
        picture = Path(self.options.heat_map)
        if number > 1:
            picture = picture.with_stem(f"{picture.stem}-{number}")
        row["alignment"].draw(picture)
        return picture

"""The task of models that turn one text into another: one such model, from data to answers."""

import functools
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from apps.runs.contents import CONFIG, MODEL
from apps.runs.description import RunDescription
from apps.runs.files import RunFiles
from apps.runs.init_from import check_inherited, kind_of, read_pretrained
from apps.serving.answers import answer_by_length
from apps.tasks.builder import check_same_vocabularies, check_single, load
from apps.tasks.pretrained import load_pretrained
from apps.tasks.seq2seq import answers as written_answers
from apps.tasks.seq2seq.baselines import BASELINES
from apps.tasks.seq2seq.builder import (
    build_tokenizers,
    build_translator,
    find_vocabularies,
    sizes,
    trained_part,
    vocabulary_names,
)
from apps.tasks.seq2seq.config import Seq2SeqConfig, Seq2SeqExportOptions, Seq2SeqPredictOptions
from apps.tasks.seq2seq.encoding import cut_sources, draw_pairs, encode_pairs, report_cut
from apps.tasks.seq2seq.report import Seq2SeqReport, find_worst
from apps.tasks.seq2seq.search_options import apply_options, search_options
from apps.tasks.seq2seq.validation import Seq2SeqValidation
from apps.training import fit as training
from data.batches.parallel import ParallelBatches, RedrawnBatches
from data.errors import UserError
from data.examples.made_up_names import MadeUpNames
from data.examples.parallel import ParallelCorpus, ParallelTexts
from data.messages import detail, printable, say
from data.text.tokenizer_vocabulary import TokenizerVocabulary, find_vocabulary
from models.evaluation import generated_texts
from models.precision import in_full_precision
from models.seq2seq.encoder_decoder import Translator
from models.seq2seq.ensemble import TranslatorEnsemble
from models.seq2seq.loss import TranslationLoss
from models.seq2seq.search import TranslationSearch
from models.serving.translator import ServingTranslator


class Seq2Seq:
    """One translator, or the like, and what belongs to it.

    The interface is that of `TextClassification`.

    Args:
        config: the options it was or will be trained with.
        class_names: the names of the sides, such as languages, that of the sources first.
        tokenizer_vocabularies: of either side, learned from the training texts; one object if they
            share it.
        model: ids to logits.
    """

    def __init__(
        self,
        config: Seq2SeqConfig,
        class_names: tuple[str, str],
        tokenizer_vocabularies: tuple[TokenizerVocabulary, TokenizerVocabulary],
        model: Translator | TranslatorEnsemble,
    ):
        self.config, self.class_names = config, tuple(class_names)
        self.tokenizer_vocabularies, self.model = tokenizer_vocabularies, model
        self.tokenizers = build_tokenizers(tokenizer_vocabularies, config.copy)
        self.options = Seq2SeqPredictOptions()

    @classmethod
    def build(
        cls, config: Seq2SeqConfig, corpus: ParallelCorpus, pretrained: RunFiles | None = None
    ) -> "Seq2Seq":
        """Returns a new translator for a corpus; its tokens come from the training split alone, or
        from the model that it begins with."""
        train = corpus.split("train")
        files = read_pretrained(config, pretrained)
        if files is not None and kind_of(files.description) == config.kind:
            return cls._continue(config, corpus, files)
        trained = load_pretrained(config, files)
        vocabularies = find_vocabularies(config, train, trained)
        tokenizers = build_tokenizers(vocabularies, config.copy)
        source, target = sizes(tokenizers).values()
        say(f"tokens: {config.tokenizer}, vocabularies of {source:,} and {target:,}")
        model = build_translator(config, tokenizers, len(train), trained)
        return cls(config, corpus.languages, vocabularies, model)

    @classmethod
    def _continue(cls, config: Seq2SeqConfig, corpus: ParallelCorpus, files: RunFiles) -> "Seq2Seq":
        """Returns a new translator with the tokens and all weights of a trained one."""
        check_inherited(config, files.description)
        with files.copied() as folder:
            trained = cls.load(config, files.description, folder)
        seed = files.description.config.get("seed", 0)
        check_single(trained.model, config.init_from, seed)
        model = build_translator(config, trained.tokenizers, len(corpus.split("train")))
        model.set_weights(trained.model.get_weights())
        say(f"all layers: weights from {config.init_from}")
        return cls(config, corpus.languages, trained.tokenizer_vocabularies, model)

    @classmethod
    def load(cls, config: Seq2SeqConfig, description: RunDescription, folder: Path) -> "Seq2Seq":
        """Returns a trained translator from its run folder.

        Raises:
            UserError: files are missing or damaged.
        """
        languages = description.class_names
        if len(languages) != 2:
            raise UserError(f"{folder / CONFIG} is damaged: no {config.sides}. Train again")
        loaded = [TokenizerVocabulary.load(folder, name) for name in vocabulary_names(config)]
        vocabularies = (loaded[0], loaded[-1])
        model = load(folder / MODEL, sizes(build_tokenizers(vocabularies, config.copy)))
        return cls(config, languages, vocabularies, model)

    @classmethod
    def ensemble(cls, members: list["Seq2Seq"], corpus: ParallelCorpus) -> "Seq2Seq":
        """Returns the translator whose search sees the mean of the members' probabilities.

        Args:
            members: trained with the same options but for the seed.
            corpus: that they were trained on.

        Raises:
            UserError: their vocabularies differ.
        """
        first = members[0]
        check_same_vocabularies([member.tokenizer_vocabularies for member in members])
        model = TranslatorEnsemble.from_models([member.model for member in members])
        return cls(first.config, corpus.languages, first.tokenizer_vocabularies, model)

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
        lengths = targets.row_lengths()
        if not config.max_source_length:
            lengths = tf.maximum(sources.row_lengths(), lengths)
        short = lengths <= config.max_length
        kept = int(tf.math.count_nonzero(short))
        if not kept:
            sides = "in its target" if config.max_source_length else "on both sides"
            raise UserError(
                f"no pair has at most {config.max_length} tokens {sides}. Raise --max-length"
            )
        if kept < len(train):
            say(
                f"left out: {len(train) - kept:,} of {len(train):,} pairs are longer than "
                f"{config.max_length} tokens"
            )
        options = (
            config.batch_size,
            config.batch_tokens,
            config.seed,
            self.model.distribute_strategy.num_replicas_in_sync,
            config.jit,
        )
        sources = tf.ragged.boolean_mask(sources, short)
        report_cut(config, sources)
        batches: ParallelBatches
        # What answers are compared with has the tokens that answers have.
        dropout = 0.0 if config.self_critical else config.subword_dropout
        if dropout or config.made_up_names:
            pairs = train.take(np.flatnonzero(short).tolist())
            names = MadeUpNames(pairs.rows) if config.made_up_names else None
            if names is not None:
                say(f"made-up names: in {len(names):,} pairs that have names on both sides")
            batches = RedrawnBatches(functools.partial(self._draw, pairs, names, dropout), *options)
        else:
            targets = tf.ragged.boolean_mask(targets, short)
            batches = ParallelBatches(cut_sources(config, sources), targets, *options)
        detail(f"padding: {batches.padding_share():.1%} of the tokens")
        if config.self_critical:
            return batches, keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        return batches, TranslationLoss(config.label_smoothing)

    def _draw(
        self, pairs: ParallelTexts, names: MadeUpNames | None, dropout: float, epoch: int
    ) -> tuple[tf.RaggedTensor, tf.RaggedTensor]:
        """Returns the tokens of pairs for an epoch."""
        config = self.config
        seed = config.seed, epoch
        if names is not None:
            pairs = ParallelTexts(names.replace(config.made_up_names, seed))
        if dropout:
            sources, targets = draw_pairs(self.tokenizers[0], pairs, dropout, seed)
        else:
            sources, targets = encode_pairs(self.tokenizers, pairs)
        return cut_sources(config, sources), targets

    def trained_part(self) -> keras.Model:
        """Returns what a training changes, see `apps.tasks.seq2seq.builder.trained_part`."""
        return trained_part(self.model, self.config)

    def fit(self, corpus: ParallelCorpus, folder: Path) -> training.TrainingResult:
        """Trains, see `apps.training.fit.fit`."""
        batches, loss = self.training_data(corpus)
        held_out = Seq2SeqValidation(self, corpus.split("validation"))
        ending = training.fit(
            self.trained_part(),
            batches,
            lambda _: held_out.measure(self.model),
            loss,
            self.config.monitor,
            self.config,
            folder,
        )
        self.model = in_full_precision(self.model)
        return ending

    def evaluate(self, examples: ParallelTexts) -> Seq2SeqReport:
        """Measures the translator on a split, through the serving model; see
        `models.evaluation.translation`."""
        rows = answer_by_length(self, self.serving().serve, examples.texts)
        written = [row[self.config.answer] for row in rows]
        worst = find_worst(examples.texts, examples.translations, written)
        return replace(self._report(written, examples), worst=worst)

    def read_report(self, metrics: dict) -> Seq2SeqReport:
        """Returns the report of metrics from `metrics.json`, or of the mean of several."""
        config = self.config
        title = f"attention: {config.attention}"
        return Seq2SeqReport(metrics, title, answer=config.answer, answers=config.answers)

    def _report(self, written: list[str], examples: ParallelTexts) -> Seq2SeqReport:
        return self.read_report(
            generated_texts.text_report(
                self.config.metrics,
                written,
                examples.translations,
                examples.texts,
                examples.others,
            )
        )

    def evaluate_baselines(
        self, corpus: ParallelCorpus, examples: ParallelTexts
    ) -> dict[str, Seq2SeqReport]:
        """Measures what answers without learning, in the same way."""
        train = corpus.split("train")
        found = {name: BASELINES[name](train, examples.texts) for name in self.config.baselines}
        return {name: self._report(written, examples) for name, written in found.items()}

    def set_options(self, options: Seq2SeqPredictOptions | Seq2SeqExportOptions) -> None:
        """Answers as these options say, where they say something; else as the training's do.

        Raises:
            UserError: more translations are wanted than the beam holds, or the model has no
                attention or does not copy, as an option needs it to.
        """
        self.config = apply_options(self.config, options)
        if isinstance(options, Seq2SeqPredictOptions):
            self.options = options

    def search(self) -> TranslationSearch:
        """Returns how the options look for answers."""
        return TranslationSearch(**search_options(self.config, self.options))

    def greedy_search(self) -> TranslationSearch:
        """Returns the search that chooses an epoch: the most probable token each time."""
        return TranslationSearch(
            max_length=self.config.max_length,
            source_length=self.config.source_length,
            min_length=self.config.min_length,
            no_repeat_ngram=self.config.no_repeat_ngram,
        )

    def serving(self) -> ServingTranslator:
        """Returns the model that takes raw strings; `predict`, `evaluate` and `export` use it."""
        return self._serving(self.model.for_export())

    def to_portable(self) -> ServingTranslator:
        """Returns the model that an ONNX form is written of: no copy, for it runs no graph."""
        return self._serving(self.model)

    def _serving(self, model: Translator) -> ServingTranslator:
        return ServingTranslator(
            *self.tokenizers,
            model,
            self.search(),
            self.config.replace_unknown,
            self.options.alignment or self.options.highlights,
            self.config.answers,
            self.config.answer,
        )

    def output_rows(self, answer: dict[str, tf.Tensor]) -> list[dict]:
        """Returns the output columns of each text of a batch that the serving model answered."""
        config = self.config
        return written_answers.output_rows(config.answer, config.answers, answer, self.options)

    def empty_row(self) -> dict:
        """Returns the output columns of a row that could not be answered."""
        return written_answers.empty_row(self.config.answer, self.options)

    def format_answer(self, text: str, row: dict) -> str:
        """Formats an answer for the terminal."""
        return printable(written_answers.format_row(self.config.answer, row))

    def to_result(
        self, text: str, row: dict, problem: str = ""
    ) -> written_answers.Translation | written_answers.Summary:
        """Returns the answer to a text by its output columns."""
        return written_answers.to_result(self.config.answer, text, row, problem)

    def draw_answer(self, row: dict, number: int) -> Path | None:
        """Draws the alignment of an answer, if it has one, and returns the picture's path."""
        if row.get("alignment") is None:
            return None
        picture = Path(self.options.heat_map)
        if number > 1:
            picture = picture.with_stem(f"{picture.stem}-{number}")
        row["alignment"].draw(picture)
        return picture

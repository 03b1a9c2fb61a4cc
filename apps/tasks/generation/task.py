"""The text generation task: one language model, from its data to its texts."""

import functools
from dataclasses import replace
from pathlib import Path

import keras
import tensorflow as tf

from apps.runs.contents import CONFIG, MODEL
from apps.runs.description import RunDescription
from apps.runs.files import RunFiles
from apps.tasks.builder import check_same_vocabularies, load
from apps.tasks.generation.answers import Continuation
from apps.tasks.generation.builder import build_language_model, sizes
from apps.tasks.generation.config import GenerationConfig, GenerationOptions, find_label
from apps.tasks.generation.perplexity import Perplexity, measure
from apps.tasks.generation.report import PerplexityReport
from apps.tasks.generation.terminal import GenerationTerminal
from apps.tasks.pretrained import load_pretrained
from apps.training import fit as training
from data.batches.streams import Streams
from data.errors import UserError
from data.examples.documents import DocumentCorpus, Documents
from data.messages import detail, printable, say
from data.text.tokenizer import Tokenizer
from data.text.tokenizer_vocabulary import (
    TokenizerVocabulary,
    find_vocabulary,
    learn_vocabulary,
)
from models.language_model.ensemble import LanguageModelEnsemble
from models.language_model.language_model import LanguageModel
from models.language_model.stream_model import MeanOverTokens, StreamModel
from models.precision import in_full_precision
from models.serving.generator import TextGenerator

# Texts that a page shows.
_WORST = 30


class TextGeneration:
    """One language model and what belongs to it; the interface is that of `TextClassification`.

    Args:
        config: the options it was or will be trained with.
        class_names: that texts may be conditioned on; none for a model without.
        tokenizer_vocabulary: learned from the training texts.
        ends: whether they said where texts end.
        language_model: ids to logits.
    """

    def __init__(
        self,
        config: GenerationConfig,
        class_names: tuple[str, ...],
        tokenizer_vocabulary: TokenizerVocabulary,
        ends: bool,
        language_model: LanguageModel | LanguageModelEnsemble,
    ):
        self.config, self.class_names = config, tuple(class_names)
        self.tokenizer_vocabulary, self.ends = tokenizer_vocabulary, ends
        self.tokenizer = Tokenizer(tokenizer_vocabulary)
        self.language_model = language_model
        self.options = GenerationOptions()

    @functools.cached_property
    def model(self) -> StreamModel:
        """Returns what is trained: the language model, and the states that its streams carry."""
        config = self.config
        penalties = config.activation_penalty, config.slowness_penalty
        return StreamModel(self.language_model, config.batch_size, *penalties, config.candidates)

    @classmethod
    def build(
        cls, config: GenerationConfig, corpus: DocumentCorpus, pretrained: RunFiles | None = None
    ) -> "TextGeneration":
        """Returns a new model for a corpus; its tokens come from the training split alone."""
        train = corpus.split("train")
        trained = load_pretrained(config, pretrained)
        if trained is not None:
            vocabulary = trained.tokenizer_vocabulary
            assert vocabulary is not None, "a language model has one"
        else:
            vocabulary = learn_vocabulary(config.tokenizer, train, config.vocabulary_size)
        model = build_language_model(config, vocabulary, len(corpus.class_names), trained)
        size = model.settings["vocabulary_size"]
        say(f"vocabulary: {size:,}; parameters: {model.count_params():,}")
        return cls(config, corpus.class_names, vocabulary, train.whole, model)

    @classmethod
    def load(
        cls, config: GenerationConfig, description: RunDescription, folder: Path
    ) -> "TextGeneration":
        """Returns a trained model from its run folder.

        Raises:
            UserError: files are missing or damaged.
        """
        try:
            details = description.details
            names, ends = tuple(details["class_names"]), bool(details["ends"])
        except (KeyError, TypeError):
            raise UserError(f"{folder / CONFIG} is damaged: no classes. Train again") from None
        vocabulary = TokenizerVocabulary.load(folder)
        model = load(folder / MODEL, sizes(vocabulary, len(names)))
        return cls(config, names, vocabulary, ends, model)

    @classmethod
    def ensemble(cls, members: list["TextGeneration"], corpus: DocumentCorpus) -> "TextGeneration":
        """Returns the language model whose next tokens' probabilities are the mean of the members'.

        Args:
            members: trained with the same options but for the seed.
            corpus: that they were trained on.

        Raises:
            UserError: their vocabularies differ.
        """
        first = members[0]
        check_same_vocabularies([member.tokenizer_vocabulary for member in members])
        model = LanguageModelEnsemble.from_models([member.language_model for member in members])
        return cls(first.config, first.class_names, first.tokenizer_vocabulary, first.ends, model)

    def describe(self) -> dict:
        """Returns what `load` needs besides config, vocabulary and model."""
        return {"class_names": self.class_names, "ends": self.ends}

    def save(self, folder: Path) -> None:
        """Writes vocabulary and model."""
        self.tokenizer_vocabulary.save(folder)
        self.language_model.save(folder / MODEL)

    def files(self, folder: Path) -> list[Path]:
        """Returns the file of the vocabulary in a run folder."""
        return [find_vocabulary(folder)]

    def set_options(self, options: GenerationOptions) -> None:
        """Sets how texts are continued.

        Raises:
            UserError: a class that the model does not know, or none where it needs one.
        """
        find_label(options.condition, self.class_names)
        self.options = options

    def training_data(self, corpus: DocumentCorpus) -> tuple[Streams, keras.losses.Loss]:
        """Returns the streams of the training split and the loss to minimise."""
        config, train = self.config, corpus.split("train")
        streams = Streams(
            self.tokenizer.encode_all(train.texts),
            config.batch_size,
            config.sequence_length,
            config.seed,
            self.ends,
            train.labels,
            backward=config.backward,
        )
        padding = f"{streams.padding_share():.1%} of the positions"
        say(f"train: {streams.num_tokens:,} {config.tokenizer}")
        detail(f"padding: {padding}")
        return streams, MeanOverTokens()

    def trained_part(self) -> keras.Model:
        """Returns what a training changes: the model."""
        return self.model

    def fit(self, corpus: DocumentCorpus, folder: Path) -> training.TrainingResult:
        """Trains, see `apps.training.fit.fit`."""
        batches, loss = self.training_data(corpus)
        held_out = self._directions(corpus.split("validation"))
        # Made once: its graph reads the weights as they are.
        options = GenerationOptions(max_length=max(1, self.config.sample_length))
        sampler = TextGenerator(self.tokenizer, self.language_model, options, self.ends)

        def validate(model: StreamModel) -> dict[str, float]:
            found = measure(held_out)
            if self.config.sample_length:
                text = sampler.serve(tf.constant([""]))["texts"].numpy()[0]
                say(f"\n{text.decode('utf-8')}\n")
            return found

        ending = training.fit(
            self.model, batches, validate, loss, self.config.monitor, self.config, folder
        )
        self.language_model = in_full_precision(self.language_model)
        return ending

    def _directions(self, documents: Documents) -> list[Perplexity]:
        """Returns the measurements of a split: of each of the model's stacks."""
        model, tokenizer = self.language_model, self.tokenizer
        directions = (False,) if model.backward_stack is None else (False, True)
        return [Perplexity(model, tokenizer, documents, self.ends, each) for each in directions]

    def evaluate(self, examples: Documents) -> PerplexityReport:
        """Measures the model on a split; see `apps.tasks.generation.perplexity`."""
        held_out, *backward = self._directions(examples)
        nats = held_out.nats()
        metrics = held_out.report(nats)
        if backward:
            metrics["backward_nats_per_unit"] = backward[0].nats_per_token()
        worst = tuple(held_out.worst_texts(nats, _WORST))
        return replace(self.read_report(metrics), worst=worst)

    def read_report(self, metrics: dict) -> PerplexityReport:
        """Returns the report of metrics from `metrics.json`, or of the mean of several."""
        return PerplexityReport(metrics, self.config.tokenizer)

    def evaluate_baselines(
        self, corpus: DocumentCorpus, examples: Documents
    ) -> dict[str, PerplexityReport]:
        """Returns nothing: there is none of a language model."""
        return {}

    def serving(self) -> TextGenerator:
        """Returns the model that takes raw strings; `predict` and `export` use it.

        Raises:
            UserError: rounded weights are asked for, which this model or machine cannot use.
        """
        model = self.language_model.for_export()
        if rounded := getattr(self.options, "quantize", None):
            try:
                model.round_weights()
            except ValueError as error:
                raise UserError(f"--quantize {rounded}: {error}. Leave it out") from None
        return self._serving(model, compiled=not rounded)

    def to_portable(self) -> TextGenerator:
        """Returns the model that an ONNX form is written of: no copy, for it runs no graph."""
        return self._serving(self.language_model)

    def _serving(self, model: LanguageModel, compiled: bool = True) -> TextGenerator:
        label = self.class_names.index(self.options.condition) if self.options.condition else 0
        return TextGenerator(self.tokenizer, model, self.options, self.ends, label, compiled)

    def output_rows(self, answer: dict[str, tf.Tensor]) -> list[dict]:
        """Returns the output columns of each text of a batch that the serving model answered."""
        texts, scores = answer["continuations"].numpy(), answer["log_likelihoods"].numpy()
        return [
            {"continuation": text.decode("utf-8"), "log_likelihood": round(float(score), 4)}
            for text, score in zip(texts, scores, strict=True)
        ]

    def empty_row(self) -> dict:
        """Returns the output columns of a row that could not be answered."""
        return {"continuation": "", "log_likelihood": None}

    def format_answer(self, text: str, row: dict) -> str:
        """Formats a text and what follows it for the terminal."""
        return printable(text + row["continuation"])

    def to_result(self, text: str, row: dict, problem: str = "") -> Continuation:
        """Returns the answer to a text by its output columns."""
        return Continuation(text, row["continuation"], row["log_likelihood"], problem)

    def run_interactively(self, texts: list[str]) -> None:
        """Answers texts on the terminal, as the options say."""
        GenerationTerminal(self.serving(), self.options).answer(texts)

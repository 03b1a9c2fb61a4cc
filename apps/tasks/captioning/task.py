"""The captioning task: one captioner, from its data to its answers."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from apps.runs.contents import MODEL
from apps.runs.description import RunDescription
from apps.runs.files import RunFiles
from apps.tasks.builder import check_same_vocabularies, load
from apps.tasks.captioning import answers as described
from apps.tasks.captioning.arrays import array_name, make_array, mean_features, mirror_array
from apps.tasks.captioning.builder import build_captioner, trained_part
from apps.tasks.captioning.config import (
    CaptioningConfig,
    CaptioningExportOptions,
    CaptioningPredictOptions,
)
from apps.tasks.captioning.report import CaptionReport, find_worst, measure_captions
from apps.tasks.captioning.validation import CaptioningValidation
from apps.tasks.pretrained import load_pretrained
from apps.training import fit as training
from data.batches.captions import CaptionBatches
from data.batches.pictures import Readable
from data.errors import UserError
from data.examples.captions import CaptionCorpus, CaptionedPictures
from data.images.files import PictureFile
from data.messages import detail, printable, say, warn
from data.text.special_tokens import END
from data.text.tokenizer import Tokenizer
from data.text.tokenizer_vocabulary import (
    TokenizerVocabulary,
    find_vocabulary,
    learn_vocabulary,
)
from models.captioning.captioner import Captioner
from models.captioning.ensemble import CaptionerEnsemble, have_one_encoder
from models.evaluation.captions.cider import CiderD
from models.evaluation.captions.neighbours import consensus_captions, nearest_captions
from models.precision import in_full_precision
from models.seq2seq.loss import TranslationLoss
from models.seq2seq.search import NEVER_SAID, TranslationSearch
from models.serving.captioner import ServingCaptioner

# Pictures that are described at once.
_CHUNK = 32
# The largest shift of --augment, of the sides of a picture.
_SHIFT = 1 / 16


class Captioning:
    """One captioner and what belongs to it; its texts are the paths of pictures.

    Args:
        config: the options it was or will be trained with.
        tokenizer_vocabulary: learned from the training captions.
        model: pictures to logits.

    Attributes:
        folder: where pictures lie whose paths do not say so; None for the working folder.
        reward: of captions that the captioner draws in its training; None where it draws none.
    """

    def __init__(
        self,
        config: CaptioningConfig,
        tokenizer_vocabulary: TokenizerVocabulary,
        model: Captioner | CaptionerEnsemble,
    ):
        self.config, self.model = config, model
        self.tokenizer_vocabulary = tokenizer_vocabulary
        self.tokenizer = Tokenizer(tokenizer_vocabulary)
        self.options = CaptioningPredictOptions()
        self.folder: Path | None = None
        self.reward: CiderD | None = None
        # Made once for all batches.
        self._serve: Callable[[tf.Tensor], dict[str, tf.Tensor]] | None = None

    @classmethod
    def build(
        cls, config: CaptioningConfig, corpus: CaptionCorpus, pretrained: RunFiles | None = None
    ) -> "Captioning":
        """Returns a new captioner for a corpus; its tokens come from the training split alone, or
        from the captioner that the training begins with."""
        train = corpus.split("train")
        captions = [caption for _, caption in train.pairs()]
        trained = load_pretrained(config, pretrained)
        if trained is not None:
            vocabulary = trained.tokenizer_vocabulary
            assert vocabulary is not None, "a captioner has one"
        else:
            vocabulary = learn_vocabulary(config.tokenizer, captions, config.vocabulary_size)
        size = vocabulary.vocabulary_size
        captioner = build_captioner(config, size, len(captions), trained and trained.model)
        say(f"vocabulary: {size:,}; parameters: {captioner.count_params():,}")
        task = cls(config, vocabulary, captioner)
        if config.self_critical:
            groups = task.encode_captions(train).to_list()
            task.reward = CiderD([[[*each, END] for each in group] for group in groups])
        return task

    @classmethod
    def load(
        cls, config: CaptioningConfig, description: RunDescription, folder: Path
    ) -> "Captioning":
        """Returns a trained captioner from its run folder.

        Raises:
            UserError: files are missing or damaged.
        """
        vocabulary = TokenizerVocabulary.load(folder)
        sizes = {"vocabulary_size": vocabulary.vocabulary_size}
        return cls(config, vocabulary, load(folder / MODEL, sizes))

    @classmethod
    def ensemble(cls, members: list["Captioning"], corpus: CaptionCorpus) -> "Captioning":
        """Returns the captioner whose search sees the mean of the members' probabilities.

        Args:
            members: trained with the same options but for the seed.
            corpus: no matter: captions have no classes.

        Raises:
            UserError: their vocabularies differ.
        """
        first = members[0]
        check_same_vocabularies([member.tokenizer_vocabulary for member in members])
        captioners: list[Any] = [member.model for member in members]
        one = have_one_encoder(captioners)
        whole = CaptionerEnsemble.from_models(captioners, one_encoder=one)
        return cls(first.config, first.tokenizer_vocabulary, whole)

    def describe(self) -> dict:
        """Returns what `load` needs besides config, vocabulary and model: nothing."""
        return {}

    def save(self, folder: Path) -> None:
        """Writes vocabulary and model."""
        self.tokenizer_vocabulary.save(folder)
        self.model.save(folder / MODEL)

    def files(self, folder: Path) -> list[Path]:
        """Returns the file of the vocabulary in a run folder."""
        return [find_vocabulary(folder)]

    def training_data(self, corpus: CaptionCorpus) -> tuple[CaptionBatches, keras.losses.Loss]:
        """Returns the batches of the training split and the loss to minimise.

        Raises:
            UserError: a picture cannot be read, or all captions are too long.
        """
        config, train = self.config, corpus.split("train")
        captions = self.encode_captions(train)
        short = captions.row_lengths(axis=2) <= config.max_length
        total, kept = len(train.pairs()), int(tf.math.count_nonzero(short.values))
        if not kept:
            raise UserError(
                f"no caption has at most {config.max_length} tokens. Raise --max-length"
            )
        if kept < total:
            say(
                f"left out: {total - kept:,} of {total:,} captions are longer than "
                f"{config.max_length} tokens"
            )
        array = make_array(self.model, train)
        batches = CaptionBatches(
            tf.ragged.boolean_mask(captions, short),
            array,
            array_name(self.model),
            config.batch_size,
            config.batch_tokens,
            config.seed,
            self.model.distribute_strategy.num_replicas_in_sync,
            config.jit,
            self.model.image_encoder.trainable,
            _SHIFT if config.augment else 0.0,
            mirror_array(self.model, train, array) if config.mirror else None,
        )
        detail(f"padding: {batches.padding_share():.1%} of the tokens")
        if self.reward is not None:
            return batches, keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        return batches, TranslationLoss(config.label_smoothing)

    def encode_captions(self, examples: CaptionedPictures) -> tf.RaggedTensor:
        """Encodes the captions of all pictures: <int32>[pictures, (captions), (length)]."""
        ids = self.tokenizer.encode_all([caption for _, caption in examples.pairs()])
        counts = [len(captions) for captions in examples.captions]
        return tf.RaggedTensor.from_row_lengths(ids, tf.constant(counts, tf.int64))

    def trained_part(self) -> keras.Model:
        """Returns what a training changes, see `apps.tasks.captioning.builder.trained_part`."""
        return trained_part(self.model, self.config, self.reward)

    def fit(self, corpus: CaptionCorpus, folder: Path) -> training.TrainingResult:
        """Trains, see `apps.training.fit.fit`."""
        batches, loss = self.training_data(corpus)
        held_out = CaptioningValidation(self, corpus.split("validation"))
        ending = training.fit(
            self.trained_part(),
            batches,
            held_out.measure,
            loss,
            self.config.monitor,
            self.config,
            folder,
        )
        self.model = in_full_precision(self.model)
        self._serve = None
        return ending

    def evaluate(self, examples: CaptionedPictures) -> CaptionReport:
        """Measures the captioner on a split, through the serving model; see
        `models.evaluation.captions`."""
        rows = self._describe(examples.pictures)
        for row in rows:
            if row["problem"]:
                raise UserError(row["problem"])
        captions = [row["caption"] for row in rows]
        report = self._report(captions, examples)
        return replace(report, worst=find_worst(captions, examples))

    def read_report(self, metrics: dict) -> CaptionReport:
        """Returns the report of metrics from `metrics.json`, or of the mean of several."""
        return CaptionReport(metrics)

    def _report(self, captions: list[str], examples: CaptionedPictures) -> CaptionReport:
        return self.read_report(measure_captions(captions, examples))

    def evaluate_baselines(
        self, corpus: CaptionCorpus, examples: CaptionedPictures
    ) -> dict[str, CaptionReport]:
        """Measures the captions of the training pictures that look most alike to the encoder: that
        of the nearest one, and the one that 15 agree on (Devlin et al. 2015)."""
        train = corpus.split("train")
        encoding = self.model
        if isinstance(encoding, CaptionerEnsemble):
            encoding = encoding.members[0]
        known, features = (mean_features(encoding, each) for each in (train, examples))
        found = {
            "nearest picture": nearest_captions(known, train.captions, features),
            "consensus of 15 pictures": consensus_captions(known, train.captions, features),
        }
        return {name: self._report(captions, examples) for name, captions in found.items()}

    def set_options(self, options: CaptioningPredictOptions | CaptioningExportOptions) -> None:
        """Answers as these options say, where they say something; else as the training's do.

        Raises:
            UserError: more captions are wanted than the beam holds, or there is no attention.
        """
        given = {name: getattr(options, name) for name in ("beam_width", "length_penalty")}
        given = {name: value for name, value in given.items() if value is not None}
        self.config, self._serve = replace(self.config, **given), None
        if isinstance(options, CaptioningPredictOptions):
            self.options = options
        if self.options.n_best > self.config.beam_width:
            raise UserError(
                f"--n-best {self.options.n_best} needs a beam as wide. Received: "
                f"--beam-width {self.config.beam_width}"
            )
        if self.options.attention_map and self.config.attention == "none":
            raise UserError(
                "--attention-map needs a model with attention, this one was trained without"
            )

    def search(self) -> TranslationSearch:
        """Returns how the options look for captions."""
        config = self.config
        return TranslationSearch(
            config.beam_width,
            config.length_penalty,
            n_best=self.options.n_best,
            max_length=config.max_length,
            banned_ids=NEVER_SAID,
            bounded=False,
        )

    def serving(self) -> ServingCaptioner:
        """Returns the model that takes encoded pictures; `predict`, `evaluate` and `export` use it
        alike."""
        return ServingCaptioner(
            self.tokenizer, self.model.for_export(), self.search(), self.options.attention
        )

    def answer(self, texts: Sequence[str]) -> list[dict]:
        """Returns the output columns of pictures, given by their paths; of one that cannot be read,
        the reason."""
        places = [path if self.folder is None else str(self.folder / path) for path in texts]
        rows = self._describe([PictureFile(place) for place in places])
        for place, row in zip(places, rows, strict=True):
            if row["problem"]:
                warn(row["problem"])
            elif "attention" in row:
                row["attention"] = replace(row["attention"], picture=place)
        return rows

    def draw_answer(self, row: dict, number: int) -> Path | None:
        """Draws where each word of an answer looked, if that was asked for, and returns the
        picture's path."""
        wanted = self.options.attention_map
        if wanted is None or row["problem"]:
            return None
        from apps.tasks.captioning.gallery import draw_map

        return draw_map(row["attention"], wanted, number)

    def _describe(self, pictures: Sequence[Readable]) -> list[dict]:
        """Returns the output columns of pictures; one that cannot be read has a `problem`."""
        if self._serve is None:
            self._serve = self.serving().serve
        rows: list[dict] = []
        for start in range(0, len(pictures), _CHUNK):
            encoded, problems = [], []
            for picture in pictures[start : start + _CHUNK]:
                try:
                    encoded.append(picture.read())
                    problems.append("")
                except UserError as mistake:
                    problems.append(str(mistake))
            found = iter(self.output_rows(self._serve(tf.constant(encoded, tf.string))))
            rows += [self._empty_row(why) if why else next(found) for why in problems]
        return rows

    def _empty_row(self, problem: str = "") -> dict:
        return described.empty_row(self.options.n_best, self.options.attention, problem)

    def output_rows(self, answer: dict[str, tf.Tensor]) -> list[dict]:
        """Returns the output columns of each picture of a batch that the serving model answered."""
        return described.output_rows(answer)

    def empty_row(self) -> dict:
        """Returns the output columns of a row that could not be answered."""
        return self._empty_row()

    def format_answer(self, text: str, row: dict) -> str:
        """Formats an answer for the terminal."""
        return printable(described.format_row(text, row))

    def to_result(self, text: str, row: dict, problem: str = "") -> described.PictureCaption:
        """Returns the answer to a picture by its output columns."""
        return described.to_result(text, row, problem)

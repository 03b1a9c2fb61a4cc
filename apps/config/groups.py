"""Options in groups: each class is one group of `--help-all`, and a config takes those it reads.

Every option is read by every task whose config has it; a test says so.
"""

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from apps.config.options import Options, option
from apps.config.recordings import refuse_recording
from data import registry
from data.errors import UserError, did_you_mean
from data.registry import GLOVE
from models.registry import CELLS, INITIALIZERS, KERAS_INITIALIZERS, PRECISIONS, SCHEDULES

# Of a state or a token's vector: with a larger one no machine holds the weights.
LARGEST_STATE = 65_536
# More layers are a slip of the hand.
_MOST_LAYERS = 100


# What the recurrent layers and the vectors of a trained model have the shapes of.
SHAPE_OPTIONS = (
    "cell",
    "units",
    "num_layers",
    "residual",
    "layer_normalization",
    "embedding_dim",
)


@dataclass(frozen=True)
class DataOptions(Options):
    """The data set. What derives from this class, `evaluate` takes as well: the same model can be
    measured on other data."""

    title: ClassVar[str] = "data"
    # Whether a data set may be a folder.
    accepts_folders: ClassVar[bool] = False

    dataset: str = option("sample", "data set: sample, a named corpus, or the path of a file")
    data_dir: str | None = option(None, "folder with the original files of named corpora")

    def split_files(self) -> dict[str, str | None]:
        """Returns the options that name further files of the data set, by name."""
        return {}

    def check_data(self, corpora: tuple[str, ...]) -> None:
        """Refuses data that cannot be there, before anything slow is imported.

        Args:
            corpora: the named data sets.

        Raises:
            UserError: no such data set, or no such file or folder.
        """
        names = ("sample", *corpora)
        if self.dataset not in names and not self._is_data(self.dataset):
            kinds = "a file or folder" if self.accepts_folders else "a file"
            raise UserError(
                f"no data set {self.dataset!r}: neither one of {', '.join(names)} nor {kinds}. "
                f"Check --dataset{did_you_mean(self.dataset, names)}"
            )
        if self.data_dir is not None and not os.path.isdir(self.data_dir):
            raise UserError(f"no folder {self.data_dir!r}. Check --data-dir")
        refuse_recording(self.dataset)
        for name, path in self.split_files().items():
            refuse_recording(path or "")
            if path is not None and not self._is_data(path):
                raise UserError(f"no file {path!r}. Check --{name.replace('_', '-')}")

    def _is_data(self, path: str) -> bool:
        # Unlike those of `Path` these say no to a name that is too long.
        return os.path.isfile(path) or (self.accepts_folders and os.path.isdir(path))

    def data_file(self, corpora: tuple[str, ...], sample: str) -> Path | None:
        """Returns the file that the data set is; None for a named corpus, or several files.

        Args:
            corpora: the named data sets.
            sample: the name of the file that `sample` means; empty where that is no single file.
        """
        if any(self.split_files().values()):
            return None
        if self.dataset == "sample":
            return registry.SAMPLES / sample if sample else None
        named = self.dataset in corpora or Path(self.dataset).is_dir()
        return None if named else Path(self.dataset)


@dataclass(frozen=True)
class SplitFileOptions(DataOptions):
    """Splits that stand in files of their own."""

    title: ClassVar[str] = "data"

    validation_file: str | None = option(
        None, "file with the validation split, if --dataset is a file; else it is cut from that"
    )
    test_file: str | None = option(
        None, "file with the test split, if --dataset is a file; else it is cut from that"
    )

    def split_files(self) -> dict[str, str | None]:
        own = {"validation_file": self.validation_file, "test_file": self.test_file}
        return {**super().split_files(), **own}


@dataclass(frozen=True)
class BatchOptions(Options):
    """The size of a batch."""

    title: ClassVar[str] = "training"

    batch_size: int = option(64, "examples in a training step", at_least=1)
    batch_tokens: int = option(
        0,
        "tokens in a training step, padding included, instead of --batch-size; 0: by examples",
        at_least=0,
    )


@dataclass(frozen=True)
class OptimizerOptions(Options):
    """How weights change, and for how long."""

    title: ClassVar[str] = "training"

    epochs: int = option(20, "passes over the training data, at most", at_least=1)
    patience: int = option(
        3, "epochs without a better validation metric before the training stops", at_least=1
    )
    learning_rate: float = option(2e-3, "highest learning rate of Adam", at_least=0.0)
    schedule: str = option("cosine", "fall of the learning rate after the warm-up", SCHEDULES)
    warmup: float = option(0.5, "epochs in which the learning rate rises", at_least=0.0)
    clip_norm: float = option(
        1.0, "largest global norm of the gradients, scaled down above it; 0: any", at_least=0.0
    )
    accumulate: int = option(
        1, "steps whose gradients are averaged before the weights change", at_least=1
    )
    average_weights: float = option(
        0.0,
        "decay of the weights' moving average, which is validated and saved; 0: no average",
        at_least=0.0,
        below=1.0,
    )


@dataclass(frozen=True)
class RunOptions(Options):
    """How a training computes and repeats."""

    title: ClassVar[str] = "computation"

    seed: int = option(0, "random seed of weights, dropout and order", at_least=0)
    deterministic: bool = option(False, "exact repetition of a run (slower)")
    mixed_precision: str = option(
        "none", "half precision in which the training computes", PRECISIONS
    )
    jit: bool = option(False, "compilation of the whole training step with XLA")
    checkpoint_seconds: float = option(
        60.0,
        "seconds between two checkpoints for --resume; there is one after each epoch",
        at_least=0.0,
    )

    def check(self) -> None:
        super().check()
        if self.jit and self.deterministic:
            raise UserError(
                "--jit and --deterministic exclude each other: not all that XLA compiles repeats "
                "exactly. Leave one out"
            )


@dataclass(frozen=True)
class DeviceOptions(Options):
    """Devices that share the batches."""

    title: ClassVar[str] = "computation"

    devices: int = option(0, "GPUs that share each batch, at most; 0: all there are", at_least=0)


@dataclass(frozen=True)
class RDropOptions(Options):
    """A training by two answers to each text, which have to agree."""

    title: ClassVar[str] = "recurrent layers"

    r_drop: float = option(
        0.0,
        "R-Drop (Liang et al. 2021): weight of what two answers to each text differ by, made with "
        "other units dropped, such as 1; 0: one answer alone",
        at_least=0.0,
    )

    def check(self) -> None:
        super().check()
        for name in ("adversarial", "self_critical"):
            if self.r_drop and getattr(self, name, 0):
                flag = name.replace("_", "-")
                raise UserError(f"--r-drop and --{flag} exclude each other. Leave one out")


@dataclass(frozen=True)
class RecurrentOptions(Options):
    """The stack of recurrent layers."""

    title: ClassVar[str] = "recurrent layers"

    cell: str = option("gru", "recurrent cell", CELLS)
    units: int = option(
        96, "size of the recurrent state of each direction", at_least=1, at_most=LARGEST_STATE
    )
    num_layers: int = option(1, "number of recurrent layers", at_least=1, at_most=_MOST_LAYERS)
    residual: bool = option(False, "sum of each layer's input and output as its output")
    layer_normalization: bool = option(False, "normalisation of each layer's output")
    dropout: float = option(
        0.4, "share of values dropped before, between and after layers", at_least=0.0, below=1.0
    )
    recurrent_dropout: float = option(
        0.0, "share of the state dropped between steps", at_least=0.0, below=1.0
    )
    weight_drop: float = option(
        0.0, "share of the state weights dropped in a training step", at_least=0.0, below=1.0
    )
    forget_bias: float | None = option(None, "initial bias of forget gates, if not the cell's own")
    chrono_length: int = option(
        0, "steps over which the memories are spread (chrono initialisation); 0: none", at_least=0
    )
    l1: float = option(0.0, "penalty on absolute recurrent weights", at_least=0.0)
    l2: float = option(0.0, "penalty on squared recurrent weights", at_least=0.0)
    kernel_initializer: str = option("glorot_uniform", "Keras initializer of input weights")
    recurrent_initializer: str = option(
        "orthogonal", "Keras initializer of state weights, or gate_orthogonal"
    )
    embedding_dim: int = option(
        64, "size of the vector of a token", at_least=1, at_most=LARGEST_STATE
    )

    def check(self) -> None:
        super().check()
        own = {"recurrent_initializer": INITIALIZERS, "kernel_initializer": KERAS_INITIALIZERS}
        for name, names in own.items():
            value, known = getattr(self, name), {each.replace("_", "") for each in names}
            # Keras takes `GlorotUniform`, too.
            if value.replace("_", "").lower() not in known:
                raise UserError(
                    f"unknown --{name.replace('_', '-')} {value!r}. Choose one of: "
                    f"{', '.join(names)}{did_you_mean(value, names)}"
                )


@dataclass(frozen=True)
class BidirectionalOptions(Options):
    """Reading in both directions, for models that see the whole text."""

    title: ClassVar[str] = "recurrent layers"

    bidirectional: bool = option(True, "reading forward and backward")


@dataclass(frozen=True)
class VectorOptions(Options):
    """Pretrained vectors of words."""

    title: ClassVar[str] = "pretrained vectors"

    vectors: str | None = option(
        None, f"GloVe, fastText or word2vec file (also packed), {GLOVE}, or none", none=True
    )
    freeze_vectors: bool = option(False, "pretrained vectors that stay as they are")
    open_vocabulary: int = option(
        0,
        "words of --vectors, from its head, that join the vocabulary, with vectors as they are",
        at_least=0,
    )

    def check(self) -> None:
        super().check()
        if self.vectors not in (None, GLOVE) and not os.path.isfile(self.vectors):
            raise UserError(f"no file {self.vectors!r}. Check --vectors")


@dataclass(frozen=True)
class InitFromOptions(Options):
    """A training that begins with a trained model, see `apps.runs.init_from`."""

    title: ClassVar[str] = "transfer"
    # What the runs hold that `--init-from` takes, each a `TrainingConfig.kind`.
    begins_with: ClassVar[tuple[str, ...]] = ()

    init_from: str | None = option(
        None, "run folder of a trained model with whose weights the training begins"
    )

    def options_from(self, kind: str, trained: dict) -> dict:
        """Returns the options that follow from those of the trained model.

        Args:
            kind: what it is, one of `begins_with`.
            trained: its options.

        Raises:
            UserError: it cannot be used.
            KeyError, TypeError: an option is missing, or of another type.
        """
        raise NotImplementedError

    def check_tokenizer(self, trained: dict, tokenizers: Collection[str], readers: str) -> None:
        """Refuses a language model of other tokens than a task reads.

        Args:
            trained: the options of the language model.
            tokenizers: those that it may have.
            readers: the task, in plural.

        Raises:
            UserError: it has another one.
        """
        if trained.get("tokenizer") not in tokenizers:
            wanted = " or ".join(f"--tokenizer {name}" for name in tokenizers)
            raise UserError(
                f"the language model in {self.init_from} reads {trained.get('tokenizer')}, not the "
                f"tokens of {readers}. Train one with {wanted}"
            )

"""The record of an application."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from apps.config.options import override
from apps.config.training import TrainingConfig
from apps.runs.files import RunFiles, read_run
from apps.runs.folder import RunFolder
from data import registry as names
from data.errors import UserError
from data.registry import GLOVE

# What `evaluate` may change: the same model on other data.
DATA_OPTIONS = (
    "dataset",
    "data_dir",
    "text_column",
    "label_column",
    "split_column",
    "label_separator",
    "token_column",
    "tag_column",
    "spans_column",
    "source_column",
    "target_column",
    "target_file",
    "validation_file",
    "validation_target_file",
    "test_file",
    "test_target_file",
)
# The options that name files of further splits, and of the other side of parallel texts.
SPLIT_FILES = (
    "target_file",
    "validation_file",
    "validation_target_file",
    "test_file",
    "test_target_file",
)


@dataclass(frozen=True)
class Application:
    """What the command line needs to know of an application, importable without TensorFlow.

    Attributes:
        name: of the module and of the default run folder.
        summary: a line for `--help`.
        config: a frozen dataclass, `TrainingConfig` or a subclass.
        load_task: imports and returns the task, a class with the interface of
            `apps.tasks.classification.task.TextClassification`.
        sample: the file in `data/samples` that `--dataset sample` reads; empty for none.
        corpora: the named data sets that suit it, from `data.datasets`.
        recipes: options that differ from the config's defaults, by data set.
        formats: of `predict --format`, where answers are more than columns of a table.
        open_writer: writes them; its arguments are those of
            `data.formats.entity_writers.entity_writer`.
        predict_options: a frozen dataclass of `option`s that `predict` has for this application
            alone, or None. The task gets an instance by its method `set_options`; options that
            exclude each other are refused by its `__post_init__`.
        export_options: likewise of `export`, for what the SavedModel does by default.
        folders: whether a data set may be a folder.
        converses: whether the task answers texts on the terminal itself, by its method
        `run_interactively`;
            where `predict_options` say `needs_no_text`, without texts, too.
    """

    name: str
    summary: str
    config: type
    load_task: Callable[[], type]
    sample: str
    corpora: tuple[str, ...] = ()
    recipes: dict[str, dict] = field(default_factory=dict)
    formats: tuple[str, ...] = ()
    open_writer: Callable | None = None
    predict_options: type | None = None
    export_options: type | None = None
    folders: bool = False
    converses: bool = False

    def recipe(self, dataset: str):
        """The config with the defaults of a data set.

        Raises:
            UserError: it is not text, as a file of options may have it.
        """
        config = override(self.config(), {"dataset": dataset})
        return override(config, self.recipes.get(config.dataset, {}))

    def config_of(self, files: RunFiles) -> TrainingConfig:
        """Returns the options of a run.

        Raises:
            UserError: it is a run of another application, or its options are not this one's.
        """
        description = files.description
        if description.application != self.name:
            raise UserError(
                f"{files.run.path} holds a run of {description.application!r}, not of "
                f"{self.name!r}. Check --run"
            )
        return override(self.config(), description.config)

    def trained(self, run: str | Path):
        """Returns the trained task of a run folder, for use in Python.

        Raises:
            UserError: there is none of this application, or it is damaged.
        """
        return self.load(read_run(RunFolder(Path(run))))

    def load(self, files: RunFiles, config: TrainingConfig | None = None):
        """Returns the trained task of a run that has been read.

        Args:
            files: of the run.
            config: its options, where some are to differ from what they were.

        Raises:
            UserError: it is of another application, or damaged.
        """
        config = config or self.config_of(files)
        with files.copied() as folder:
            return self.load_task().load(config, files.description, folder)

    def check_data(self, config: TrainingConfig) -> None:
        """Refuses data that cannot be there, before anything slow is imported.

        Raises:
            UserError: no such data set, or no such folder.
        """
        names = ("sample", *self.corpora)
        if config.dataset not in names and not self._is_data(config.dataset):
            kinds = "a file or folder" if self.folders else "a file"
            raise UserError(
                f"no data set {config.dataset!r}: neither one of {', '.join(names)} nor {kinds}. "
                "Check --dataset"
            )
        if config.data_dir is not None and not os.path.isdir(config.data_dir):
            raise UserError(f"no folder {config.data_dir!r}. Check --data-dir")
        for name in SPLIT_FILES:
            path = getattr(config, name, None)
            if path is not None and not self._is_data(path):
                raise UserError(f"no file {path!r}. Check --{name.replace('_', '-')}")

    def _is_data(self, path: str) -> bool:
        # Unlike those of `Path` these say no to a name that is too long.
        return os.path.isfile(path) or (self.folders and os.path.isdir(path))

    def data_file(self, config: TrainingConfig) -> Path | None:
        """The file that the data set is; None for a named corpus, or several files."""
        if any(getattr(config, name, None) for name in SPLIT_FILES):
            return None
        if config.dataset == "sample":
            return names.SAMPLES / self.sample if self.sample else None
        named = config.dataset in self.corpora or Path(config.dataset).is_dir()
        return None if named else Path(config.dataset)

    @staticmethod
    def check_vectors(config: TrainingConfig) -> None:
        """Refuses pretrained vectors that cannot be there; only `train` reads them.

        Raises:
            UserError: no such file.
        """
        if config.vectors not in (None, GLOVE) and not os.path.isfile(config.vectors):
            raise UserError(f"no file {config.vectors!r}. Check --vectors")

    @staticmethod
    def check_seeds(config: TrainingConfig) -> None:
        """Refuses an ensemble of one, or of models that cannot be averaged.

        Raises:
            UserError: it is one.
        """
        if config.ensemble and not config.classifies:
            raise UserError(
                "--ensemble averages the answers of classifiers alone. Leave it out: of several "
                "--seeds the best model on validation is kept"
            )
        if config.ensemble and config.seeds == 1:
            raise UserError(
                "--ensemble averages models of several seeds, --seeds is 1. Pass --seeds 3, or "
                "leave --ensemble out"
            )

    @staticmethod
    def check_step(config: TrainingConfig) -> None:
        """Refuses options of the training step that exclude each other.

        Raises:
            UserError: they do.
        """
        if config.jit and config.deterministic:
            raise UserError(
                "--jit and --deterministic exclude each other: not all that XLA compiles repeats "
                "exactly. Leave one out"
            )

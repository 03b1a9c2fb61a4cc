"""The record of an application."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from apps.commands.startup import import_tensorflow
from apps.config.options import Options, override, own_options, without_dropped
from apps.config.training import TrainingConfig
from apps.config.verbs import EvaluateOptions, ExportOptions, InspectOptions, TextPredictOptions
from apps.pretrained.names import find_run, hint
from apps.runs.description import RunDescription
from apps.runs.files import RunFiles, read_run
from apps.runs.folder import RunFolder
from apps.tasks.task import Task
from data.errors import UserError

_OPTIONS = {
    "inspect": InspectOptions,
    "evaluate": EvaluateOptions,
    "predict": TextPredictOptions,
    "export": ExportOptions,
}


@dataclass(frozen=True)
class Application:
    """What the command line needs to know of an application, importable without TensorFlow.

    Attributes:
        name: of the module and of the default run folder.
        summary: a line for `--help`.
        config: a frozen dataclass, a subclass of `TrainingConfig`.
        load_task: imports and returns the class of the task, such as
            `apps.tasks.loading.load_classification`.
        sample: the file in `data/samples` that `--dataset sample` reads; empty where that is no
            single file.
        corpora: the named data sets that suit it, from `data.datasets`.
        recipes: options that differ from the config's defaults, by data set.
        options: what a verb can do for this application, by verb: subclasses of the classes of
            `apps.config.verbs`, which say what it can do for every application.
    """

    name: str
    summary: str
    config: type[TrainingConfig]
    load_task: Callable[[], type[Task]]
    sample: str
    corpora: tuple[str, ...] = ()
    recipes: dict[str, dict] = field(default_factory=dict)
    options: dict[str, type[Options]] = field(default_factory=dict)

    def options_class(self, verb: str) -> type[Options]:
        """Returns the class of what a verb can do for this application."""
        return self.options.get(verb, _OPTIONS[verb])

    def options_of(self, verb: str, given: dict) -> Any:
        """Returns what a verb shall do, as an instance of `options_class`.

        Args:
            verb: its name.
            given: options of the command line by name, those of other classes among them.

        Raises:
            UserError: a value is out of its bounds, or options exclude each other.
        """
        return own_options(self.options_class(verb), given)

    def recipe(self, dataset: str) -> TrainingConfig:
        """Returns the config with the defaults of a data set.

        Raises:
            UserError: it is no text, as a file of options may have it.
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
        return self.restored(description.config)

    def restored(self, stored: dict) -> TrainingConfig:
        """Returns the options that a run or an unfinished training has stored.

        Raises:
            UserError: they are not this application's.
        """
        return override(self.config(), without_dropped(self.config, stored))

    def read_data(self, config: TrainingConfig, trained: RunDescription | None = None) -> Any:
        """Reads a data set, before TensorFlow is imported wherever that is possible: a mistake in a
        user's file is reported at once.

        Args:
            config: the options that name the data.
            trained: the run that is measured on the data; None for a training.

        Raises:
            UserError: it cannot be used, or not for a model like the trained one.
        """
        if config.dataset in self.corpora:
            # TensorFlow Datasets prepares some of them.
            import_tensorflow(announced=trained is None)
        if trained is None:
            return config.read_corpus(self.sample)
        corpus = config.read_corpus(self.sample, trained.class_names)
        config.check_measurable(corpus, trained.details)
        return corpus

    def read_run(self, run: str | Path) -> RunFiles:
        """Reads a run, or the one that ships (see `apps.pretrained.names.find_run`).

        Raises:
            UserError: there is none, or it is damaged or cannot be read.
        """
        folder = RunFolder(find_run(run, self.name))
        try:
            return read_run(folder)
        except UserError as mistake:
            if folder.path.exists():
                raise
            raise UserError(f"{mistake}{hint(self.name)}") from None

    def trained(self, run: str | Path) -> Task:
        """Returns the trained task of a run folder, for use in Python.

        Raises:
            UserError: there is none of this application, or it is damaged.
        """
        return self.load(self.read_run(run))

    def load(self, files: RunFiles, config: TrainingConfig | None = None) -> Task:
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


def load_application(name: str) -> Application:
    """Returns the application of a module of `apps`, in a process that was started for it."""
    return importlib.import_module(f"apps.{name}").APPLICATION

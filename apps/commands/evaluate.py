"""`evaluate`: measures a trained model on a split, and adds the metrics to its `metrics.json`."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from apps.commands.application import Application
from apps.commands.startup import import_tensorflow
from apps.config.groups import DataOptions
from apps.config.options import names_in, override
from apps.config.parser import OneLineParser, add_fields
from apps.config.training import TrainingConfig
from apps.config.verbs import EvaluateOptions
from apps.pages.parts import Section
from apps.pretrained.names import is_shipped
from apps.reports.model_card import write_model_card
from apps.reports.run_page import write_run_page
from apps.runs.files import RunFiles
from apps.runs.provenance import Provenance
from apps.tasks.task import Measured, Report, Reviewed, Task
from data.errors import UserError
from data.messages import say, warn

HELP = "measure a trained model on labelled examples"


def add_options(parser: OneLineParser, application: Application, arguments: list[str]) -> None:
    """Adds the options to the parser; see `apps.commands.main`."""
    parser.add_argument(
        "--split",
        choices=("train", "validation", "test", "all"),
        help="which examples (default: test; validation, where the data have no test split)",
    )
    parser.add_argument(
        "--baseline", action="store_true", help="train and evaluate simpler methods, too"
    )
    add_fields(parser, application.config, only=names_in(application.config, DataOptions))
    own = application.options_class("evaluate")
    add_fields(parser, own, own())


@dataclass(frozen=True)
class Evaluation:
    """What was measured of a trained model on a split of a data set.

    Attributes:
        dataset: its name.
        split: `train`, `validation`, `test` or `all`.
        report: the metrics of the model.
        name: of the measurement in `metrics.json`.
        provenance: what it was measured with.
        further: what was measured besides, by its name in `metrics.json`.
        baselines: the reports of simpler methods, by their titles.
        seeds: the metrics of the runs with several seeds, as in `metrics.json`, and their table.
        explanations: of the worst answers, sections of a page.
    """

    dataset: str
    split: str
    report: Report
    name: str
    provenance: Provenance
    further: dict[str, Measured] = field(default_factory=dict)
    baselines: dict[str, Report] = field(default_factory=dict)
    seeds: tuple[dict[str, Any], str] | None = None
    explanations: Sequence[Section] = ()

    @property
    def metrics(self) -> dict[str, Any]:
        """The metrics of the model by name, as `metrics.json` holds them."""
        return dict(self.report.to_json())

    def to_json(self) -> dict[str, Any]:
        """Returns all that `metrics.json` holds of it."""
        metrics = self.metrics
        if self.seeds:
            metrics["seeds"] = self.seeds[0]
        if self.baselines:
            metrics["baseline"] = {title: each.to_json() for title, each in self.baselines.items()}
        further = {name: measured.to_json() for name, measured in self.further.items()}
        return {**metrics, **further, **self.provenance.to_json()}

    def __str__(self) -> str:
        parts = [f"{self.dataset}, {self.split}\n{self.report.table()}"]
        if self.seeds:
            parts.append(self.seeds[1])
        parts += [f"{title}\n{each.table()}" for title, each in self.baselines.items()]
        parts += [measured.table() for measured in self.further.values()]
        return "\n\n".join(parts)

    def tables(self) -> dict[str, str]:
        """Returns the tables of all that was measured, by title; that of the model has none."""
        seeds = {"several seeds": self.seeds[1]} if self.seeds else {}
        baselines = {title: each.table() for title, each in self.baselines.items()}
        further = {name: measured.table() for name, measured in self.further.items()}
        return {"": self.report.table(), **seeds, **baselines, **further}

    def describe_worst(self) -> list[Section]:
        """Returns the sections on what the model answers worst; none if all is right."""
        parts = self.report.describe_worst() if isinstance(self.report, Reviewed) else []
        worst = [Section("worst", "The worst answers", parts)] if parts else []
        return [*worst, *self.explanations]

    def draw(self, folder: Path) -> None:
        """Draws the pictures of all that was measured into a folder."""
        for measured in (self.report, *self.further.values()):
            measured.draw(self.name.replace(" ", "_"), folder)


def run(application: Application, options: dict) -> None:
    """Prints the metrics of a split, and adds them to the run's `metrics.json`, its page and its
    model card."""
    files = application.read_run(options["run"])
    evaluation = measure(application, files, options)
    say(evaluation)
    if is_shipped(files.run.path):
        say("\nnothing is written: the model is the one that ships")
        return
    with files.unreplaced():
        files.run.put_metrics(evaluation.name, evaluation.to_json())
        evaluation.draw(files.run.path)
        page = write_run_page(
            files.run.path,
            evaluation.name,
            files.description,
            evaluation.to_json(),
            evaluation.tables(),
            evaluation.describe_worst(),
        )
        write_model_card(files.run.path)
    say(f"\nthe worst answers and all pictures: {page}")


def measure(
    application: Application, files: RunFiles, options: dict, trained: Task | None = None
) -> Evaluation:
    """Measures a run on a split, and writes nothing.

    Args:
        application: that of the run.
        files: of the run.
        options: by name: `command`, `split`, `baseline`, those of the data that differ from the
            training's, and those of `Application.options_class`.
        trained: the task of the run, where it has been loaded already.

    Raises:
        UserError: the data cannot be used, or the options do not suit them or the model.
    """
    description, config = files.description, application.config_of(files)
    split, baseline = options.get("split"), options.get("baseline", False)
    if baseline and split not in (None, "validation", "test"):
        raise UserError("--baseline trains on the training split. Choose another --split")
    own: EvaluateOptions = application.options_of("evaluate", options)
    measurement = own.measurement(description)
    dataset = config.dataset
    config = _config_of_data(config, options)
    config.check_data(application.corpora)
    same = config.dataset == dataset
    learned = same and description.refit_epochs > 0
    _check_unlearned(split, learned)
    corpus = application.read_data(config, description)
    if same and not corpus.is_known_as(description.provenance.checksum):
        warn(f"warning: {config.dataset} has changed since the training")
    if split is None:
        split = corpus.measured_split()
        _check_unlearned(split, learned)
        if split != "test":
            warn(f"{corpus.name} has no test split: measured on {split}")
    examples = corpus.everything() if split == "all" else corpus.split(split)
    import_tensorflow()
    task = trained or application.load(files, config)
    several = None
    if members := files.run.members():
        from apps.commands import seeds

        report, summary = seeds.evaluate(application, task, files, members, examples)
        several = summary.to_json(), summary.table(task.read_report)
    else:
        report = task.evaluate(examples)
    baselines = task.evaluate_baselines(corpus, examples) if baseline else {}
    if baseline and not baselines:
        raise UserError(f"{application.name} has no baseline. Leave --baseline out")
    further = {}
    if measurement is not None:
        further[measurement.name] = measurement.measure(task, examples)
    devices = description.provenance.devices or []
    return Evaluation(
        corpus.name,
        split,
        report,
        split if same else f"{corpus.name} {split}",
        Provenance.collect(options["command"], corpus, config, devices),
        further,
        baselines,
        several,
        own.explain_worst(task, report),
    )


def _config_of_data(trained: TrainingConfig, options: dict) -> TrainingConfig:
    """Returns the options of a run with the data that are given."""
    names = names_in(type(trained), DataOptions)
    given = {name: options[name] for name in names if name in options}
    if "dataset" in given:
        # The files that stood beside the training's are of another data set.
        given = {**dict.fromkeys(trained.split_files()), **given}
    return override(trained, given)


def _check_unlearned(split: str | None, learned: bool) -> None:
    """Refuses to measure on the validation split a model that has `learned` from it.

    Raises:
        UserError: it has, and that is the split.
    """
    if learned and split == "validation":
        raise UserError(
            "the model has learned from the validation split, too (--refit). metrics.json has its "
            "figures from before that; choose another --split"
        )

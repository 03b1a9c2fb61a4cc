"""`evaluate`: measures a trained model on a split, and adds the metrics to its `metrics.json`."""

from pathlib import Path

from apps.commands.application import Application
from apps.commands.startup import import_tensorflow
from apps.config.groups import DataOptions
from apps.config.options import names_in, override
from apps.config.parser import OneLineParser, add_fields
from apps.config.training import TrainingConfig
from apps.config.verbs import EvaluateOptions
from apps.runs.files import read_run
from apps.runs.folder import RunFolder
from apps.runs.provenance import Provenance
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


def run(application: Application, options: dict) -> None:
    """Prints the metrics of a split and adds them to the run's `metrics.json`."""
    run = RunFolder(Path(options["run"]))
    files = read_run(run)
    description, trained = files.description, application.config_of(files)
    split = options["split"]
    if options["baseline"] and split not in (None, "validation", "test"):
        raise UserError("--baseline trains on the training split. Choose another --split")
    own: EvaluateOptions = application.options_of("evaluate", options)
    measurement = own.measurement(description)
    config = _config_of_data(trained, options)
    config.check_data(application.corpora)
    same = config.dataset == trained.dataset
    learned = same and description.refit_epochs > 0
    _check_unlearned(split, learned)
    import_tensorflow()
    task = application.load(files, config)
    corpus = task.read(config, application.sample, task)
    if same and not corpus.is_known_as(description.provenance.checksum):
        warn(f"warning: {config.dataset} has changed since the training")
    if split is None:
        split = corpus.measured_split()
        _check_unlearned(split, learned)
        if split != "test":
            warn(f"{corpus.name} has no test split: measured on {split}")
    examples = corpus.everything() if split == "all" else corpus.split(split)
    if members := run.members():
        from apps.commands import seeds

        report, summary = seeds.evaluate(application, task, files, members, examples)
        metrics = {**report.to_json(), "seeds": summary.to_json()}
        table = f"{report.table()}\n\n{summary.table(task.read_report)}"
    else:
        report = task.evaluate(examples)
        metrics, table = dict(report.to_json()), report.table()
    say(f"{corpus.name}, {split}\n{table}")
    name = split if same else f"{corpus.name} {split}"
    if options["baseline"]:
        baselines = task.evaluate_baselines(corpus, examples)
        if not baselines:
            raise UserError(f"{application.name} has no baseline. Leave --baseline out")
        metrics["baseline"] = {title: each.to_json() for title, each in baselines.items()}
        for title, baseline in baselines.items():
            say(f"\n{title}\n{baseline.table()}")
    if measurement is not None:
        measured = measurement.measure(task, examples)
        metrics[measurement.name] = measured.to_json()
        say(f"\n{measured.table()}")
    devices = description.provenance.devices or []
    provenance = Provenance.collect(options["command"], corpus, config, devices)
    with files.unreplaced():
        run.put_metrics(name, {**metrics, **provenance.to_json()})
        report.draw(name.replace(" ", "_"), run.path)
        if measurement is not None:
            measured.draw(name.replace(" ", "_"), run.path)


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
            "metrics from before that; choose another --split"
        )

"""The training of one model with one seed, from the data to the run folder."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from apps.commands import refit
from apps.commands.application import Application
from apps.config.options import to_json
from apps.config.training import TrainingConfig
from apps.plots import training as pictures
from apps.reports.model_card import write_model_card
from apps.runs.contents import CONFIG
from apps.runs.description import RunDescription
from apps.runs.files import RunFiles, read_run
from apps.runs.folder import RunFolder
from apps.runs.init_from import read_pretrained
from apps.runs.provenance import Provenance
from apps.runs.resumption import check_checksum
from apps.runs.unfinished import UnfinishedTraining
from apps.tasks.portable import add_form
from apps.terminal.next_steps import describe_next_steps, describe_pictures
from apps.training import devices, fit
from apps.training.divergence import Diverged
from apps.training.workers.group import joined
from data.messages import say, warn


def begin(
    application: Application,
    corpus: Any,
    config: TrainingConfig,
    command: str,
    unfinished: UnfinishedTraining,
    begun: RunDescription | None,
) -> RunDescription:
    """Returns what is known of a training before it begins, and writes it into its folder; what has
    begun keeps its own.

    Raises:
        UserError: the data are not those that it has begun with.
    """
    description = RunDescription(
        application.name,
        to_json(config),
        kind=config.kind,
        provenance=Provenance.collect(command, corpus, config, devices.names(config.devices)),
    )
    if begun is None:
        RunFolder(unfinished.path).write_json(CONFIG, description.to_json())
    elif not corpus.is_known_as(begun.provenance.checksum):
        check_checksum(begun, corpus.checksum)
    return description


def train_run(
    application: Application,
    corpus: Any,
    config: TrainingConfig,
    command: str,
    unfinished: UnfinishedTraining,
    begun: RunDescription | None,
    pretrained: RunFiles | None,
) -> bool:
    """Trains, or goes on with what has begun, and puts the run in its place.

    Args:
        application: what is trained.
        corpus: the data.
        config: the options.
        command: the command line.
        unfinished: the folder of the training.
        begun: the description of the training that is resumed, or None.
        pretrained: the run that the training begins with, or None.

    Returns:
        Whether there is a run: one of several seeds that is interrupted leaves none.
    """
    fit.seed_everything(config)
    description = begin(application, corpus, config, command, unfinished, begun)
    pretrained = read_pretrained(config, pretrained)
    with devices.distribution_scope(config):
        task = application.load_task().build(config, corpus, pretrained)
    try:
        task, ending, report = refit.train_and_refit(task, corpus, unfinished, pretrained)
    except Diverged:
        # It would go the same way again.
        unfinished.discard()
        raise
    if report is None:
        return False
    if (group := joined()) is not None and not group.is_first:
        return True
    with unfinished.publishing() as new:
        task.save(new.path)
        new.write_description(
            replace(
                description,
                config=to_json(task.config),
                details=task.describe(),
                training_seconds=round(ending.seconds, 1),
                stopped_early=ending.stopped,
            )
        )
        if history := new.history():
            pictures.training_curves(history, new.path / "training_curves.png")
        if norms := new.gradient_norms():
            pictures.gradient_norms(norms, config.clip_norm, new.path / "gradient_norms.png")
        new.add_metrics("validation", {**report.to_json(), **description.provenance.to_json()})
        report.draw("validation", new.path)
        write_model_card(new.path, unfinished.run.name)
    if not ending.resumable:
        unfinished.discard()
    if unfinished.whole is None:
        add_form(task, read_run(RunFolder(unfinished.run)))
    if ending.stopped:
        way_on = f". {unfinished.way_on(application.name)}" if ending.resumable else ""
        warn(f"{ending.stopped}. The best weights so far are kept{way_on}")
    say(f"\nvalidation\n{report.table()}\n\ntrained in {ending.seconds:.0f} s: {unfinished.name}")
    if unfinished.whole is None:
        say_what_is_next(application, Path(unfinished.name))
    return True


def say_what_is_next(application: Application, run: Path) -> None:
    """Logs the pictures of a new run, and the commands that use it."""
    if pictures := describe_pictures(run):
        say(pictures)
    say(describe_next_steps(application.name, run))

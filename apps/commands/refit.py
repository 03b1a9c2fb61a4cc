"""A training, and after it a second one on the validation split, too: `--refit`."""

from pathlib import Path
from typing import Any, NamedTuple

from apps.runs.contents import REFIT
from apps.runs.files import RunFiles
from apps.runs.unfinished import UnfinishedTraining
from apps.tasks.task import Refitting, Report, Task
from apps.training import devices, fit
from apps.training.divergence import Diverged
from data.messages import say


class Trained(NamedTuple):
    """A task that was trained once or twice.

    Attributes:
        task: the trained task.
        ending: how its training ended.
        report: on the validation split, always that of the first training; None for a training
            with one of several seeds that was interrupted: their metrics are those of whole
            trainings.
    """

    task: Task
    ending: fit.TrainingResult
    report: Report | None


def train_and_refit(
    task: Task, corpus: Any, unfinished: UnfinishedTraining, pretrained: RunFiles | None = None
) -> Trained:
    """Trains a task once, or with `refit` twice.

    The validation split has chosen how long and what is decided; the second training, on its texts,
    too, keeps to that (scikit-learn's searches call it `refit`). Its last weights are the model: no
    text is left to choose by. If it is interrupted or diverges, the model is that of the first.

    Args:
        task: built for the corpus.
        corpus: the data.
        unfinished: checkpoints and history go there, or are there to go on from.
        pretrained: the run that the training begins with, or None.

    Raises:
        UserError, Terminated: as `apps.training.fit.fit`.
    """
    is_member = unfinished.whole is not None
    first = task.fit(corpus, unfinished.path)
    if first.resumable and is_member:
        return Trained(task, first, None)
    report = task.evaluate(corpus.split("validation"))
    # The options of a task that can be refitted have `refit`.
    refits = isinstance(task, Refitting) and task.config.refit  # type: ignore[attr-defined]
    if first.stopped or not refits:
        return Trained(task, first, report)
    try:
        refitted, second = _refit(task, corpus, unfinished.path / REFIT, first.epochs, pretrained)
    except Diverged as error:
        return Trained(task, first._replace(stopped=str(error)), report)
    ending = second._replace(seconds=first.seconds + second.seconds)
    if ending.resumable and is_member:
        return Trained(task, ending, None)
    return Trained(task if ending.stopped else refitted, ending, report)


def _refit(
    task: Any, corpus: Any, folder: Path, epochs: int, pretrained: RunFiles | None
) -> tuple[Task, fit.TrainingResult]:
    """Returns a new task like one that is `Refitting`, and how its training on both splits
    ended."""
    corpus = corpus.with_validation()
    say(f"\nrefitting on {len(corpus.split('train')):,} texts (training and validation)")
    fit.seed_everything(task.config)
    with devices.distribution_scope(task.config):
        refitted = type(task).build(task.config, corpus, pretrained)
    return refitted, refitted.fit_as(task, corpus, folder, epochs)

"""A training, and after it a second one on the validation split, too: `--refit`."""

from pathlib import Path

from apps.runs.contents import REFIT
from apps.runs.files import RunFiles
from apps.runs.unfinished import UnfinishedTraining
from apps.tasks.task import Refitting
from apps.training import devices, fit
from apps.training.divergence import Diverged
from data.messages import say


def trained(
    task, corpus, unfinished: UnfinishedTraining, pretrained: RunFiles | None = None
) -> tuple:
    """Trains a task once, or with `refit` twice.

    The validation split has chosen how long and what is decided; the second training, on its texts,
    too, keeps to that (scikit-learn's searches call it `refit`). Its last weights are the model: no
    text is left to choose by. If it is interrupted or diverges, the model is that of the first.

    Args:
        task: built for the corpus.
        corpus: the data.
        unfinished: checkpoints and history go there, or are there to go on from.
        pretrained: the run that the training begins with, or None.

    Returns:
        The trained task; how its training ended (`apps.training.fit.TrainingResult`); its figures
        on the validation split, which are always those of the first training.

    Raises:
        KeyboardInterrupt: in the training with one of several seeds.
        UserError, Terminated: as `apps.training.fit.fit`.
    """

    def whole(ending: fit.TrainingResult) -> fit.TrainingResult:
        if ending.resumable and unfinished.whole:
            # Figures of several seeds are those of whole trainings.
            raise KeyboardInterrupt
        return ending

    first = whole(task.fit(corpus, unfinished.path))
    report = task.evaluate(corpus.split("validation"))
    if first.stopped or not (isinstance(task, Refitting) and task.config.refit):
        return task, first, report
    try:
        again, second = _anew(task, corpus, unfinished.path / REFIT, first.epochs, pretrained)
    except Diverged as found:
        return task, first._replace(stopped=str(found)), report
    ending = whole(second)._replace(seconds=first.seconds + second.seconds)
    return (task if ending.stopped else again), ending, report


def _anew(task, corpus, folder: Path, epochs: int, pretrained: RunFiles | None) -> tuple:
    """A new task, and how its training on both splits ended."""
    together = corpus.with_validation()
    say(f"\nanew on {len(together.split('train')):,} texts, those of validation among them")
    fit.seed_everything(task.config)
    with devices.distribution_scope(task.config):
        again = type(task).build(task.config, together, pretrained)
    return again, again.fit_as(task, together, folder, epochs)

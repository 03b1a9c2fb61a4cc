"""A second training, on the validation split, too, once that has chosen what there is to choose."""

from pathlib import Path

from apps import devices, training


def refit(task, corpus, folder: Path, epochs: int) -> tuple:
    """A task trained anew on the training and the validation split together, as long and with the
    decisions that the validation split has chosen; what scikit-learn's searches call `refit`.

    The last weights are the model: no text is left to choose by. Figures of the validation split
    are those of the first training.

    Args:
        task: trained; the class and the options are its.
        corpus: that it was trained on.
        folder: checkpoints and history of the second training go there, or are there to go on from.
        epochs: after which the first training had the weights that it kept.

    Returns:
        The new task, and how its training ended (`apps.training.Ending`).

    Raises:
        UserError, Terminated: as `apps.training.fit`.
    """
    together = corpus.with_validation()
    print(f"\nanew on {len(together.split('train')):,} texts, those of validation among them")
    training.seed_everything(task.config)
    with devices.sharing(task.config):
        again = type(task).build(task.config, together)
    return again, again.fit_as(task, together, folder, epochs)

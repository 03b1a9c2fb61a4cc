"""Options of several models of one recipe: their seeds, their mean, and what one learns of them."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self, cast

from apps.config.options import Options, option
from data.errors import UserError

# More seeds are a slip of the hand.
_MOST_SEEDS = 1000


@dataclass(frozen=True)
class SeedsOptions(Options):
    """Several runs of one recipe."""

    title: ClassVar[str] = "several seeds"

    seeds: int = option(
        1,
        "number of runs, with --seed, --seed + 1, ...; the best on validation is the model",
        at_least=1,
        at_most=_MOST_SEEDS,
    )

    @property
    def averaged(self) -> bool:
        """Whether the mean of all runs is the model."""
        return False

    def of_member(self, seed: int) -> Self:
        """Returns the options of the run with one of the seeds."""
        # A config has `RunOptions`, too, with the seed.
        return replace(cast(Any, self), seed=seed, seeds=1)


@dataclass(frozen=True)
class EnsembleOptions(SeedsOptions):
    """Several runs whose answers may be averaged; for tasks with the interface
    `apps.tasks.task.Ensembling`."""

    title: ClassVar[str] = "several seeds"

    ensemble: bool = option(False, "mean of the runs of all --seeds as the model")

    @property
    def averaged(self) -> bool:
        return self.ensemble

    def of_member(self, seed: int) -> Self:
        return replace(super().of_member(seed), ensemble=False)

    def check(self) -> None:
        super().check()
        if self.ensemble and self.seeds == 1:
            raise UserError(
                "--ensemble averages models of several seeds, --seeds is 1. Pass --seeds 3, or "
                "leave --ensemble out"
            )


@dataclass(frozen=True)
class TeacherOptions(Options):
    """A trained model whose answers are learned in the place of the data's."""

    title: ClassVar[str] = "teacher"

    teacher: str | None = option(
        None,
        "run folder of a trained model, such as an ensemble, whose answers are learned instead",
    )

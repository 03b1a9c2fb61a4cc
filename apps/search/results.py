"""What a search has found: lines, a table, pictures, and the best options as a file."""

import csv
import textwrap
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from apps.runs.folder import RunFolder
from apps.search.study import Plan
from apps.terminal.duration import format_duration
from data.files.writing import whole_file

if TYPE_CHECKING:
    from optuna import Study as Journal
    from optuna.trial import FrozenTrial

BEST, TABLE = "best.json", "trials.csv"
# Pictures of fewer trials show nothing.
_FEWEST = 3
_SHOWN = 5


def figure_of(trial: "FrozenTrial") -> float | None:
    """Returns the highest figure of a trial, of its epochs if it was pruned; None for none."""
    if trial.value is not None and not trial.intermediate_values:
        return trial.value
    return max(trial.intermediate_values.values(), default=None)


def best_of(trials: "Sequence[FrozenTrial]") -> "FrozenTrial | None":
    """Returns the finished trial with the highest figure, the first of equals; None for none."""
    return next(iter(_rank(trials)), None)


def _rank(trials: "Sequence[FrozenTrial]") -> "list[FrozenTrial]":
    """Returns the finished trials, the highest figure first."""
    from optuna.trial import TrialState

    finished = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    return sorted(finished, key=lambda trial: -(trial.value or 0.0))


def format_value(value: Any) -> str:
    """Formats the value of an option: `0.00213`, `128`, `gru`."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def format_options(options: dict[str, Any]) -> str:
    """Formats options by name: `learning_rate 0.00213, units 128`."""
    return ", ".join(f"{name} {format_value(value)}" for name, value in options.items())


def describe_trial(trial: "FrozenTrial", done: int, trials: int, is_best: bool) -> str:
    """Describes a trial that is over, in lines of 80 columns.

    Args:
        trial: that is over.
        done: how many of those that there shall be are over.
        trials: how many there shall be.
        is_best: whether none before it was better.
    """
    from optuna.trial import TrialState

    width = len(str(trials))
    number = f"{done:{width}}/{trials}  trial {trial.number + 1:{width}}"
    if trial.state == TrialState.FAIL:
        why = trial.user_attrs.get("problem", "its process ended; its options are tried again")
        return textwrap.fill(f"{number}  failed: {why}", 80, subsequent_indent="  ")
    figure, epochs = figure_of(trial), trial.user_attrs.get("epochs", 0)
    state = "best" if is_best else "pruned" if trial.state == TrialState.PRUNED else ""
    counted = f"{epochs} epoch{'s' if epochs != 1 else ''}"
    shown = "none" if figure is None else f"{figure:.4f}"
    seconds = format_duration(trial.user_attrs.get("seconds", 0.0))
    of_recipe = ", the recipe's options" if trial.user_attrs.get("recipe") else ""
    head = f"{number}  {shown} {state:6}  {counted}, {seconds}{of_recipe}"
    rest = textwrap.fill(
        format_options(trial.params), 80, initial_indent="  ", subsequent_indent="  "
    )
    return f"{head.rstrip()}\n{rest}"


def describe_results(plan: Plan, trials: "Sequence[FrozenTrial]") -> str:
    """Describes what all trials have given, the best ones first."""
    from optuna.trial import TrialState

    counts = {
        name: sum(trial.state == state for trial in trials)
        for name, state in (
            ("finished", TrialState.COMPLETE),
            ("pruned", TrialState.PRUNED),
            ("failed", TrialState.FAIL),
        )
    }
    counted = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    lines = [f"{plan.monitor} on validation, the best of {len(trials)} trials ({counted})"]
    for trial in _rank(trials)[:_SHOWN]:
        line = f"  {trial.value:.4f}  trial {trial.number + 1}: {format_options(trial.params)}"
        lines.append(textwrap.fill(line, 80, subsequent_indent=" " * 10))
    return "\n".join(lines)


def write_results(folder: Path, plan: Plan, journal: "Journal", as_given: dict[str, Any]) -> None:
    """Writes `trials.csv`, `best.json` and the pictures.

    Args:
        folder: of the study.
        plan: what is searched.
        journal: that is open.
        as_given: the options that all trials have.
    """
    trials = journal.get_trials(deepcopy=False)
    _write_table(folder / TABLE, plan, trials)
    best = best_of(trials)
    if best is None:
        return
    RunFolder(folder).write_json(
        BEST,
        {
            "config": {**as_given, **best.params},
            "trial": best.number + 1,
            f"validation_{plan.monitor}": best.value,
        },
    )
    if sum(trial.state.is_finished() for trial in trials) >= _FEWEST:
        _draw(folder, plan, journal)


def _write_table(path: Path, plan: Plan, trials: "Sequence[FrozenTrial]") -> None:
    options = list(plan.space)
    with whole_file(path) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["trial", "state", plan.monitor, "epochs", "seconds", *options, "problem"])
        for trial in trials:
            attributes = trial.user_attrs
            writer.writerow(
                [
                    trial.number + 1,
                    trial.state.name.lower(),
                    figure_of(trial),
                    attributes.get("epochs", 0),
                    attributes.get("seconds", ""),
                    *(trial.params.get(name, "") for name in options),
                    attributes.get("problem", ""),
                ]
            )


def _draw(folder: Path, plan: Plan, journal: "Journal") -> None:
    """Draws the figures trial by trial, the options that gave them, and what each option counts
    for; Optuna does it."""
    from optuna.visualization import matplotlib as drawing

    from apps.plots.training import save

    pictures = {
        "history": lambda: drawing.plot_optimization_history(journal, target_name=plan.monitor),
        "parallel_coordinates": lambda: drawing.plot_parallel_coordinate(
            journal, target_name=plan.monitor
        ),
        "importances": lambda: drawing.plot_param_importances(journal, target_name=plan.monitor),
    }
    for name, draw in pictures.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                axes = draw()
            except (RuntimeError, ValueError):
                continue  # of trials that are all alike there is nothing to draw
            figure = axes.get_figure(root=True)
            assert figure is not None, "Optuna has drawn"
            figure.set_size_inches(max(7.0, 1.3 * len(plan.space)), 4.0)
            save(figure, folder / f"{name}.png", tight=True)

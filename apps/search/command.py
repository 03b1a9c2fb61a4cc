"""`search`: trains with many options, chosen by what the earlier ones gave on validation."""

import importlib.util
import textwrap
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from apps.cluster import connection
from apps.config.options import Options, option, override, own_options
from apps.config.parser import OneLineParser, add_fields
from apps.config.space import Space
from apps.config.training import TrainingConfig
from apps.search.space import check_space, from_json, holds, read_space, to_json
from apps.search.study import Plan, Study, count_used
from apps.search.trial import Searched
from apps.terminal.program import command_line
from apps.training.signals import Terminated
from data.errors import UserError
from data.messages import say

HELP = "search for better options on the validation split"


@dataclass(frozen=True)
class SearchingOptions(Options):
    """How a search goes."""

    title: ClassVar[str] = "search"

    trials: int = option(
        20, "trainings, those that are pruned after some epochs included", at_least=1
    )
    workers: int = option(1, "processes that train at once", at_least=1)
    minutes: float = option(
        0.0, "minutes after which no further trial begins; 0: no limit", at_least=0.0
    )
    cluster: str | None = option(
        None, "address of a Ray cluster whose machines train, such as auto or 10.0.0.1:6379"
    )
    space: str | None = option(
        None, "JSON file with the options to search, instead of those of the application"
    )


def add_options(parser: OneLineParser, application: Searched, arguments: list[str]) -> None:
    """Adds the options to the parser; see `apps.commands.main`."""
    parser.add_argument(
        "--study",
        metavar="DIR",
        default=f"studies/{application.name}",
        help="folder of the search (default: %(default)s)",
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="go on with the search in the folder, with the options that it has",
    )
    add_fields(parser, SearchingOptions, SearchingOptions())
    add_fields(parser, application.config)


def run(application: Searched, options: dict) -> None:
    """Searches, or goes on with a search, and writes what it has found."""
    _check_installed()
    study = Study(Path(options.pop("study")))
    resume, command = options.pop("resume"), options.pop("command")
    searching = own_options(SearchingOptions, options)
    if searching.cluster is not None:
        connection.check_installed("search --cluster")
    given = {name: value for name, value in options.items() if name not in vars(searching)}
    if resume:
        plan = _resumed(study, application, options)
        given = plan.options
    elif study.is_there():
        raise UserError(
            f"{study.folder} holds a search. Go on with --resume, or choose another --study"
        )
    config = override(application.recipe(given.get("dataset", "sample")), given)
    config = replace(config, seeds=1)
    config.check_data(application.corpora)
    config.check()
    space = _space(searching, config, given, plan.space if resume else None)
    corpus = application.read_data(config)
    if not resume:
        plan = Plan(
            application.name,
            given,
            to_json(space),
            config.monitor,
            searching.trials,
            config.epochs,
            config.seed,
            command,
            corpus.name,
            corpus.checksum,
        )
    elif not corpus.is_known_as(plan.checksum):
        raise UserError(f"{config.dataset} has changed since the search began. Begin another one")
    say(corpus.describe())
    with study.locked():
        study.write_plan(plan)
        _search(application, config, space, study, searching)


def _resumed(study: Study, application: Searched, options: dict) -> Plan:
    """Returns the plan of the search in the folder, with as many trials as are given.

    Raises:
        UserError: it is of another application, or options are given that it has already.
    """
    plan = study.plan()
    if plan.application != application.name:
        raise UserError(
            f"{study.folder} holds a search of {plan.application!r}, not of {application.name!r}. "
            "Check --study"
        )
    allowed = {"trials", "workers", "cluster", "minutes"}
    if others := sorted(options.keys() - allowed):
        flag = "--" + others[0].replace("_", "-")
        raise UserError(f"--resume goes on with the options of the search. Leave {flag} out")
    return replace(plan, trials=options.get("trials", plan.trials))


def _space(
    searching: SearchingOptions, config: TrainingConfig, given: dict, stored: dict | None
) -> Space:
    """Returns the space: the one that a search has begun with, that of a file, or the
    application's without the options that are given.

    Raises:
        UserError: of a file, or nothing is left to search.
    """
    if stored is not None:
        return from_json(stored)
    if searching.space is not None:
        return read_space(Path(searching.space), config)
    space = {name: each for name, each in config.search_space.items() if name not in given}
    if not space:
        raise UserError("all options that search tries are given. Leave one out, or add --space")
    check_space(space, config)
    return space


def _search(
    application: Searched,
    config: TrainingConfig,
    space: Space,
    study: Study,
    searching: SearchingOptions,
) -> None:
    """Runs the trials, says how each has ended, and writes what they have given."""
    from apps.search.results import (
        BEST,
        best_of,
        describe_results,
        describe_trial,
        write_results,
    )
    from apps.search.worker import run_workers

    plan, journal = study.plan(), study.journal()
    study.give_up(journal)
    if not journal.get_trials(deepcopy=False) and holds(space, config):
        # The first trial is the recipe: what is found is measured against it.
        recipe = {name: getattr(config, name) for name in space}
        journal.enqueue_trial(recipe, user_attrs={"recipe": True})
    said = {
        trial.number for trial in journal.get_trials(deepcopy=False) if trial.state.is_finished()
    }

    def watch() -> bool:
        over = [t for t in journal.get_trials(deepcopy=False) if t.state.is_finished()]
        for trial in (each for each in over if each.number not in said):
            said.add(trial.number)
            known = [each for each in over if each.number in said]
            done = count_used(known)
            say(describe_trial(trial, done, plan.trials, best_of(known) is trial))
        return count_used(over) >= plan.trials

    until = time.time() + 60 * searching.minutes if searching.minutes else None
    said_of_it = f"{plan.trials} trials of {', '.join(space)}; {plan.monitor} decides"
    say(textwrap.fill(said_of_it, 80, subsequent_indent="  "))
    try:
        if not watch():
            common = (application, config, space, study, searching.workers, until, watch)
            if searching.cluster is None:
                run_workers(*common)
            else:
                from apps.search.tasks import run_tasks

                run_tasks(*common, searching.cluster)
    except (KeyboardInterrupt, Terminated) as stop:
        way_on = command_line(application.name, "search", "--study", study.folder, "--resume")
        what = "terminated" if isinstance(stop, Terminated) else "interrupted"
        raise type(stop)(f"{what}. Go on with: {way_on}") from None
    finally:
        write_results(study.folder, plan, journal, {**plan.options, "dataset": config.dataset})
    trials = journal.get_trials(deepcopy=False)
    best = best_of(trials)
    if best is None:
        why = next((t.user_attrs["problem"] for t in trials if "problem" in t.user_attrs), "")
        raise UserError(f"no trial came to its end{f': {why}' if why else ''}")
    train = command_line(
        application.name, "train", "--config", study.folder / BEST, "--run", "runs/best"
    )
    say(
        f"\n{describe_results(plan, trials)}\n\n"
        "The best of many is flattered by the choice: train it, and measure it on the test split.\n"
        f"next:\n  {train}"
    )


def _check_installed() -> None:
    """Refuses to go on without Optuna.

    Raises:
        UserError: it is not installed.
    """
    if importlib.util.find_spec("optuna") is None:
        raise UserError(
            "search needs the package optuna. Install it with: pip install "
            '"recurrent-text-suite[search]"'
        )

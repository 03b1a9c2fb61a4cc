"""One recipe trained with several seeds: the members, their metrics, and the run they make."""

import shutil
from collections.abc import Callable, Collection
from dataclasses import fields, replace
from itertools import cycle
from pathlib import Path
from typing import Any, NamedTuple

import keras

from apps.commands.application import Application
from apps.commands.seed_summary import SeedSummary
from apps.commands.training_run import say_what_is_next
from apps.config.groups import InitFromOptions
from apps.config.options import to_json
from apps.config.training import TrainingConfig
from apps.pretrained.names import find_run
from apps.reports.model_card import write_model_card
from apps.runs.contents import GRADIENT_NORMS, HISTORY, REFIT_HISTORY, SEEDS
from apps.runs.description import RunDescription
from apps.runs.files import RunFiles, read_run
from apps.runs.folder import RunFolder
from apps.runs.unfinished import UnfinishedTraining
from apps.tasks.portable import add_form
from apps.tasks.task import Averaging, Report
from apps.training.divergence import Diverged
from data.examples.corpus import Corpus, Examples
from data.messages import say, warn

# Goes with the model of one member; an ensemble has several of each.
_OF_ONE = (HISTORY, REFIT_HISTORY, "training_curves.png", GRADIENT_NORMS, "gradient_norms.png")


def train(
    application: Application,
    corpus: Corpus,
    config: TrainingConfig,
    description: RunDescription,
    unfinished: UnfinishedTraining,
    train_member: Callable[..., bool],
) -> bool:
    """Trains the members that are not trained yet, and puts the run that they make in its place.

    Args:
        application: that of the training.
        corpus: the data.
        config: the options; the seeds are `seed`, `seed` + 1, ... The run's model is the ensemble,
            or that of the member with the highest `monitor`, a figure of `evaluate`.
        description: of the whole training; its provenance is that of the metrics.
        unfinished: the folder of the whole training.
        train_member: see `train_members`.

    Returns:
        Whether all members are trained; if one was interrupted, nothing takes the run's place.
    """
    diverged, complete = train_members(application.name, config, unfinished, train_member)
    if not complete:
        return False
    members = RunFolder(unfinished.path).members()
    metrics = {seed: member.read_metrics("validation") for seed, member in members.items()}
    best = max(members, key=lambda seed: metrics[seed][config.monitor] or 0.0)
    # The members are on disk, and none of them lives here any more.
    keras.backend.clear_session()
    if config.averaged:
        loaded = [application.trained(member.path) for member in members.values()]
        ensembling: Any = application.load_task()  # an `Ensembling`, as its config says
        task, model = ensembling.ensemble(loaded, corpus), "the ensemble"
    else:
        task, model = application.trained(members[best].path), f"seed {best}"
    seconds = sum(member.describe().training_seconds or 0.0 for member in members.values())
    with unfinished.publishing() as new:
        hidden = shutil.ignore_patterns(".*")
        shutil.copytree(unfinished.path / SEEDS, new.path / SEEDS, ignore=hidden)
        if not config.averaged:
            _copy(members[best], new, _OF_ONE)
        task.save(new.path)
        new.write_description(
            replace(
                description,
                config=_as_whole(task.config, config),
                details={**description.details, **task.describe()},
                model=model,
                training_seconds=round(seconds, 1),
                stopped_early=diverged,
            )
        )
        summary = SeedSummary.collect(metrics)
        if config.averaged and not task.describe().get("refit_epochs"):
            report = task.evaluate(corpus.split("validation"))
        else:
            # With --refit the members have learned from the validation split since they were
            # measured: also of an ensemble the figures are then those of the best one.
            report = task.read_report(metrics[best])
        new.add_metrics(
            "validation",
            {
                **report.to_json(),
                "seeds": summary.to_json(),
                **description.provenance.to_json(),
            },
        )
        report.draw("validation", new.path)
        write_model_card(new.path, unfinished.run.name)
    unfinished.discard()
    add_form(task, read_run(RunFolder(unfinished.run)))
    if diverged:
        warn(f"{diverged}. The other members are kept")
    say(
        f"\nvalidation\n{report.table()}\n\n{summary.table(task.read_report)}\n\n"
        f"trained in {seconds:.0f} s, the model is of {model}: {unfinished.name}"
    )
    say_what_is_next(application, Path(unfinished.name))
    return True


class Members(NamedTuple):
    """How the trainings with several seeds ended.

    Attributes:
        diverged: which members diverged before they were worth anything, and how; or the empty
            text.
        complete: whether no member was interrupted.
    """

    diverged: str
    complete: bool


def train_members(
    application: str,
    config: TrainingConfig,
    unfinished: UnfinishedTraining,
    train_member: Callable[..., bool],
) -> Members:
    """Trains with each seed for which there is no run in the folder yet, one after the other.

    Args:
        application: its name.
        config: the options of all. Where they begin with a run of several seeds, each begins with
            another of its members.
        unfinished: the folder of the whole training.
        train_member: trains with one seed and puts that run in its place. It takes, by name, the
            member's options `config`, its folder `unfinished`, and `begun`: what that describes if
            it can be resumed, or None. It returns whether the training came to its end.

    Raises:
        Diverged: the first one did: the others have the same recipe.
    """
    diverged = []
    seeds = range(config.seed, config.seed + config.seeds)
    for seed, beginning in zip(seeds, cycle(_beginnings(config)), strict=False):
        member = unfinished.member(seed)
        if member.run.exists():
            # A process that was killed may have left it.
            member.discard()
            continue
        say(f"\nseed {seed}")
        # Names of layers start anew for each member, and what is left of the former model goes. No
        # other model lives in the process, which belongs to the command.
        keras.backend.clear_session()
        alone = replace(config.of_member(seed), **beginning)
        with member.locked():
            begun = member.describe(application) if member.resumable else None
            if begun is None:
                member.begin(restart=True)
            try:
                complete = train_member(config=alone, unfinished=member, begun=begun)
            except Diverged as found:
                if not RunFolder(unfinished.path).members():
                    raise
                diverged.append(f"seed {seed}: {found}")
                continue
        if not complete:
            return Members("; ".join(diverged), complete=False)
    return Members("; ".join(diverged), complete=True)


def _beginnings(config: TrainingConfig) -> list[dict]:
    """Options of the first member, the second, ...: what they begin with, if that is several."""
    if not (isinstance(config, InitFromOptions) and config.init_from):
        return [{}]
    members = RunFolder(find_run(config.init_from)).members()
    return [{"init_from": str(member.path)} for member in members.values()] or [{}]


def _copy(member: RunFolder, new: RunFolder, names: tuple[str, ...]) -> None:
    for name in names:
        if (member.path / name).exists():
            shutil.copy(member.path / name, new.path)


def _as_whole(config: TrainingConfig, whole: TrainingConfig) -> dict:
    """Returns a member's options, as they were given for all members."""
    names = {"seed", "seeds", "ensemble", "init_from"} & {each.name for each in fields(whole)}
    several = {name: getattr(whole, name) for name in names}
    return to_json(replace(config, **several))


def evaluate(
    application: Application,
    task: Any,
    files: RunFiles,
    members: Collection[int],
    examples: Examples,
) -> tuple[Report, SeedSummary]:
    """Measures a run of several seeds on a split: its model, and each of its members.

    Args:
        application: the task's.
        task: of the run; where it is an ensemble that is `Averaging`, no member reads the texts
            twice.
        files: of the run.
        members: their seeds.
        examples: the split.

    Raises:
        UserError: a member is missing or damaged, or another training has replaced the run.
    """
    # Somebody may have deleted some of them since.
    together = (
        task.config.averaged
        and len(members) == len(task.model.members)
        and isinstance(task, Averaging)
    )
    metrics, logits = {}, []
    for seed in members:
        alone: Any = application.load(files.member(seed))
        if together:
            logits.append(alone.logits(examples.texts))
            metrics[seed] = alone.report(logits[-1], examples).to_json()
        else:
            metrics[seed] = alone.evaluate(examples).to_json()
    report = task.report(task.mean(logits), examples) if together else task.evaluate(examples)
    return report, SeedSummary.collect(metrics)

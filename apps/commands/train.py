"""`train`: trains a model in a folder beside the run, whose place it takes when all is written."""

import shutil
import tempfile
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from apps.cluster import connection
from apps.commands.application import Application, load_application
from apps.commands.startup import import_tensorflow
from apps.config.groups import DeviceOptions
from apps.config.options import from_file, override, own_options, to_json, without_dropped
from apps.config.parser import OneLineParser, add_fields, new_parser
from apps.config.training import GroupOptions, TrainingConfig
from apps.pretrained.names import NAME
from apps.runs.description import RunDescription
from apps.runs.files import RunFiles
from apps.runs.folder import RunFolder
from apps.runs.init_from import options_from_pretrained, read_pretrained
from apps.runs.resumption import check_surroundings, resume_options
from apps.runs.unfinished import UnfinishedTraining
from apps.tracking.session import follow
from apps.tracking.tracker import TRACKERS, check_installed
from apps.training.signals import Signals, Terminated
from data.errors import UserError
from data.messages import say

HELP = "train a model"
_HELP_OPTIONS = ("-h", "--help", "--help-all")


def add_options(parser: OneLineParser, application: Application, arguments: list[str]) -> None:
    """Adds the options to the parser; see `apps.commands.main`."""
    config = parser.add_argument(
        "--config", metavar="FILE", help="options from a JSON file, such as a run's config.json"
    )
    unfinished = parser.add_mutually_exclusive_group()
    unfinished.add_argument(
        "--resume",
        action="store_true",
        help="continue an interrupted training with the options that it has",
    )
    restart = unfinished.add_argument(
        "--restart", action="store_true", help="discard an interrupted training and begin anew"
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="replace the run that is in the folder"
    )
    find = unfinished.add_argument(
        "--find-lr", action="store_true", help="train nothing, but suggest a learning rate"
    )
    track = parser.add_argument(
        "--track", choices=tuple(TRACKERS), help="tracker that follows the training"
    )
    uri = parser.add_argument(
        "--tracking-uri",
        metavar="URI",
        help="address of the tracker's store (default: a folder in the working folder)",
    )
    parser.leave_to_help_all(config, restart, find, track, uri)
    add_fields(parser, GroupOptions, GroupOptions())
    add_fields(parser, application.config, application.recipe(_dataset_in(arguments)))


def _dataset_in(arguments: list[str]) -> str:
    """The data set on a command line, before it is parsed: the defaults in the help follow it."""
    scout = new_parser("", "")
    scout.add_argument("--dataset", default="sample", nargs="?")
    # The real parser says what is wrong.
    scout.error = lambda message: None  # type: ignore[method-assign,assignment,return-value]
    known, _ = scout.parse_known_args([a for a in arguments if a not in _HELP_OPTIONS])
    return known.dataset or "sample"


def run(application: Application, options: dict) -> None:
    """Trains, or goes on with an interrupted training, or suggests a learning rate."""
    run, command = RunFolder(Path(options.pop("run"))), options.pop("command")
    resume, restart = options.pop("resume"), options.pop("restart")
    find, overwrite = options.pop("find_lr"), options.pop("overwrite")
    choice = {"tracker": options.pop("track", None), "uri": options.pop("tracking_uri", None)}
    if choice["uri"] and not (choice["tracker"] or resume):
        raise UserError("--tracking-uri is the address of a tracker. Add --track")
    if choice["tracker"]:
        check_installed(choice["tracker"])
    sharing = own_options(GroupOptions, options)
    sharing.check()
    for name in to_json(sharing):
        options.pop(name, None)
    config_file = options.pop("config", None)
    stored = without_dropped(application.config, from_file(config_file)) if config_file else {}
    given = {**stored, **options}
    run.check_replaceable()
    unfinished = UnfinishedTraining(run.path)
    begun = pretrained = None
    if resume:
        begun = unfinished.describe(application.name)
        command = begun.provenance.command
        config = resume_options(application.restored(begun.config), given)
    else:
        name_application(application, given)
        config = override(application.recipe(given.get("dataset", "sample")), given)
        pretrained = read_pretrained(config)
        if pretrained is not None:
            config = options_from_pretrained(config, given, pretrained.description)
    config.check_data(application.corpora)
    config.check()
    _check_sharing(sharing, config, find)
    if not (find or resume):
        _check_wanted(run, unfinished, restart, overwrite)
    if find:
        _find_learning_rate(application, config, command, run.path, pretrained)
        return
    with unfinished.locked(), Signals():
        if begun is not None:
            check_surroundings(begun, config.data_file(application.corpora, application.sample))
        else:
            unfinished.begin(restart)
        try:
            if sharing.workers > 1:
                _train_in_group(application, config, command, unfinished, choice, sharing)
                return
            with follow(choice, unfinished.path, run, resume):
                if not _train(application, config, command, unfinished, begun, pretrained):
                    raise KeyboardInterrupt
        except (KeyboardInterrupt, Terminated) as stop:
            what = "terminated" if isinstance(stop, Terminated) else "interrupted"
            raise type(stop)(f"{what}. {unfinished.way_on(application.name)}") from None
        except UserError as mistake:
            if not unfinished.resumable:
                raise
            raise UserError(f"{mistake}. {unfinished.way_on(application.name)}") from mistake


def name_application(application: Application, given: dict) -> None:
    """Says of which application the model is that ships, where `--init-from` and `--teacher` do
    not: members of several seeds and those who read `config.json` see the option alone."""
    for option in ("init_from", "teacher"):
        if given.get(option) == NAME:
            given[option] = f"{NAME}/{application.name}"


def _check_sharing(sharing: GroupOptions, config: TrainingConfig, find: bool) -> None:
    """Refuses several processes where one trains.

    Raises:
        UserError: it does, or Ray is not installed.
    """
    if sharing.workers == 1:
        return
    remedy = "Leave --workers out"
    if not isinstance(config, DeviceOptions):
        raise UserError(f"a {config.kind} reads on from batch to batch on one device. {remedy}")
    if config.jit:
        raise UserError(f"--jit compiles for one device. {remedy}, or --jit")
    if config.seeds > 1:
        raise UserError(f"--seeds {config.seeds} trains one model after the other. {remedy}")
    if find:
        raise UserError(f"--find-lr tries learning rates in one process. {remedy}")
    connection.check_installed("train --workers")


def _train_in_group(
    application: Application,
    config: TrainingConfig,
    command: str,
    unfinished: UnfinishedTraining,
    choice: dict[str, str | None],
    sharing: GroupOptions,
) -> None:
    """Trains in several processes; the arguments are those of `_train` and `follow`."""
    from apps.cluster.group import train_in_group

    job = {
        "application": application.name,
        "config": to_json(config),
        "command": command,
        "run": str(unfinished.name),
        "choice": choice,
    }
    storage = unfinished.path.with_name(f".{unfinished.run.name}.workers")
    train_in_group(train_as_one, job, sharing.workers, sharing.cluster, storage)


def train_as_one(job: dict[str, Any]) -> None:
    """Trains as one process of a group. All train alike; only the first has the run, and the others
    a copy of its unfinished training in a temporary folder.

    Args:
        job: what `train` was called with.
    """
    from ray.train.collective import barrier

    from apps.training.workers.group import joined

    application = load_application(job["application"])
    config = override(application.config(), job["config"])
    run, group = RunFolder(Path(job["run"])), joined()
    assert group is not None
    unfinished = UnfinishedTraining(run.path)
    begun = unfinished.describe(application.name) if unfinished.resumable else None
    with nullcontext() if group.is_first else tempfile.TemporaryDirectory() as folder:
        if folder is not None:
            own = UnfinishedTraining(Path(folder) / run.path.name)
            if begun is not None:
                shutil.copytree(unfinished.path, own.path)
            unfinished = own
        # The first one changes the folder only when the others have read it.
        barrier()
        if begun is None:
            unfinished.begin(restart=True)
        with (
            follow(job["choice"], unfinished.path, run, begun is not None)
            if group.is_first
            else nullcontext()
        ):
            _train(application, config, job["command"], unfinished, begun, None)


def _check_wanted(
    run: RunFolder, unfinished: UnfinishedTraining, restart: bool, overwrite: bool
) -> None:
    """Refuses to discard an unfinished training, or to replace a run, that nobody has given up.

    Raises:
        UserError: there is one. What a discarded training has left as a run goes with it.
    """
    unfinished.check_discarded(restart)
    if overwrite or not run.is_there():
        return
    if not (restart and run.describe().stopped_early):
        raise UserError(
            f"{run.path} holds a trained model. Replace it with --overwrite, or choose another "
            "--run"
        )


def _train(
    application: Application,
    config: TrainingConfig,
    command: str,
    unfinished: UnfinishedTraining,
    begun: RunDescription | None,
    pretrained: RunFiles | None,
) -> bool:
    """Reads the data and trains with one seed or with several; the arguments and what it returns
    are those of `apps.commands.training_run.train_run`."""
    corpus = application.read_data(config)
    say(corpus.describe())
    import_tensorflow(announced=True)
    from apps.commands import seeds
    from apps.commands.training_run import begin, train_run

    if config.seeds == 1:
        return train_run(application, corpus, config, command, unfinished, begun, pretrained)
    description = begin(application, corpus, config, command, unfinished, begun)
    pretrained = read_pretrained(config, pretrained)
    train_member = partial(train_run, application, corpus, command=command, pretrained=pretrained)
    return seeds.train(application, corpus, config, description, unfinished, train_member)


def _find_learning_rate(
    application: Application,
    config: TrainingConfig,
    command: str,
    run: Path,
    pretrained: RunFiles | None,
) -> None:
    corpus = application.read_data(config)
    import_tensorflow(announced=True)
    from apps.training import devices, fit
    from apps.training.learning_rate_finder import find_learning_rate

    task_class = application.load_task()
    fit.seed_everything(config)
    with devices.distribution_scope(config):
        task = task_class.build(config, corpus, pretrained)
    batches, loss = task.training_data(corpus)
    find_learning_rate(task.trained_part(), batches, loss, config, command, run)

"""`export`: writes the serving model as a SavedModel, the next version in its folder."""

from pathlib import Path

from apps.commands.application import Application
from apps.commands.startup import import_tensorflow
from apps.config.options import Options
from apps.config.parser import OneLineParser, add_fields
from apps.runs.contents import CONFIG, MODEL
from apps.runs.export_folder import next_version
from apps.runs.files import RunFiles, read_run
from apps.runs.folder import RunFolder
from apps.tasks.task import Configurable
from data.messages import say

HELP = "write a SavedModel that takes raw strings"


def add_options(parser: OneLineParser, application: Application, arguments: list[str]) -> None:
    """Adds the options to the parser; see `apps.commands.main`."""
    parser.add_argument(
        "--output",
        metavar="DIR",
        default=f"exported/{application.name}",
        help="folder of the SavedModel's versions: DIR/1, DIR/2, ... (default: %(default)s)",
    )
    own = application.options_class("export")
    add_fields(parser, own, own())


def run(application: Application, options: dict) -> None:
    """Writes the SavedModel, with the run's files in it."""
    files = read_run(RunFolder(Path(options["run"])))
    application.config_of(files)
    own = application.options_of("export", options)
    folder = write_saved_model(application, files, Path(options["output"]), own)
    say(f"SavedModel: {folder}")


def write_saved_model(
    application: Application, files: RunFiles, output: Path, options: Options
) -> Path:
    """Writes the SavedModel of a run, with the run's files in it, and returns its folder.

    Args:
        application: that of the run.
        files: of the run.
        output: the folder of the versions.
        options: an instance of `Application.options_class("export")`.

    Raises:
        UserError: something else is in the folder, it cannot be written, or the options do not suit
            the model.
    """
    config, folder = application.config_of(files), next_version(output)
    import_tensorflow()
    from apps.runs.tensorflow_files import tensorflow_writing
    from models.serving.export import export

    with files.copied() as copy:
        task = application.load_task().load(config, files.description, copy)
        if isinstance(task, Configurable):
            task.set_options(options)
        with tensorflow_writing(folder):
            export(task.serving(), folder, [copy / CONFIG, copy / MODEL, *task.files(copy)])
    return folder

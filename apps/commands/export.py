"""`export`: writes the serving model as a SavedModel, in ONNX or both, the next version in its
folder."""

from collections.abc import Collection
from pathlib import Path

from apps.commands.application import Application
from apps.commands.startup import import_tensorflow
from apps.config.options import Options
from apps.config.parser import OneLineParser, add_fields
from apps.pretrained.names import is_shipped
from apps.runs.contents import CONFIG, MODEL
from apps.runs.export_folder import FORMATS, next_version
from apps.runs.files import RunFiles
from apps.tasks import portable
from apps.tasks.quantization import describe_cost
from apps.tasks.task import Configurable
from data.errors import UserError
from data.files.writing import whole_folder
from data.messages import say

HELP = "write a model that takes raw strings: a SavedModel, or in ONNX"


def add_options(parser: OneLineParser, application: Application, arguments: list[str]) -> None:
    """Adds the options to the parser; see `apps.commands.main`."""
    parser.add_argument(
        "--output",
        metavar="DIR",
        default=f"exported/{application.name}",
        help="folder of the model's versions: DIR/1, DIR/2, ... (default: %(default)s)",
    )
    parser.add_argument(
        "--format",
        nargs="+",
        choices=tuple(FORMATS),
        default=["savedmodel"],
        help="savedmodel: for TensorFlow and its servers; onnx: a folder that answers by numpy, "
        "onnxruntime and google-re2 alone; or both (default: savedmodel)",
    )
    parser.add_argument(
        "--quantize",
        choices=("int8",),
        help="weights of eight bits in ONNX: a smaller file; prints what they cost on the "
        "validation split",
    )
    own = application.options_class("export")
    add_fields(parser, own, own())


def run(application: Application, options: dict) -> None:
    """Writes the model, with the run's files in it."""
    files = application.read_run(options["run"])
    application.config_of(files)
    own = application.options_of("export", options)
    output, formats = Path(options["output"]), options["format"]
    quantizer = options["quantize"]
    folder = write_export(application, files, output, own, formats, quantizer)
    if "savedmodel" in formats:
        say(f"SavedModel: {folder}")
    if "onnx" in formats:
        say(f"ONNX: {folder}\nwithout TensorFlow: python {output / 'answer.py'} 'Your own text'")


def write_export(
    application: Application,
    files: RunFiles,
    output: Path,
    options: Options,
    formats: Collection[str] = ("savedmodel",),
    quantizer: str | None = None,
) -> Path:
    """Writes the model of a run, with the run's files in it, and returns its folder. A run without
    a valid ONNX form gets one where the format is `onnx`.

    Args:
        application: that of the run.
        files: of the run.
        output: the folder of the versions.
        options: an instance of `Application.options_class("export")`.
        formats: names in `apps.runs.export_folder.FORMATS`.
        quantizer: of the weights in ONNX, a key of `models.onnx.quantize.QUANTIZERS`; a message
            says what it costs on the validation split.

    Raises:
        UserError: something else is in the folder, it cannot be written, or the options do not suit
            the model.
    """
    if quantizer and "onnx" not in formats:
        raise UserError("--quantize is for models in ONNX. Add --format onnx")
    config, folder = application.config_of(files), next_version(output, formats)
    if "onnx" in formats:
        portable.check_installed()
    import_tensorflow()
    from apps.runs.tensorflow_files import tensorflow_writing
    from models.serving.export import write_saved_model

    with files.copied() as copy:
        task = application.load_task().load(config, files.description, copy)
        if isinstance(task, Configurable):
            task.set_options(options)
        serving, texts = task.serving(), [copy / CONFIG, *task.files(copy)]
        if "onnx" in formats:
            portable.check_form(serving)
        if quantizer:
            corpus = application.read_data(config, files.description)
        with tensorflow_writing(folder), whole_folder(folder) as partial:
            if "onnx" in formats:
                portable.write_exported(serving, partial, texts, files, quantizer)
            if "savedmodel" in formats:
                write_saved_model(serving, partial, [copy / MODEL, *texts])
        if "onnx" in formats:
            portable.write_answer_module(output)
            if not (is_shipped(files.run.path) or portable.has_form(files)):
                portable.add_form(task, files)
        if quantizer:
            say(describe_cost(task, files, folder, corpus.split("validation")))
    return folder

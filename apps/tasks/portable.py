"""The ONNX form of a run, by which it answers without TensorFlow."""

import hashlib
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from apps.runs.contents import CARD, CONFIG, FORM, MODEL, RUN, remove_known
from apps.runs.files import RunFiles
from apps.tasks.onnx_engine import OnnxEngine, make_engine
from apps.tasks.task import Portable
from apps.terminal.program import command_line
from data.errors import UserError
from data.files.writing import whole_file, whole_folder
from data.messages import detail, printable

if TYPE_CHECKING:  # a command that only prints its help must not wait for onnxruntime
    from apps.config.training import TrainingConfig
    from apps.runs.description import RunDescription
    from models.portable.folder import Model
    from models.serving.export import ExportableModel

_TO_WRITE, _TO_READ = ("onnx", "onnxruntime", "re2"), ("onnxruntime", "re2")


def check_installed(names: Sequence[str] = _TO_WRITE) -> None:
    """Refuses to go on without the packages of the extra.

    Raises:
        UserError: one is not installed.
    """
    for name in names:
        if importlib.util.find_spec(name) is None:
            package = {"re2": "google-re2"}.get(name, name)
            raise UserError(
                f"the ONNX form of a model needs the package {package}. Install it with: pip "
                'install "recurrent-text-suite[onnx]"'
            )


def find_engine(files: RunFiles, config: "TrainingConfig", wanted: str) -> OnnxEngine | None:
    """Returns what answers by the ONNX form of a run; None if TensorFlow shall.

    Args:
        files: of the run.
        config: the options that it was trained with.
        wanted: a name in `ENGINES`.

    Raises:
        UserError: `onnx` is wanted, and the run has no form, or one of another model, or a damaged
            one.
    """
    if wanted == "tensorflow":
        return None
    try:
        check_installed(_TO_READ)
        return make_engine(_load_form(files), config)
    except UserError as error:
        if wanted == "onnx":
            raise
        detail(f"answers come from TensorFlow: {error}")
        return None


def _load_form(files: RunFiles) -> "Model":
    from models.portable.folder import FormError, load, read_settings

    folder = files.run.path / FORM
    application = files.description.application
    command = command_line(application, "export", "--run", files.run.path, "--format", "onnx")
    remedy = f"Write it with: {command}"
    if not folder.is_dir():
        raise UserError(f"{files.run.path} has no ONNX form. {remedy}")
    try:
        if read_settings(folder).get("run") != _checksums(files):
            raise UserError(f"{folder} is the form of another model than the run's. {remedy}")
        return load(folder)
    except FormError as error:
        raise UserError(f"{error}. {remedy}") from None


def _checksums(files: RunFiles) -> dict[str, str]:
    """Returns the checksums of what tells a run from all others; reading it has compared those that
    it states."""
    stated = files.description.files or {}
    return {
        name: stated.get(name) or hashlib.sha256(files.contents[name]).hexdigest()
        for name in (CONFIG, MODEL)
    }


def load_exported(version: Path, config: "TrainingConfig") -> OnnxEngine:
    """Returns what answers by an ONNX export.

    Args:
        version: its folder.
        config: the options that the model was trained with.

    Raises:
        UserError: it is damaged, or a package is missing.
    """
    check_installed(_TO_READ)
    from models.portable.folder import FormError, load

    try:
        return make_engine(load(version), config, is_export=True)
    except FormError as error:
        raise UserError(str(error)) from None


def has_form(files: RunFiles) -> bool:
    """Returns whether a run has the ONNX form of its model, and no damaged one."""
    try:
        _load_form(files)
    except UserError:
        return False
    return True


def check_form(serving: "ExportableModel") -> None:
    """Refuses a model that has no ONNX form.

    Raises:
        UserError: it is one.
    """
    from models.onnx.form import check_form

    check_form(serving)


def write_answer_module(folder: Path) -> None:
    """Writes into the folder of all versions what answers by the last of them."""
    from models.onnx.form import ANSWER, ANSWER_MODULE

    with whole_file(folder / ANSWER) as partial:
        partial.write_text(ANSWER_MODULE, encoding="utf-8")


def add_form(task: Any, files: RunFiles) -> None:
    """Adds to a run its ONNX form, if the extra is installed and the model has one.

    Args:
        task: the trained task.
        files: of the run.
    """
    if not isinstance(task, Portable):
        return
    try:
        check_installed()
        serving, place = task.to_portable(), files.run.path / FORM
        with files.unreplaced():
            remove_known(place, RUN[FORM])
            with whole_folder(place) as partial:
                _write(serving, partial, task.files(files.run.path), files)
    except UserError as error:
        detail(f"no ONNX form: {error}")


def write_exported(
    serving: "ExportableModel",
    folder: Path,
    copies: list[Path],
    files: RunFiles,
    quantizer: str | None = None,
) -> None:
    """Writes an ONNX export into an empty folder: the form, its card, and what answers.

    Args:
        serving: the model that takes raw strings.
        folder: the folder.
        copies: of the run's `config.json` and vocabularies.
        files: of the run.
        quantizer: see `models.onnx.form.write_form`.
    """
    from models.onnx.form import write_answering

    (folder / CARD).write_text(_card(files.description), encoding="utf-8")
    write_answering(folder)
    _write(serving, folder, copies, files, quantizer)


def write_form_of(
    task: Portable, folder: Path, files: RunFiles, quantizer: str | None = None
) -> None:
    """Writes the form of a trained task into an empty folder."""
    with files.copied() as copy:
        _write(task.to_portable(), folder, task.files(copy), files, quantizer)


def _write(
    serving: "ExportableModel",
    folder: Path,
    copies: list[Path],
    files: RunFiles,
    quantizer: str | None = None,
) -> None:
    from models.onnx.form import write_form

    facts = {
        "application": files.description.application,
        "class_names": files.description.class_names,
        "run": _checksums(files),
    }
    write_form(serving, folder, copies, facts, quantizer)


def _card(description: "RunDescription") -> str:
    """Returns the card of an ONNX export, in Markdown."""
    names = ", ".join(printable(name) for name in description.class_names)
    answers = f"answers with {names}" if names else "continues texts"
    return f"""# {description.application}: a {description.kind} in ONNX

It {answers}.

    pip install numpy onnxruntime google-re2
    python answer.py "a text"

or in Python, with this folder on the path:

    from answer import load
    load().answer(["a text"])

`model.onnx` is the network (of a translator the encoder, `decoder.onnx` a step of the decoder),
`model.json` says how a text becomes its inputs and its outputs become an answer, `config.json` how
it was trained, and `SHA256SUMS` are the checksums of all files, which are compared when it is
loaded. The package `portable` does the rest.
"""

"""Loads a trained model by the folder that holds it."""

from pathlib import Path

from apps.catalog import find_application
from apps.commands.startup import import_tensorflow
from apps.config.verbs import ENGINES
from apps.pretrained.names import find_run
from apps.python.model import Model
from apps.runs.contents import CONFIG
from apps.runs.export_folder import formats_in, last_version
from apps.runs.files import RunFiles, read_run
from apps.runs.folder import RunFolder
from apps.tasks.portable import find_engine, load_exported
from apps.terminal.errors import as_user_errors
from data.errors import UserError


def load(path: str | Path, engine: str = "auto", *, lean: bool = False) -> Model:
    """Loads a trained model: of any application, an ensemble, a member of it, or an export.

    Nothing is printed. A run or an export with an ONNX form answers by it, at once; else TensorFlow
    is imported now, which takes some seconds.

    >>> model = apps.load("runs/reviews")
    >>> print(model.predict("I loved it"))
    I loved it
        → positive 53.2 %   negative 46.8 %

    Args:
        path: a run folder, such as `runs/reviews` or `runs/reviews/seeds/0`; or the folder of an
            export (its last version) or of one version. An export answers by what it holds.
            `pretrained/spam` is the model of spam that ships, see `apps.pretrained`.
        engine: `onnx` or `tensorflow` to choose; `auto` takes the ONNX form where there is one.
        lean: whether TensorFlow, if it is imported, comes without what is optional to Keras, such
            as pandas as inputs of `fit`: for a process that does nothing else.

    Returns:
        The model.

    Raises:
        Error: there is no trained model in the folder, or it is damaged; or the engine that is
            wanted cannot answer it.
    """
    if engine not in ENGINES:
        raise UserError(f"unknown engine {engine!r}. Choose one of: {', '.join(ENGINES)}")
    with as_user_errors():
        place = find_run(path)
        version = None if RunFolder(place).is_there() else last_version(place)
        # Keras cannot load a SavedModel: the files of its run travel with it.
        formats = formats_in(version) if version else ()
        folder = version / "assets.extra" if version and "savedmodel" in formats else place
        if version and "savedmodel" not in formats:
            return _load_onnx_export(version, place, engine)
        if version and not RunFolder(folder).is_there():
            raise UserError(f"{version} is no export of this suite: it lacks the files of a run")
        files = read_run(RunFolder(folder))
        application = find_application(files.description.application)
        config = application.config_of(files)
        if version and "onnx" in formats and engine != "tensorflow":
            return Model(application, files, place, engine=load_exported(version, config))
        if version and engine == "onnx":
            raise UserError(f"{version} is a SavedModel. Export it with --format onnx")
        found = None if version else find_engine(files, config, engine)
        if found is not None:
            return Model(application, files, place, engine=found)
        import_tensorflow(lean=lean)
        serve = _saved_model(version) if version else None
        return Model(application, files, place, serve)


def _load_onnx_export(version: Path, place: Path, engine: str) -> Model:
    """Returns the model in an export that is in ONNX alone."""
    if engine == "tensorflow":
        raise UserError(f"{version} holds no SavedModel. Leave the engine {engine!r} out")
    description = RunFolder(version).described((version / CONFIG).read_bytes())
    files = RunFiles(RunFolder(version), description, {})
    application = find_application(description.application)
    found = load_exported(version, application.config_of(files))
    return Model(application, files, place, engine=found)


def _saved_model(version: Path):  # type: ignore[no-untyped-def]  # TensorFlow has no type for it
    """Returns what answers in a SavedModel: <string>[batch] to tensors by name."""
    import tensorflow as tf

    loaded = tf.saved_model.load(str(version))
    signature = loaded.signatures["serving_default"]

    def serve(texts: tf.Tensor) -> dict[str, tf.Tensor]:
        return signature(texts=texts)

    # A signature does not keep what it was loaded with alive.
    serve.loaded = loaded  # type: ignore[attr-defined]
    return serve

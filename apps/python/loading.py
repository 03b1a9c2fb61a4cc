"""Loads a trained model by the folder that holds it."""

from pathlib import Path

from apps.catalog import find_application
from apps.commands.startup import import_tensorflow
from apps.python.model import Model
from apps.runs.export_folder import last_version
from apps.runs.files import read_run
from apps.runs.folder import RunFolder
from apps.terminal.errors import as_user_errors
from data.errors import UserError


def load(path: str | Path) -> Model:
    """Loads a trained model: of any application, an ensemble, a member of it, or an export.

    Nothing is printed. TensorFlow is imported now, which takes some seconds.

    >>> model = apps.load("runs/reviews")
    >>> print(model.predict("I loved it"))
    I loved it
        → positive 53.2 %   negative 46.8 %

    Args:
        path: a run folder, such as `runs/reviews` or `runs/reviews/seeds/0`; or the folder of an
            export (its last version) or of one version. An export answers by its SavedModel.

    Returns:
        The model.

    Raises:
        Error: there is no trained model in the folder, or it is damaged.
    """
    place = Path(path)
    with as_user_errors():
        version = None if RunFolder(place).is_there() else last_version(place)
        # Keras cannot load a SavedModel: the files of its run travel with it.
        folder = version / "assets.extra" if version else place
        if version and not RunFolder(folder).is_there():
            raise UserError(f"{version} is no export of this suite: it lacks the files of a run")
        files = read_run(RunFolder(folder))
        application = find_application(files.description.application)
        application.config_of(files)
        import_tensorflow()
        serve = _saved_model(version) if version else None
        return Model(application, files, place, serve)


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

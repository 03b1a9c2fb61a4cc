"""What loads a trained model, in the process of the command or in another one."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from apps.commands.application import Application
from apps.commands.startup import import_tensorflow
from apps.config.training import TrainingConfig
from apps.config.verbs import PredictOptions
from apps.runs.description import RunDescription
from apps.runs.files import RunFiles
from apps.tasks.onnx_engine import OnnxEngine
from apps.tasks.portable import find_engine
from apps.tasks.task import Configurable
from data.errors import UserError

if TYPE_CHECKING:
    from apps.serving.windows import AnswerBatch


@dataclass(frozen=True)
class Loader:
    """Loads what answers, in whatever process.

    Attributes:
        application: that of the run.
        run: the folder.
        description: of the run when the command began.
        own: the options of `predict`.
        engine: a name in `ENGINES`.
    """

    application: Application
    run: Path
    description: RunDescription
    own: PredictOptions
    engine: str

    def __call__(self) -> "AnswerBatch":
        """Returns what answers a batch of texts, in a process that was started for it.

        Raises:
            UserError: another training has replaced the run since the command began.
        """
        from apps.serving.answers import batch_answerer

        return batch_answerer(self.load_answering())

    def load_answering(self) -> Any:
        """Returns what answers, in a process that was started for it.

        Raises:
            UserError: as `__call__`.
        """
        files = self.application.read_run(self.run)
        if files.description != self.description:
            raise UserError(f"another training has replaced {self.run}. Predict again")
        return self.own.answering(self.load(files))

    def load(self, files: RunFiles, announced: bool = False) -> Any:
        """Returns the trained task, or the engine of its ONNX form.

        Args:
            files: of the run.
            announced: whether a message says that TensorFlow is loaded.
        """
        config = self.application.config_of(files)
        task: Any = _find_engine(files, config, self.own, self.engine)
        if task is None:
            import_tensorflow(announced, lean=True)
            task = self.application.load(files, config)
        if isinstance(task, Configurable):
            task.set_options(self.own)
        return task


def _find_engine(
    files: RunFiles, config: TrainingConfig, own: PredictOptions, wanted: str
) -> OnnxEngine | None:
    """Returns the engine of a run's ONNX form; None if TensorFlow shall answer.

    Raises:
        UserError: `onnx` is wanted and cannot be had.
    """
    if not own.needs_task:
        return find_engine(files, config, wanted)
    if wanted == "onnx":
        name = next(name for name in own.by_tensorflow if getattr(own, name))
        raise UserError(f"--{name} takes TensorFlow. Leave --engine out")
    return None

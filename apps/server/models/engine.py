"""What a server asks of a model: answers to texts, in ways that are made once."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from apps.catalog import find_application
from apps.config.serving import ServeOptions
from apps.python.loading import load
from apps.tasks.onnx_engine import LanguageModelEngine
from data.errors import UserError

if TYPE_CHECKING:  # it imports TensorFlow
    from apps.python.model import Model
    from apps.tasks.generation.stream import TextStream

# Takes a piece of a text that grows; returns whether nobody wants more.
OnPiece = Callable[[str], bool]
# Ways of answering beside the plain one, an option of `predict` each, by the kind of the model.
_MODES = {"classifier": "explain", "translator": "alignment"}
GENERATOR = "language model"


class Engine(Protocol):
    """Answers texts.

    Attributes:
        application: the name of the application.
        name: what computes, `onnx` or `tensorflow`.
        kind: of the model, an `apps.config.training.TrainingConfig.kind`.
        class_names: the classes, entity types or languages.
        thresholds: by class; empty where there are none.
        modes: ways of answering beside the plain one.
        takes_empty: whether an empty text has an answer.
        streams: whether it can follow one text.
    """

    application: str
    name: str
    kind: str
    class_names: tuple[str, ...]
    thresholds: Mapping[str, float]
    modes: tuple[str, ...]
    takes_empty: bool
    streams: bool

    def answer(self, texts: Sequence[str], mode: str = "") -> list[dict[str, Any]]:
        """Returns the columns that `predict --output FILE.jsonl` writes of each text.

        Args:
            texts: one at least, none of them empty but where that `takes_empty`.
            mode: empty, or one of `modes`.
        """

    def follow(self, text: str, options: Mapping[str, Any], on_piece: OnPiece) -> dict[str, Any]:
        """Continues a text, and returns its columns.

        Args:
            text: the beginning.
            options: all of `apps.server.protocols.generation.OPTIONS`.
            on_piece: takes each piece as it comes.
        """


class ModelEngine:
    """Answers by a model as `apps.load` returns it.

    Args:
        model: the model.
        explains: whether explanations are answered, too.
    """

    def __init__(self, model: "Model", explains: bool = False) -> None:
        self._model = model
        self.application, self.name = model.application, model.engine
        self.kind = find_application(model.application).config.kind
        self.class_names = model.class_names
        decision = model.description.details.get("decision") or {}
        self.thresholds: Mapping[str, float] = decision.get("thresholds", {})
        self.takes_empty = self.streams = self.kind == GENERATOR
        condition = {}
        if self.streams and self.class_names:
            # A model of texts with classes needs one; requests do not name it.
            condition = {"condition": self.class_names[0]}
        self._answerers = {"": model.answerer(**condition)}
        mode = _MODES.get(self.kind, "")
        # Both look into the network by TensorFlow, which a server by ONNX does not load unasked.
        if mode == "alignment" and model.description.config.get("attention") == "none":
            mode = ""
        if mode and (explains or (mode == "alignment" and self.name == "tensorflow")):
            self._answerers[mode] = model.answerer(**{mode: True})
        self.modes = tuple(filter(None, self._answerers))
        self._stream: TextStream | None = None

    def answer(self, texts: Sequence[str], mode: str = "") -> list[dict[str, Any]]:
        return self._answerers[mode]([*texts])

    def follow(self, text: str, options: Mapping[str, Any], on_piece: OnPiece) -> dict[str, Any]:
        if isinstance(self._model.onnx, LanguageModelEngine):
            return self._model.onnx.follow(text, on_piece, greedy=False, **options)
        if self._stream is None:
            from apps.tasks.generation.stream import TextStream

            generator: Any = self._model.task.serving()
            self._stream = TextStream(generator)
        continuation, score = self._stream.follow(text, on_piece, **options)
        return {"continuation": continuation, "log_likelihood": round(score, 4)}


def load_engine(path: Path, options: ServeOptions) -> Engine:
    """Returns what answers by the model in a folder.

    Raises:
        UserError: there is none, or the engine that is wanted cannot answer it.
    """
    model = load(path, options.engine, lean=True)
    if model.application == "captioning":
        # Its texts are paths: a client would read the files of the server.
        raise UserError(f"{path} describes pictures, and a server answers texts. Export the model")
    return ModelEngine(model, options.explain)

"""What `evaluate` can measure of a chatbot besides its answers."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from apps.config.options import option
from apps.config.verbs import EvaluateOptions
from apps.tasks.chat.config import ReversedOptions
from data.errors import UserError

if TYPE_CHECKING:  # options are read without TensorFlow
    from apps.runs.description import RunDescription
    from apps.tasks.chat.reranking import Reranking


@dataclass(frozen=True)
class ChatEvaluateOptions(ReversedOptions, EvaluateOptions):
    """Measures answers that a reversed model chooses, too."""

    title: ClassVar[str] = "further measurements"

    candidates: int | None = option(
        None, "answers to choose among by --reversed-run, if not as in train", at_least=1
    )

    def measurement(self, description: "RunDescription") -> "Reranking | None":
        if self.reversed_run is None:
            if self.candidates is not None:
                raise UserError("--candidates of evaluate is for --reversed-run RUN. Add it")
            return None
        from apps.tasks.chat.reranking import Reranking

        return Reranking(self.reversed_run, self.reversed_weight, self.candidates)

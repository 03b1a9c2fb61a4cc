"""The choice among answers by a model of the other direction, from answers to turns."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from apps.config.options import override, without_dropped
from apps.pretrained.names import find_run
from apps.runs.description import RunDescription
from apps.runs.files import read_run
from apps.runs.folder import RunFolder
from apps.tasks.chat.config import ChatConfig, ChatPredictOptions
from apps.tasks.chat.report import ChatReport
from data.errors import UserError
from models.evaluation.dialogue import dialogue_scores
from models.serving.chatbot import ServingChatbot


def read_reversed(
    run: str, load: Callable[[ChatConfig, RunDescription, Path], Any]
) -> ServingChatbot:
    """Returns the serving model of a chatbot that was trained with `--reversed`.

    Args:
        run: its folder.
        load: returns the trained chatbot of a folder, `apps.tasks.seq2seq.task.Seq2Seq.load`.

    Raises:
        UserError: it holds something else, or is damaged.
    """
    files = read_run(RunFolder(find_run(run), "--reversed-run"))
    description = files.description
    if description.kind != ChatConfig.kind or not description.config.get("reversed"):
        held = "a chatbot that answers" if description.kind == ChatConfig.kind else "no chatbot"
        raise UserError(f"--reversed-run takes a run of train --reversed. {run} holds {held}")
    config = override(ChatConfig(), without_dropped(ChatConfig, description.config))
    with files.copied() as folder:
        return load(config, description, folder).serving()


@dataclass(frozen=True)
class RerankedReport(ChatReport):
    """The metrics of the answers that a reversed model chooses."""

    def table(self) -> str:
        return f"chosen by the reversed model\n{super().table()}"


@dataclass(frozen=True)
class Reranking:
    """What `evaluate` measures of a reversed model (an `apps.tasks.task.Measurement`).

    Attributes:
        run: its folder.
        weight: of the turn's log-probability.
        candidates: to choose among; None for as many as in train.
    """

    name: ClassVar[str] = "reversed model"

    run: str
    weight: float
    candidates: int | None = None

    def measure(self, task: Any, examples: Any) -> RerankedReport:
        """Measures the answers of a trained `apps.tasks.chat.task.Chat` on a split."""
        config = task.config
        task.set_options(
            ChatPredictOptions(
                reversed_run=self.run, reversed_weight=self.weight, candidates=self.candidates
            )
        )
        written = task.reply(examples.texts)
        report = RerankedReport(dialogue_scores(written, examples.translations))
        task.config = config
        task.set_options(ChatPredictOptions())
        return report

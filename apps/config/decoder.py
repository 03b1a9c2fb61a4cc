"""The options of decoders: of all models that write a text about something else."""

from dataclasses import dataclass
from typing import ClassVar

from apps.config.options import Options, option
from data.errors import UserError
from models.registry import FEEDINGS


@dataclass(frozen=True)
class DecoderOptions(Options):
    """What a decoder reads in training and at its next step, and its loss."""

    title: ClassVar[str] = "decoder"

    input_feeding: str = option(
        "none",
        "what the next step reads of the attention: nothing, its vector (Luong et al. 2015), or "
        "the context of the state before (Bahdanau et al. 2015, Xu et al. 2015); these two train "
        "step by step",
        FEEDINGS,
    )
    tied: bool = option(True, "embedding of the decoder as its output layer, too")
    word_dropout: float = option(
        0.1, "share of tokens whose vectors are dropped in a step", at_least=0.0, below=1.0
    )
    label_smoothing: float = option(
        0.1, "share of the target distribution spread over all tokens", at_least=0.0, below=1.0
    )
    scheduled_sampling: float = option(
        0.0,
        "share of input tokens that are the model's own at the end of the training, which goes "
        "step by step",
        at_least=0.0,
        at_most=1.0,
    )


@dataclass(frozen=True)
class SelfCriticalOptions(Options):
    """A training by answers that the model draws itself."""

    title: ClassVar[str] = "decoder"

    self_critical: int = option(
        0,
        "answers that are drawn to each text, two or more, from which a model that has learned "
        "before (--init-from) learns by what they share with the right one (Rennie et al. 2017); "
        "0: none",
        at_least=0,
        at_most=100,
    )

    def check(self) -> None:
        super().check()
        if not self.self_critical:
            return
        if not getattr(self, "init_from", None):
            raise UserError(
                "--self-critical begins with a model that has learned before. Add --init-from RUN"
            )
        if self.self_critical == 1:
            raise UserError("--self-critical compares answers: draw 2 or more. Received: 1")
        if getattr(self, "jit", False) or getattr(self, "scheduled_sampling", 0.0):
            raise UserError(
                "--self-critical draws answers itself. Leave --jit and --scheduled-sampling out"
            )

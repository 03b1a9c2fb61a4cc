"""The options of chatbots."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from apps.config.groups import RecurrentOptions, SplitFileOptions
from apps.config.options import Options, option, redefault
from apps.config.verbs import TextPredictOptions
from apps.pretrained.names import find_run
from apps.tasks.seq2seq.config import Seq2SeqConfig, Seq2SeqExportOptions
from apps.tasks.seq2seq.options import LanguageModelStart, SearchOptions
from data.errors import UserError
from data.formats.record import Record

if TYPE_CHECKING:  # a command that only prints its help must not wait for the readers
    from data.examples.parallel import ParallelCorpus
    from data.user_files.columns import DialogueFiles


@dataclass(frozen=True)
class DialogueDataOptions(SplitFileOptions):
    """Files and columns of dialogues."""

    dialogue_column: str = option("dialogue", "column of a table that says which dialogue a row is")
    speaker_column: str = option("speaker", "column of a table that says who speaks")
    text_column: str = option("text", "column of a table with what is said")

    def dialogue_files(self) -> "DialogueFiles":
        """Returns the files and columns."""
        from data.user_files.columns import DialogueFiles

        return DialogueFiles(
            self.dialogue_column,
            self.speaker_column,
            self.text_column,
            self.validation_file,
            self.test_file,
        )


@dataclass(frozen=True)
class TurnOptions(Options):
    """What of a dialogue an answer reads."""

    title: ClassVar[str] = "texts"

    turns: int = option(3, "turns that an answer reads, the last ones of the dialogue", at_least=1)
    alone: float = option(
        0.1,
        "share of the answers that are learned a second time without their turns, too: what "
        "--information measures an answer against",
        at_least=0.0,
        at_most=1.0,
    )
    reversed: bool = option(
        False,
        "model of the other direction, for --reversed-run: it reads an answer and predicts the one "
        "turn before it, whatever --turns says",
    )


@dataclass(frozen=True)
class ChatSearchOptions(SearchOptions):
    """How answers are drawn, and which of several is given."""

    temperature: float = option(
        0.7, "divisor of the logits to draw answers from; 0: search with a beam", at_least=0.0
    )
    top_p: float = option(
        0.9, "share of the most probable tokens, taken together, to draw from", at_least=0.0
    )
    candidates: int = option(8, "answers that are drawn, of which the best is given", at_least=1)
    information: float = option(
        0.3,
        "weight of how little an answer suits all turns alike, among the candidates: maximum "
        "mutual information (Li et al. 2016); 0: the likeliest",
        at_least=0.0,
    )
    agreement: float = option(
        0.0,
        "weight of how much an answer shares with the other candidates: minimum Bayes risk (Eikema "
        "& Aziz 2020)",
        at_least=0.0,
    )
    memory: float = option(
        0.0,
        "similarity of turns of the training, above 0 and at most 1, from which on what was "
        "answered to them is the answer; 0: no memory",
        at_least=0.0,
        at_most=1.0,
    )


@dataclass(frozen=True)
class ChatConfig(
    LanguageModelStart, ChatSearchOptions, TurnOptions, DialogueDataOptions, Seq2SeqConfig
):
    """All options of a chatbot."""

    kind: ClassVar[str] = "chatbot"
    begins_with: ClassVar[tuple[str, ...]] = ("language model", "chatbot")
    answer: ClassVar[str] = "answer"
    answers: ClassVar[str] = "answers"
    sides: ClassVar[str] = "columns"
    one_language: ClassVar[bool] = True
    keeps_end: ClassVar[bool] = True
    metrics: ClassVar[tuple[str, ...]] = ("dialogue",)
    baselines: ClassVar[tuple[str, ...]] = ("nearest training turns",)
    # BLEU-2 is what answers are measured by.
    rewarded_ngram: ClassVar[int] = 2
    main: ClassVar[tuple[str, ...]] = (
        "dataset",
        "data_dir",
        "turns",
        "epochs",
        "batch_size",
        "learning_rate",
        "units",
    )

    cell: str = redefault(RecurrentOptions, "cell", "gru")
    max_length: int = redefault(
        Seq2SeqConfig, "max_length", 40, "tokens of an answer; longer ones are not trained on"
    )
    max_source_length: int = redefault(
        Seq2SeqConfig, "max_source_length", 80, "tokens that are read of the turns, the last ones"
    )
    label_smoothing: float = redefault(Seq2SeqConfig, "label_smoothing", 0.0)
    no_repeat_ngram: int = redefault(Seq2SeqConfig, "no_repeat_ngram", 3)
    monitor: str = option(
        "log_likelihood",
        "validation metric that chooses the epoch; bleu_2 is of greedy decoding",
        ("log_likelihood", "bleu_2"),
    )

    def read_corpus(
        self, sample: str, class_names: tuple[str, ...] = (), original: bool = False
    ) -> "ParallelCorpus":
        """Reads the dialogues that the options name.

        Args:
            sample: the name of the file that `--dataset sample` means.
            class_names: no matter: the columns are the same for all data.
            original: no matter: no corpus of dialogues needs TensorFlow.

        Raises:
            UserError: they cannot be used.
        """
        from data.datasets import read_dialogues

        return read_dialogues(
            self.dataset,
            sample,
            self.data_dir,
            (self.answer, "turns") if self.reversed else ("turns", self.answer),
            self.turns,
            self.dialogue_files(),
            self.reversed,
        )

    def __post_init__(self) -> None:
        if self.copy:
            raise UserError(
                "--copy reads a text as one line, and the turns of a dialogue are lines. Leave it "
                "out"
            )
        super().__post_init__()


@dataclass(frozen=True)
class ReversedOptions(Options):
    """A model of the other direction, which chooses among answers."""

    title: ClassVar[str] = "search"

    reversed_run: str | None = option(
        None,
        "run folder of train --reversed; the best answer is the one from which the turn before it "
        "can be told, too: maximum mutual information (Li et al. 2016, MMI-bidi)",
    )
    reversed_weight: float = option(
        1.0, "weight of that turn's log-probability, beside that of the answer", at_least=0.0
    )

    def __post_init__(self) -> None:
        if self.reversed_run is not None and not find_run(self.reversed_run).is_dir():
            raise UserError(f"no run folder {self.reversed_run!r}. Check --reversed-run")


@dataclass(frozen=True)
class ChatExportOptions(ReversedOptions, Seq2SeqExportOptions):
    """How the exported chatbot answers; None leaves the training's options."""

    title: ClassVar[str] = "search"

    temperature: float | None = option(
        None, "divisor of the logits, if not that of train; 0: beam search", at_least=0.0
    )
    top_p: float | None = option(
        None, "share of the most probable tokens, if not that of train", at_least=0.0
    )
    candidates: int | None = option(None, "answers that are drawn, if not as in train", at_least=1)
    information: float | None = option(
        None, "weight of mutual information, if not that of train", at_least=0.0
    )
    agreement: float | None = option(
        None, "weight of what candidates share, if not that of train", at_least=0.0
    )
    memory: float | None = option(
        None,
        "similarity from which on the memory answers, if not that of train; 0: never",
        at_least=0.0,
        at_most=1.0,
    )
    seed: int = option(0, "random seed of the answers", at_least=0)


@dataclass(frozen=True)
class ChatPredictOptions(ChatExportOptions, TextPredictOptions):
    """How dialogues are answered."""

    title: ClassVar[str] = "answers"
    texts_help: ClassVar[str] = (
        "a turn to answer, or several turns with line feeds between them; with --interactive the "
        "turns so far"
    )
    input_help: ClassVar[str] = (
        "dialogues: JSON lines with turns, a table with a row a turn, or texts (.txt) whose turns "
        "end with __eou__; a folder or a pattern of them"
    )
    main: ClassVar[tuple[str, ...]] = (
        "interactive",
        "temperature",
        "top_p",
        "candidates",
        "information",
        "agreement",
        "reversed_run",
        "n_best",
        "seed",
        "moderate",
    )

    interactive: bool = option(False, "dialogue on the terminal; /help says what else it can do")
    n_best: int = option(1, "answers to each dialogue, at most --candidates", at_least=1)
    moderate: str | None = option(
        None,
        "run folder of a classifier, or pretrained/hate_speech; the next candidate replaces an "
        "answer that it flags",
    )
    moderate_class: tuple[str, ...] = option(
        (), "classes of it that are flagged (default: all but neither, none and their like)"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.moderate_class and self.moderate is None:
            raise UserError("--moderate-class is for --moderate RUN. Add it")
        if self.moderate is not None and not find_run(self.moderate).is_dir():
            raise UserError(f"no run folder {self.moderate!r}. Check --moderate")

    @property
    def runs_without_text(self) -> bool:
        return self.interactive

    @property
    def converses(self) -> bool:
        return self.interactive

    def check_output(self, output: str | None) -> None:
        if self.interactive and output:
            raise UserError(
                "--interactive answers on the terminal, --output has no effect. Drop it"
            )
        super().check_output(output)

    def reader(self, config: Any) -> Callable[[str], Iterator[Record]]:
        from data.user_files.dialogues import read_contexts

        return lambda path: read_contexts(path, config.dialogue_files())

    def caption(self, answering: Any) -> Callable[[str, dict], str]:
        return lambda text, row: row["answer"] or text

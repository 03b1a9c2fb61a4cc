"""The task of chatbots: one model, from dialogues to answers."""

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import keras
import tensorflow as tf

from apps.runs.contents import MEMORY
from apps.runs.description import RunDescription
from apps.runs.files import RunFiles
from apps.serving.answers import answer_by_length, encode
from apps.tasks.chat.config import ChatConfig, ChatExportOptions, ChatPredictOptions
from apps.tasks.chat.moderation import NOTHING, Moderator
from apps.tasks.chat.report import SHOWN, Answered, ChatReport
from apps.tasks.chat.reranking import read_reversed
from apps.tasks.chat.terminal import ChatTerminal
from apps.tasks.n_best import empty_columns, n_best_rows, read_n_best, to_columns
from apps.tasks.seq2seq.answers import Written
from apps.tasks.seq2seq.baselines import BASELINES
from apps.tasks.seq2seq.config import Seq2SeqConfig
from apps.tasks.seq2seq.encoding import encode_pairs
from apps.tasks.seq2seq.search_options import SEARCHED, searching
from apps.tasks.seq2seq.task import Seq2Seq
from apps.tasks.token_loss import TokenLoss
from data.batches.parallel import ParallelBatches
from data.errors import UserError
from data.examples.dialogues import join_turns
from data.examples.parallel import Pair, ParallelCorpus, ParallelTexts
from data.examples.splits import split_by_content
from data.messages import detail, printable
from models.evaluation.dialogue import dialogue_scores, evenly, words_of
from models.seq2seq.search import NEVER_SAID, TranslationSearch
from models.serving.chatbot import ChatSearch, ServingChatbot
from models.serving.turn_memory import TurnMemory

_COLUMN = "answer"
_DRAWN = ("temperature", "top_p", "candidates", "information", "agreement", "memory")
# Tokens of a batch whose perplexity is measured.
_TOKENS = 4096


@dataclass(frozen=True)
class Reply(Written):
    """The answer of a chatbot.

    Attributes:
        text: the turns that were answered, a line each.
        answer: the best answer.
        score: of it among the candidates.
        others: further ones with their scores, if several were asked for.
        problem: what kept the text from being answered, or the empty text.
    """

    column: ClassVar[str] = _COLUMN

    text: str
    answer: str = ""
    score: float | None = None
    others: tuple[tuple[str, float], ...] = ()
    problem: str = ""


class Chat(Seq2Seq):
    """One chatbot and what belongs to it; the interface is that of `TextClassification`."""

    config: ChatConfig
    options: ChatPredictOptions  # type: ignore[assignment]  # its own kind

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.options = ChatPredictOptions()
        self._moderator: Moderator | None = None
        self._reversed: ServingChatbot | None = None
        self._reversed_weight = 0.0
        self.memory: TurnMemory | None = None

    @classmethod
    def build(
        cls, config: Seq2SeqConfig, corpus: ParallelCorpus, pretrained: RunFiles | None = None
    ) -> "Chat":
        """Returns a new chatbot for a corpus, as `Seq2Seq.build`, with a memory of its training
        split if the options say so."""
        task = super().build(config, corpus, pretrained)
        assert isinstance(task, Chat)
        if task.config.memory and not task.config.reversed:
            train = corpus.split("train")
            task.memory = TurnMemory.learn(train.texts, train.translations)
            detail(f"memory: {len(train):,} answers")
        return task

    @classmethod
    def load(cls, config: Seq2SeqConfig, description: RunDescription, folder: Path) -> "Chat":
        """Returns a trained chatbot from its run folder, as `Seq2Seq.load`.

        Raises:
            UserError: files are missing or damaged.
        """
        task = super().load(config, description, folder)
        assert isinstance(task, Chat)
        path = folder / MEMORY
        if path.exists():
            try:
                task.memory = TurnMemory.load(path)
            except ValueError:
                raise UserError(f"{path} is damaged: no memory. Train again") from None
        return task

    @classmethod
    def ensemble(cls, members: list[Seq2Seq], corpus: ParallelCorpus) -> "Chat":
        """Returns the chatbot of several, as `Seq2Seq.ensemble`; all have one memory."""
        task = super().ensemble(members, corpus)
        assert isinstance(task, Chat) and isinstance(members[0], Chat)
        task.memory = members[0].memory
        return task

    def save(self, folder: Path) -> None:
        """Writes vocabularies, model and memory."""
        super().save(folder)
        if self.memory is not None:
            self.memory.save(folder / MEMORY)

    def training_data(self, corpus: ParallelCorpus) -> tuple[ParallelBatches, keras.losses.Loss]:
        """Returns the batches of the training split and the loss to minimise.

        A share of the answers is learned without any turn, too. So the decoder is also a language
        model of answers, by which `models.serving.chatbot` finds those that suit all turns alike.

        Raises:
            UserError: all pairs are too long.
        """
        train = corpus.split("train")
        alone = answers_alone(train, self.config.alone)
        joined = {**corpus.splits, "train": ParallelTexts.join([train, alone])}
        return super().training_data(replace(corpus, splits=joined))

    def evaluate(self, examples: ParallelTexts) -> ChatReport:  # type: ignore[override]
        """Measures the chatbot on a split: its answers as `predict` gives them, through the serving
        model, and the perplexity of what was said."""
        written = self.reply(examples.texts)
        metrics = {**dialogue_scores(written, examples.translations), **self.perplexities(examples)}
        shown = [Answered(*examples.rows[n], written[n]) for n in evenly(len(written), SHOWN)]
        return ChatReport(metrics, tuple(shown))

    def reply(self, texts: list[str]) -> list[str]:
        """Returns the best answer to each text."""
        rows = answer_by_length(self, self.serving().serve, texts)
        return [row[_COLUMN] for row in rows]

    def perplexities(self, examples: ParallelTexts) -> dict[str, float]:
        """Measures the perplexity of answers that were given; the end of each counts as a token,
        and as a word.

        Returns:
            `perplexity` per token, and `perplexity_word` per word or sign of
            `models.evaluation.dialogue.words_of`, which does not depend on the vocabulary.
        """
        sources, targets = encode_pairs(self.tokenizers, examples)
        sources = sources[:, -self.config.source_length :]
        batches = ParallelBatches(sources, targets, 1, batch_tokens=_TOKENS)
        loss = TokenLoss(batches)(self.model)
        tokens = int(targets.flat_values.shape[0]) + len(examples)
        words = sum(len(words_of(text)) + 1 for text in examples.translations)
        # Of an early epoch it may be more than a float holds.
        return {
            "perplexity": math.exp(min(loss, 700.0)),
            "perplexity_word": math.exp(min(loss * tokens / words, 700.0)),
        }

    def read_report(self, metrics: dict) -> ChatReport:  # type: ignore[override]
        """Returns the report of metrics from `metrics.json`, or of the mean of several."""
        return ChatReport(metrics)

    def evaluate_baselines(  # type: ignore[override]
        self, corpus: ParallelCorpus, examples: ParallelTexts
    ) -> dict[str, ChatReport]:
        """Measures what answers without learning, in the same way."""
        train = corpus.split("train")
        found = {name: BASELINES[name](train, examples.texts) for name in self.config.baselines}
        return {
            name: ChatReport(dialogue_scores(written, examples.translations))
            for name, written in found.items()
        }

    def set_options(self, options: ChatPredictOptions | ChatExportOptions) -> None:  # type: ignore[override]
        """Answers as these options say, where they say something; else as the training's do.

        Raises:
            UserError: more answers are wanted than there are candidates, or there is no such run
                to moderate or to choose by, or nothing to choose among, or no memory.
        """
        config = searching(self.config, options, (*SEARCHED, *_DRAWN))
        assert isinstance(config, ChatConfig)
        if options.memory and self.memory is None:
            raise UserError(
                f"--memory {options.memory} needs a run with a memory. Train one with --memory"
            )
        self.config = config
        if isinstance(options, ChatPredictOptions):
            self.options = options
            self._moderator = None
            if options.moderate is not None:
                self._moderator = Moderator(options.moderate, options.moderate_class)
        else:
            self.options = ChatPredictOptions(seed=options.seed)
        if self.options.n_best > self._most():
            name = "candidates" if self.config.temperature else "beam-width"
            raise UserError(
                f"--n-best {self.options.n_best} needs as many candidates. Received: "
                f"--{name} {self._most()}"
            )
        self._reversed, self._reversed_weight = None, options.reversed_weight
        if options.reversed_run is not None:
            self._reversed = self._read_reversed(options.reversed_run)

    def _read_reversed(self, run: str) -> ServingChatbot:
        """Returns the model that chooses among answers.

        Raises:
            UserError: there is nothing to choose among, or the run is of another kind.
        """
        if self.config.reversed:
            raise UserError("--reversed-run chooses answers, and this model predicts turns")
        if self._most() == 1:
            name = "candidates" if self.config.temperature else "beam-width"
            raise UserError(
                f"--reversed-run chooses among answers, and --{name} is 1. Add --{name} 16"
            )
        return read_reversed(run, Chat.load)

    def _most(self) -> int:
        """Returns how many answers there are to choose from."""
        return self.config.candidates if self.config.temperature else self.config.beam_width

    def search(self) -> TranslationSearch:
        """Returns how the options look for answers."""
        config, options = self.config, self.options
        return TranslationSearch(
            beam_width=1 if config.temperature else config.beam_width,
            length_penalty=config.length_penalty,
            coverage_penalty=config.coverage_penalty,
            # Some candidates may be equal.
            n_best=1 if options.n_best == 1 and self._moderator is None else self._most(),
            temperature=config.temperature,
            top_p=config.top_p,
            seed=options.seed,
            max_length=config.max_length,
            source_length=config.source_length,
            min_length=config.min_length,
            no_repeat_ngram=config.no_repeat_ngram,
            banned_ids=NEVER_SAID,
            # A short turn may have a long answer.
            bounded=False,
        )

    def _serving(self, model: Any) -> ServingChatbot:
        config = self.config
        several = ChatSearch(
            config.turns,
            config.candidates,
            config.information,
            config.agreement,
            self._reversed_weight,
            config.memory,
        )
        return ServingChatbot(
            self.tokenizers[0], model, self.search(), several, self._reversed, self.memory
        )

    def output_rows(self, answer: dict[str, tf.Tensor]) -> list[dict]:
        """Returns the output columns of each text of a batch that the serving model answered: the
        best answers that differ, and of those with a moderator the first that it lets pass."""
        rows = n_best_rows(_COLUMN, *(answer[name].numpy() for name in ("answers", "scores")))
        if self.search().n_best == 1:
            return rows
        found = [_distinct(read_n_best(_COLUMN, row)) for row in rows]
        if self._moderator is not None:
            places = self._moderator.choose([[text for text, _ in row] for row in found])
            found = [
                [(NOTHING, None)] if place is None else row[place : place + 1]
                for row, place in zip(found, places, strict=True)
            ]
        return [to_columns(_COLUMN, row, self._shown()) for row in found]

    def _shown(self) -> int:
        """Returns how many answers a row has."""
        return 1 if self._moderator else self.options.n_best

    def empty_row(self) -> dict:
        """Returns the output columns of a row that could not be answered."""
        return empty_columns(_COLUMN, self._shown())

    def to_result(self, text: str, row: dict, problem: str = "") -> Reply:  # type: ignore[override]
        """Returns the answer to a text by its output columns."""
        if problem:
            return Reply(text, problem=problem)
        best, *others = read_n_best(_COLUMN, row)
        known = tuple((written, score) for written, score in others if score is not None)
        return Reply(text, *best, known)

    def converse(self, turns: list[str]) -> None:
        """Has a dialogue on the terminal that begins with these turns, or with none."""
        serving = self.serving()

        def answer(turns: list[str]) -> str:
            [row] = self.output_rows(serving.serve(encode([join_turns(turns)])))
            return printable(row[_COLUMN])

        ChatTerminal(answer, turns).run()


def answers_alone(train: ParallelTexts, share: float) -> ParallelTexts:
    """Returns a share of the answers without their turns, chosen by a hash of the answer."""
    if not share:
        return ParallelTexts([])
    answers = train.translations
    shares = {"train": 1.0 - share, "validation": share}
    chosen = split_by_content(answers, [0] * len(answers), fractions=shares)["validation"]
    return ParallelTexts([Pair("", answers[row]) for row in chosen])


def _distinct(found: list[tuple[str, float | None]]) -> list[tuple[str, float | None]]:
    """Returns answers with their scores, without those that stand there already."""
    scores: dict[str, float | None] = {}
    for text, score in found:
        if score is not None or not scores:
            scores.setdefault(text, score)
    return list(scores.items())

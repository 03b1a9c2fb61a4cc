"""A language model: from texts to their continuations."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..session import Network
from ..vocabulary import START, pad
from .beam_search import beam_search
from .choices import Constraints, Sampling
from .decode import Arrays, Decoded, decode
from .random_numbers import uniform_streams
from .tokenizer import END, Tokenizer, find_vocabulary, join_prompts

# Of a stream, how many tokens lie between two looks at what there is.
_EVERY = 4


class Generator:
    """Continues texts.

    Args:
        folder: with the vocabulary.
        settings: of the model.
        network: ids and states to the logits after them and the states.
    """

    def __init__(self, folder: Path, settings: dict[str, Any], network: Network) -> None:
        self._network = network
        self._tokenizer = Tokenizer(find_vocabulary(folder), settings["tokenizer"])
        self._end = END if settings["ends"] else -1
        self._banned, self._longest = settings["banned_ids"], settings["longest_prompt"]
        # Those before a text, by class; of a model without classes there is one.
        self._states = [
            {name: np.array(values, np.float32) for name, values in states.items()}
            for states in settings["initial_states"]
        ]
        self.set_options(settings["options"])

    def set_options(self, options: dict[str, Any]) -> None:
        """Continues texts from now on as these say.

        Args:
            options: the fields of `models.decoding.options.DecodingOptions`, and `label`, the
                number of a class.
        """
        self._options = options
        self._constraints = Constraints(
            self._banned,
            repetition_penalty=options["repetition_penalty"],
            no_repeat_ngram=options["no_repeat_ngram"],
        )

    def answer(self, texts: Sequence[bytes], numbers: Sequence[int]) -> list[dict[str, Any]]:
        """Returns `continuation` and `log_likelihood` of each text; all texts are one batch.

        Args:
            texts: any bytes.
            numbers: of the texts, which choose their random numbers.
        """
        if not texts:
            return []
        if self._options["beam_width"]:
            return self._search(texts)
        stop = self._options["stop"]
        found = self._decode(texts, numbers, self._options, self._ends_with if stop else None)
        return [self._to_row(each.ids, each.log_probability) for each in found]

    def follow(
        self, text: bytes, on_piece: Callable[[str], object], number: int = 0, **changes: Any
    ) -> dict[str, Any]:
        """Continues a text; the pieces that `on_piece` gets are together the continuation, unless
        it stops them.

        Args:
            text: the beginning.
            on_piece: takes what has been added, every few tokens, or of a beam search at the end;
                what it returns is true if nobody wants more.
            number: of the text, which chooses its random numbers.
            **changes: options that differ from those that are set.

        Returns:
            As `answer`.
        """
        if self._options["beam_width"] and not changes:
            (row,) = self._search([text])
            on_piece(row["continuation"])
            return row
        held_back = max(map(len, self._options["stop"]), default=0)
        shown = ""

        def watch(row: int, ids: Sequence[int]) -> bool:
            nonlocal shown
            if self._options["stop"] and self._ends_with(row, ids):
                return True
            if len(ids) % _EVERY:
                return False
            text = self._tokenizer.decode(ids)
            # The last characters may be half of a character, or the beginning of a stop string.
            sure = text[: len(text) - held_back].rstrip("\ufffd")
            if not sure.startswith(shown) or sure == shown:
                return False
            piece, shown = sure[len(shown) :], sure
            return bool(on_piece(piece))

        (found,) = self._decode([text], [number], {**self._options, **changes}, watch)
        row = self._to_row(found.ids, found.log_probability)
        if rest := row["continuation"][len(shown) :]:
            on_piece(rest)
        return row

    def _decode(
        self,
        texts: Sequence[bytes],
        numbers: Sequence[int],
        options: dict[str, Any],
        stopped: Callable[[int, Sequence[int]], bool] | None,
    ) -> list[Decoded]:
        sampled = ("temperature", "top_k", "top_p", "min_p")
        sampling = Sampling(**{name: options[name] for name in sampled})
        steps = options["max_length"]
        if options["greedy"]:
            sampling = Sampling(temperature=0.0)
        chance = sampling.temperature > 0
        uniform = uniform_streams(options["seed"], numbers, steps if chance else 1)
        history, logits, state = self._read(texts)
        return decode(
            self._step,
            logits,
            state,
            {},
            history=history,
            max_length=steps,
            sampling=sampling,
            uniform=uniform if chance else np.broadcast_to(uniform, (len(texts), steps)),
            constraints=self._constraints,
            end=self._end,
            stopped=stopped,
        )

    def _search(self, texts: Sequence[bytes]) -> list[dict[str, Any]]:
        history, logits, state = self._read(texts)
        ids, scores = beam_search(
            self._step,
            logits,
            state,
            {},
            history=history,
            beam_width=self._options["beam_width"],
            max_length=self._options["max_length"],
            end=self._end,
            constraints=self._constraints,
            length_penalty=self._options["length_penalty"],
        )
        return [
            self._to_row(row[0].tolist(), score[0]) for row, score in zip(ids, scores, strict=True)
        ]

    def _read(self, texts: Sequence[bytes]) -> tuple[np.ndarray, np.ndarray, Arrays]:
        """Returns the ids of texts, and the logits and states after them."""
        rows = [[START, *self._tokenizer.encode(text)[-self._longest :]] for text in texts]
        states = self._states[self._options["label"]]
        state = {name: np.tile(each, (len(rows), 1)) for name, each in states.items()}
        return join_prompts(rows), *self._run(pad(rows), state)

    def _step(self, ids: np.ndarray, state: Arrays, context: Arrays) -> tuple[np.ndarray, Arrays]:
        return self._run(ids[:, None].astype(np.int32), state)

    def _run(self, ids: np.ndarray, state: Arrays) -> tuple[np.ndarray, Arrays]:
        found = self._network.run_all({"token_ids": ids, **state})
        return found["logits"], {name: found[f"next_{name}"] for name in state}

    def _ends_with(self, row: int, ids: Sequence[int]) -> bool:
        """Returns whether one of the stop strings is at the end of a text."""
        stop = self._options["stop"]
        # A token has at least one byte: a string cannot have more tokens than bytes.
        last = self._tokenizer.decode(ids[-max(len(each.encode()) for each in stop) :])
        return any(each in last for each in stop)

    def _to_row(self, ids: Sequence[int], score: float) -> dict[str, Any]:
        text = self._tokenizer.decode(ids)
        found = [place for each in self._options["stop"] if (place := text.find(each)) >= 0]
        text = text[: min(found)] if found else text
        return {"continuation": text, "log_likelihood": round(float(score), 4)}

"""A translator, or another model that writes a text for a text."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..session import Network
from ..vocabulary import PADDING, START, UNKNOWN, pad
from .beam_search import beam_search, length_divisor
from .choices import NEVER, Constraints, Sampling
from .decode import Arrays, decode
from .random_numbers import uniform_streams
from .tokenizer import END, Tokenizer, find_vocabulary

DECODER = "decoder.onnx"
# The most tokens of an answer: `_TIMES` those of its source, plus `_MORE`.
_TIMES, _MORE = 2, 10
# What the decoder reads of the sources.
_MEMORY = ("source_ids", "values", "keys")


class Translator:
    """Answers texts with texts.

    Args:
        folder: with the vocabularies and the network of the decoder.
        settings: of the model.
        network: source ids to what the decoder reads, and its initial states.
    """

    def __init__(self, folder: Path, settings: dict[str, Any], network: Network) -> None:
        self._encoder = network
        self._decoder = Network((folder / DECODER).read_bytes())
        rules = settings["tokenizer"]
        self._source = Tokenizer(find_vocabulary(folder, "source_"), rules)
        self._target = Tokenizer(find_vocabulary(folder, "target_"), rules)
        self._column, self._attends = settings["answer"], settings["attention"]
        self._size = settings["feeding_size"]
        self.set_options(settings["options"])

    def set_options(self, options: dict[str, Any]) -> None:
        """Searches from now on as these say.

        Args:
            options: the fields of `models.seq2seq.search.TranslationSearch`, and
                `replace_unknown`.
        """
        self._options = options

    def answer(self, texts: Sequence[bytes], numbers: Sequence[int]) -> list[dict[str, Any]]:
        """Returns the answer to each text and its score, or several of both, the best first; all
        texts are one batch.

        Args:
            texts: any bytes.
            numbers: of the texts, which choose their random numbers.
        """
        if not texts:
            return []
        length = self._options["source_length"] or self._options["max_length"]
        # A token has at most 40 letters of at most 4 bytes: nothing after that can be read.
        read = [self._source.read(text[: 160 * length]) for text in texts]
        ids = [[*tokens[:length], END] for tokens, _ in read]
        encoded = self._encoder.run_all({"token_ids": pad(ids)})
        context = {"source_ids": pad(ids), **encoded}
        context = {name: each for name, each in context.items() if name in _MEMORY}
        state = {name: each for name, each in encoded.items() if name not in _MEMORY}
        found, scores = self._search(context, state, numbers)
        rows = []
        for place, (tokens, words) in enumerate(read):
            one = slice(place, place + 1)
            memory, before = ({n: each[one] for n, each in a.items()} for a in (context, state))
            written = [
                self._write(each, [*words[:length], ""], memory, before) if tokens else ""
                for each in found[place]
            ]
            rows.append(self._to_row(written, scores[place]))
        return rows

    def _search(
        self, context: Arrays, state: Arrays, numbers: Sequence[int]
    ) -> tuple[list[list[list[int]]], np.ndarray]:
        """Returns the ids of the best answers to each source, and their scores."""
        options, real = self._options, context["source_ids"] != PADDING
        fewest = min(options["min_length"], options["max_length"])
        limits = np.minimum(_TIMES * (real.sum(axis=1) - 1) + _MORE, options["max_length"])
        if not options["bounded"]:
            limits = np.full_like(limits, options["max_length"])
        # Else a row could have no token left to choose.
        limits = np.maximum(limits, fewest)
        constraints = Constraints(
            options["banned_ids"], fewest, no_repeat_ngram=options["no_repeat_ngram"]
        )
        beams, rows = options["beam_width"], len(limits)
        state = {**state, "position": np.zeros(rows, np.int64)}
        if self._size:
            state["fed"] = np.zeros((rows, self._size), np.float32)
        covers = bool(options["coverage_penalty"]) and beams > 1 and self._attends
        if covers:
            state["coverage"] = np.zeros(real.shape, np.float32)
        context = {**context, "limits": limits}
        logits, state = self._step(np.full(rows, START), state, context)
        shared: dict[str, Any] = {
            "history": np.zeros((rows, 0), np.int64),
            "max_length": int(limits.max()) + 1,
            "constraints": constraints,
            "end": END,
        }
        if beams > 1:
            ids, scores = beam_search(
                self._step,
                logits,
                state,
                context,
                beam_width=beams,
                length_penalty=options["length_penalty"],
                penalty=self._coverage_penalty if covers else None,
                **shared,
            )
            best = options["n_best"]
            return [[each[each > 0].tolist() for each in row[:best]] for row in ids], scores[
                :, :best
            ]
        sampling = Sampling(options["temperature"], options["top_k"], options["top_p"])
        uniform = uniform_streams(options["seed"], numbers, shared["max_length"])
        found = decode(
            self._step, logits, state, context, sampling=sampling, uniform=uniform, **shared
        )
        divisors = [length_divisor(len(each.ids), options["length_penalty"]) for each in found]
        totals = [each.log_probability for each in found]
        scores = np.array(totals, np.float32) / np.array(divisors, np.float32)
        return [[each.ids] for each in found], scores[:, None]

    def _step(self, ids: np.ndarray, state: Arrays, context: Arrays) -> tuple[np.ndarray, Arrays]:
        """One step of the decoder, which ends a row after as many tokens as its source allows, so
        that an answer does not depend on longer sources beside it."""
        logits, _, new = self._advance(ids, state, context)
        full = state["position"] >= np.repeat(context["limits"], len(ids) // len(context["limits"]))
        if full.any():
            logits[np.ix_(full, np.arange(logits.shape[1]) != END)] = NEVER
        return logits, new

    def _advance(
        self, ids: np.ndarray, state: Arrays, context: Arrays
    ) -> tuple[np.ndarray, np.ndarray | None, Arrays]:
        """Returns logits, the weights of the attention, and the new state."""
        own = ("position", "coverage")
        inputs = {name: each for name, each in state.items() if name not in own}
        memory = {name: context[name] for name in _MEMORY if name in context}
        given = {"token_ids": ids.astype(np.int32), **inputs, **memory}
        given["position"] = state["position"][:1].astype(np.float32)
        found = self._decoder.run_all(given)
        new = {name: found[f"next_{name}"] for name in inputs}
        new["position"] = state["position"] + 1
        if "coverage" in state:
            new["coverage"] = state["coverage"] + found["weights"]
        return found["logits"], found.get("weights"), new

    def _coverage_penalty(self, state: Arrays, context: Arrays) -> np.ndarray:
        real = context["source_ids"] != PADDING
        real = np.repeat(real, len(state["coverage"]) // len(real), axis=0)
        logs = np.log(np.clip(state["coverage"], np.float32(1e-6), np.float32(1)))
        total = np.where(real, logs, np.float32(0)).sum(axis=1)
        return np.float32(self._options["coverage_penalty"]) * total

    def _write(self, ids: list[int], words: list[str], context: Arrays, state: Arrays) -> str:
        """Returns the text of ids, with words of the source in place of unknown ones."""
        if UNKNOWN not in ids or not (self._attends and self._options["replace_unknown"]):
            return self._target.decode(ids)
        state = {**state, "position": np.zeros(1, np.int64)}
        if self._size:
            state["fed"] = np.zeros((1, self._size), np.float32)
        sources = context["source_ids"][0]
        is_word, parts = (sources != PADDING) & (sources != END), []
        for before, now in zip([START, *ids[:-1]], ids, strict=True):
            _, weights, state = self._advance(np.array([before]), state, context)
            if now == UNKNOWN and weights is not None:
                copy = words[int(np.where(is_word, weights[0], -1).argmax())]
                # Words in the middle of a text begin with a space, wherever the source had them.
                parts.append(f" {copy.strip()}" if self._target.kind == "words" else copy)
            elif now not in (PADDING, START, END):
                parts.append(self._target.shown[now])
        return "".join(parts).removeprefix(" ")

    def _to_row(self, texts: Sequence[str], scores: np.ndarray) -> dict[str, Any]:
        row: dict[str, Any] = {}
        for number, (text, score) in enumerate(zip(texts, scores.tolist(), strict=True), 1):
            end = f"_{number}" if number > 1 else ""
            row[f"{self._column}{end}"] = text
            # Seven digits are all that a float32 holds.
            row[f"score{end}"] = float(f"{score:.7g}") if math.isfinite(score) else None
        return row

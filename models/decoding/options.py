"""How a language model continues texts, importable without TensorFlow."""

from dataclasses import dataclass


@dataclass(frozen=True)
class DecodingOptions:
    """How texts are continued: by samples, by the most probable tokens, or by a beam search.

    Attributes:
        max_length: the most tokens that are added.
        temperature, top_k, top_p, min_p: of samples, see `models.decoding.sampling.Sampling`.
        greedy: always choose the most probable token.
        beam_width: of a beam search, see `models.decoding.beam_search`; 0 for none.
        length_penalty: of a beam search, see `models.decoding.beam_search.length_divisor`.
        repetition_penalty, no_repeat_ngram: see `models.decoding.constraints.Constraints`.
        stop: strings before which a text ends, none of them empty.
        seed: of the samples; the same seed gives the same texts.
    """

    max_length: int = 200
    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    greedy: bool = False
    beam_width: int = 0
    length_penalty: float = 0.0
    repetition_penalty: float = 1.0
    no_repeat_ngram: int = 0
    stop: tuple[str, ...] = ()
    seed: int = 0

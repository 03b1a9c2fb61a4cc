"""Inspects pictures with captions: pictures that cannot be read, and what is said of them."""

from collections import Counter
from typing import Any

import numpy as np

from apps.inspection.advice import Advice, advise_length
from apps.inspection.texts.lengths import WORDS_AND_SIGNS, count_words, describe_lengths
from apps.inspection.texts.vocabulary import count_tokens
from apps.pages.parts import Paragraph, Part, Section, Table
from data.errors import UserError
from data.examples.captions import CaptionCorpus, CaptionedPictures

_SHOWN = 5


def inspect_captions(corpus: CaptionCorpus, config: Any) -> tuple[list[Section], list[Advice]]:
    """Inspects pictures with captions.

    Args:
        corpus: the pictures.
        config: the options of the training, a `CaptioningConfig`.
    """
    captions = {
        split: [caption for _, caption in part.pairs()] for split, part in corpus.splits.items()
    }
    lengths = {split: [*map(count_words, texts)] for split, texts in captions.items()}
    sections = [
        _describe_pictures(corpus),
        describe_lengths(lengths, WORDS_AND_SIGNS, config.max_length, "are not trained on"),
        _describe_words(captions, config),
    ]
    return sections, advise_length(lengths.get("train", []), config.max_length)


def _describe_pictures(corpus: CaptionCorpus) -> Section:
    """Returns the section on the pictures: their captions, and those that a training would refuse
    or that it shows and measures alike."""
    rows, facts = [], {}
    parts: list[Part] = []
    known: dict[str, str] = {}
    for split, part in corpus.splits.items():
        counts = [len(group) for group in part.captions]
        broken = _find_broken(part)
        digests = [picture.digest for picture in part.pictures]
        copies = sum(known.get(each, split) != split for each in digests)
        known = {**dict.fromkeys(digests, split), **known}
        facts[split] = {"pictures": len(part), "captions": sum(counts), "broken": len(broken)}
        span = f"{min(counts)} - {max(counts)}, mean {np.mean(counts):.1f}"
        rows.append((split, len(part), sum(counts), span, len(broken), copies))
        parts += [Paragraph(reason, "warning") for reason in broken[:_SHOWN]]
    head = ("split", "pictures", "captions", "of a picture", "unreadable", "in a split before")
    return Section("pictures", "Pictures", [Table(head, rows), *parts], facts)


def _find_broken(part: CaptionedPictures) -> list[str]:
    reasons = []
    for picture in part.pictures:
        try:
            picture.read()
        except UserError as mistake:
            reasons.append(str(mistake))
    return reasons


def _describe_words(captions: dict[str, list[str]], config: Any) -> Section:
    """Returns the section on the words of captions, and how many a vocabulary of words lacks."""
    counts = {split: count_tokens(texts) for split, texts in captions.items()}
    known = {word for word, _ in counts.get("train", Counter()).most_common(config.vocabulary_size)}
    rows, facts = [], {}
    for split, count in counts.items():
        lacking = sum(number for word, number in count.items() if word not in known)
        share = lacking / max(count.total(), 1)
        facts[split] = {"words": count.total(), "different": len(count), "lacking": share}
        rows.append((split, count.total(), len(count), f"{share:.2%}"))
    head = ("split", WORDS_AND_SIGNS, "different", f"beyond {config.vocabulary_size:,} words")
    return Section("words", "Words", [Table(head, rows)], facts)

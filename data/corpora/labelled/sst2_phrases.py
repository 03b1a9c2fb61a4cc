"""Sentences of film reviews with the phrases of the training ones (Socher et al. 2013): the trees
of the treebank."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from data.corpora.download import download_once, find_original
from data.corpora.labelled.sst2 import CLASS_NAMES
from data.errors import refuse_rows
from data.examples.labelled import LabelledCorpus, LabelledTexts
from data.files.archives import open_unpacked, read_whole

_FILES = {"train": "train.txt", "validation": "dev.txt", "test": "test.txt"}
_ARCHIVE = "trainDevTestTrees_PTB.zip"
# Unpacked or packed, in the data folder itself or in one of its folders.
_FOLDERS = ("", "sst2_phrases/", "sst2/")
_PLACES = [folder + name for name in ("trees", _ARCHIVE) for folder in _FOLDERS]
_URL = f"https://nlp.stanford.edu/sentiment/{_ARCHIVE}"
_REMEDY = f"Get it from {_URL}"
# A bracket that opens a part, with its class from 0 to 4; one that closes it; a word.
_TOKEN = re.compile(r"\(([0-4])(?=[ (])|(\))|([^\s()]+)|(\S)")
# The words that stand for brackets, which have a meaning of their own in trees.
_BRACKETS = {"-LRB-": "(", "-RRB-": ")"}
_NEUTRAL = 2
# How often a whole sentence is learned for each time that a phrase is.
SENTENCE_WEIGHT = 3


class _Part(NamedTuple):
    """A part of a sentence, or all of it, and its class from 0 (very negative) to 4."""

    text: str
    label: int


def read(data_dir: str | None) -> LabelledCorpus:
    """Reads 6,920 / 872 / 1,821 sentences that are not neutral, and phrases of the training ones.

    Each training sentence is there three times, each of 67,591 phrases once. A phrase is a part of
    a training sentence's tree, of one word or several, that is not neutral; those that are parts
    of a validation or a test sentence, too, are left out, as in GLUE's `sst2`. Validation and test
    are the sentences alone.

    The trees are `trees/{train,dev,test}.txt` or `trainDevTestTrees_PTB.zip` in the data folder or
    in its folder `sst2_phrases` or `sst2`, or are downloaded once.

    Raises:
        UserError: a line is not a tree, or there are none and no network.
    """
    source = find_original(data_dir, *_PLACES)
    if source is None:
        remedy = f"the file of {_URL} at <folder>/sst2_phrases/"
        source = download_once("sst2_phrases", _URL, remedy, _check)
    trees = {name: _read_trees(source, file) for name, file in _FILES.items()}
    # The last part of a tree is all of it.
    sentences = {
        name: [tree[-1] for tree in parts if tree[-1].label != _NEUTRAL]
        for name, parts in trees.items()
    }
    held = {part.text for name in ("validation", "test") for tree in trees[name] for part in tree}
    whole = [part for part in sentences["train"] if part.text not in held]
    seen = held | {part.text for part in whole}
    phrases = {
        part.text: part
        for tree in trees["train"]
        for part in tree[:-1]
        if part.label != _NEUTRAL and part.text not in seen
    }
    sentences["train"] = whole * SENTENCE_WEIGHT + list(phrases.values())
    splits = {name: _label(parts) for name, parts in sentences.items()}
    return LabelledCorpus.from_splits("sst2_phrases", splits, CLASS_NAMES)


def _label(parts: list[_Part]) -> LabelledTexts:
    """Returns the parts as texts of two classes."""
    labels = [int(part.label > _NEUTRAL) for part in parts]
    return LabelledTexts.from_labels([part.text for part in parts], labels, CLASS_NAMES)


def _check(archive: Path) -> None:
    """Reads all trees.

    Raises:
        UserError: it is not the archive.
    """
    for name in _FILES.values():
        _read_trees(archive, name)


def _read_trees(source: Path, name: str) -> list[list[_Part]]:
    """Reads a file of trees, one a line.

    Args:
        source: the folder, or the archive.
        name: of the file.
    """
    packed = source.is_file()
    path, member = (source, f"trees/{name}") if packed else (source / name, None)
    shown = f"{source}: trees/{name}" if packed else str(path)
    with open_unpacked(path, _REMEDY, member) as file:
        lines = read_whole(file, shown, _REMEDY).decode("utf-8").splitlines()
    trees = {n: list(_parts(line)) for n, line in enumerate(lines, 1) if line.strip()}
    wrong = [number for number, tree in trees.items() if not tree]
    refuse_rows(shown, wrong, "that are not a tree such as (3 (2 a) (4 joy))")
    return list(trees.values())


def _parts(tree: str) -> Iterator[_Part]:
    """Yields the parts of a tree, each after those that it consists of; nothing of what is no tree.

    Args:
        tree: such as `(3 (2 a) (4 joy))`.
    """
    found: list[_Part] = []
    # The class of each open part, and how many words there were before it.
    opened: list[tuple[int, int]] = []
    words: list[str] = []
    for match in _TOKEN.finditer(tree):
        label, closes, word, strange = match.groups()
        if strange or (not opened and (found or not label)):
            return
        if label:
            opened.append((int(label), len(words)))
        elif closes:
            kind, first = opened.pop()
            if first == len(words):
                return
            found.append(_Part(" ".join(words[first:]), kind))
        else:
            words.append(_BRACKETS.get(word) or re.sub(r"\\([/*])", r"\1", word))
    if not opened:
        yield from found

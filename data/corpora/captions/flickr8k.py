"""Photographs with five captions each (Hodosh et al. 2013), as published or as Kaggle has them."""

import re
from pathlib import Path

from data.corpora.download import find_original
from data.errors import UserError, refuse_rows
from data.examples.captions import CaptionCorpus
from data.examples.corpus import SPLITS
from data.files.lines import is_utf8, read_lines
from data.formats.delimited import read_csv
from data.messages import warn
from data.user_files.caption_rows import CaptionRow, make_rows
from data.user_files.captions import add_validation, find_picture, join_captions, split_rows

# Of the authors: `NAME.jpg#0<tab>A caption .`; of Kaggle: a table `image,caption`.
_CAPTIONS = ("Flickr8k.token.txt", "captions.txt")
_FOLDERS = ("Flicker8k_Dataset", "Flickr8k_Dataset", "Images", "images")
_LISTS = {
    "train": "Flickr_8k.trainImages.txt",
    "validation": "Flickr_8k.devImages.txt",
    "test": "Flickr_8k.testImages.txt",
}
_PLACE = (
    "Put Flickr8k.token.txt, Flickr_8k.*Images.txt and the folder Flicker8k_Dataset, or Kaggle's "
    "captions.txt and Images, at <folder>/flickr8k/ and pass --data-dir <folder>"
)
_LINE = re.compile(r"(.+?)#\d+\t(.*)")


def read(data_dir: str | None) -> CaptionCorpus:
    """Reads 6,000 pictures to train, 1,000 to validate and 1,000 to test, by the official lists.

    Without a list of test pictures, or without the pictures in it, there is no test split. Without
    any list, the pictures are split by content, 80/10/10. Pictures in no list are left out.

    Args:
        data_dir: the data folder, which has the files below `flickr8k` or itself.

    Raises:
        UserError: files are missing or damaged; the corpus cannot be downloaded.
    """
    captions = find_original(
        data_dir, *(f"{place}{name}" for place in ("flickr8k/", "", "*/") for name in _CAPTIONS)
    )
    if captions is None:
        raise UserError(f"flickr8k cannot be downloaded. {_PLACE}")
    here = captions.parent
    folders = [here / name for name in _FOLDERS if (here / name).is_dir()]
    # Archives unpack to a folder of their own name, too.
    folders += [folder / folder.name for folder in folders if (folder / folder.name).is_dir()]
    if not folders:
        raise UserError(f"{here} has no folder {_FOLDERS[0]} of pictures. {_PLACE}")
    rows = _read_table(captions) if captions.name == "captions.txt" else _read_tokens(captions)
    names = {
        split: _read_list(here / name) for split, name in _LISTS.items() if (here / name).is_file()
    }
    if not names:
        warn(f"{here} has no lists of splits: pictures are split by content")
        found = {image for image in {row.image for row in rows} if find_picture(image, folders)}
        rows = [row for row in rows if row.image in found]
        return CaptionCorpus.from_splits("flickr8k", split_rows(rows, folders, str(captions)))
    splits = {}
    for split in SPLITS:
        wanted = names.get(split, set())
        if split == "test" and not any(find_picture(image, folders) for image in wanted):
            continue
        part = [row for row in rows if row.image in wanted]
        if part:
            splits[split] = join_captions(part, folders, str(captions))
    if "train" not in splits:
        raise UserError(f"{here} has no list {_LISTS['train']} of pictures. {_PLACE}")
    return CaptionCorpus.from_splits("flickr8k", add_validation(splits))


def _read_table(path: Path) -> list[CaptionRow]:
    return make_rows(read_csv(str(path)), str(path))


def _read_tokens(path: Path) -> list[CaptionRow]:
    rows, bad = [], []
    for number, line in enumerate(read_lines(path), 1):
        match = _LINE.fullmatch(line.rstrip())
        if match is not None and match[2].strip() and is_utf8(line):
            rows.append(CaptionRow(number, match[1], match[2].strip()))
        elif line.strip():
            bad.append(number)
    refuse_rows(str(path), bad, "that are not NAME#NUMBER, a tab and a caption")
    return rows


def _read_list(path: Path) -> set[str]:
    return {line.strip() for line in read_lines(path) if line.strip()}

"""Users' own pictures with captions: who stands in which split, and where the pictures lie."""

import os
from collections.abc import Sequence
from pathlib import Path

from data.errors import UserError, list_values
from data.examples.captions import CaptionCorpus, CaptionedPictures, Picture
from data.examples.splits import FRACTIONS, TWO_SPLITS, split_by_content
from data.images.files import PictureFile
from data.user_files.caption_rows import CaptionRow, read_caption_rows
from data.user_files.columns import CaptionFiles


def read_caption_file(
    path: str,
    files: CaptionFiles = CaptionFiles(),  # noqa: B008 (it is frozen)
) -> CaptionCorpus:
    """Reads a file of captions, and those of other splits if there are any.

    Pictures without a split are split by their content, 80/10/10. If there are splits but none to
    validate, it is a tenth of the training split.

    Args:
        path: a .csv, .tsv, .jsonl or .parquet table with a caption a row, in JSON lines also a
            list of them; or a .json file, COCO's or with Karpathy's splits.
        files: the columns, the folder of the pictures and the other files.

    Raises:
        UserError: a file cannot be used, or pictures are missing; the message has the numbers of
            bad rows.
    """
    paths = {"train": path, "validation": files.validation, "test": files.test}
    if files.validation or files.test:
        splits = {
            name: join_captions(read_caption_rows(file, files), _folders(file, files), file)
            for name, file in paths.items()
            if file
        }
    else:
        splits = split_rows(read_caption_rows(path, files), _folders(path, files), path)
    return CaptionCorpus.from_splits(Path(path).name, add_validation(splits))


def split_rows(
    rows: Sequence[CaptionRow], folders: Sequence[Path], path: str
) -> dict[str, CaptionedPictures]:
    """Returns pictures by split: the one that their rows name, or one by their content.

    Args:
        rows: one a caption.
        folders: where the pictures are looked for, in this order.
        path: the file with the rows, for messages.

    Raises:
        UserError: pictures are missing, one stands in two splits, or only some have a split.
    """
    parts: dict[str, list[CaptionRow]] = {}
    split_of: dict[str, str] = {}
    for row in rows:
        parts.setdefault(row.split, []).append(row)
        if split_of.setdefault(row.image, row.split) != row.split:
            raise UserError(
                f"{path}: {row.image} stands in two splits, {split_of[row.image]} and in row "
                f"{row.number} {row.split}. Choose one"
            )
    if list(parts) == [""]:
        return _split_pictures(join_captions(rows, folders, path), FRACTIONS)
    return {name: join_captions(part, folders, path) for name, part in parts.items()}


def add_validation(splits: dict[str, CaptionedPictures]) -> dict[str, CaptionedPictures]:
    """Returns the splits; a tenth of the training split is to validate if there is none for it."""
    if "validation" in splits or "train" not in splits:
        return splits
    return {**splits, **_split_pictures(splits["train"], TWO_SPLITS)}


def _split_pictures(
    pictures: CaptionedPictures, fractions: dict[str, float]
) -> dict[str, CaptionedPictures]:
    """Splits pictures by their content: copies of one stand in the same split."""
    digests = [picture.digest for picture in pictures.pictures]
    parts = split_by_content(digests, [0] * len(digests), fractions=fractions, form=str)
    return {name: pictures.take(places) for name, places in parts.items() if places}


def join_captions(
    rows: Sequence[CaptionRow], folders: Sequence[Path], path: str
) -> CaptionedPictures:
    """Returns the pictures of rows in their order, each with all of its captions.

    Args:
        rows: one a caption.
        folders: where the pictures are looked for, in this order.
        path: the file with the rows, for messages.

    Raises:
        UserError: there are none, or pictures are missing.
    """
    captions: dict[str, list[str]] = {}
    for row in rows:
        captions.setdefault(row.image, []).append(row.caption)
    if not captions:
        raise UserError(f"{path} has no captions. Check the file")
    files = {image: find_picture(image, folders) for image in captions}
    missing = [image for image, file in files.items() if file is None]
    if missing:
        raise UserError(
            f"{path}: {len(missing):,} of {len(files):,} pictures are not in "
            f"{' or '.join(map(str, folders))}: {list_values(missing, 3)}. Put them there, or name "
            "the folder with --images"
        )
    pictures: list[Picture] = [PictureFile(file) for file in files.values() if file is not None]
    return CaptionedPictures(pictures, [tuple(group) for group in captions.values()])


def find_picture(image: str, folders: Sequence[Path]) -> str | None:
    """Returns the path of a picture in the first folder that has it, or None."""
    paths = (str(folder / image) for folder in folders)
    return next((path for path in paths if os.path.isfile(path)), None)


def _folders(path: str, files: CaptionFiles) -> list[Path]:
    """Returns where the pictures of a file are looked for."""
    if files.folder is not None:
        return [Path(files.folder)]
    here = Path(path).parent
    if Path(path).suffix.lower() != ".json":
        return [here]
    # COCO's layout: annotations/captions_val2017.json, and beside `annotations` val2017/.
    name = Path(path).stem.removeprefix("captions_")
    places = [here, here / "images", here / name, here.parent / name, here.parent / "images" / name]
    return [place for place in places if place.is_dir()]

"""The captions in a user's file: rows of a table, COCO's annotations or Karpathy's sentences."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from data.errors import UserError, did_you_mean, list_values, refuse_rows
from data.examples.splits import SPLIT_NAMES
from data.files.json_files import read_json
from data.files.lines import is_utf8
from data.formats.readers import read_records
from data.formats.record import Record
from data.user_files.columns import CaptionFiles

_TABLES = (".csv", ".tsv", ".jsonl", ".parquet")
_REMEDY = "Expected COCO's captions_*.json or a file of Karpathy's splits"
# COCO's pictures of the validation set that Karpathy trains on.
_SPLITS = {**SPLIT_NAMES, "restval": "train"}


class CaptionRow(NamedTuple):
    """A caption of a picture, as a file has it.

    Attributes:
        number: of the row, from 1.
        image: the path of the picture, as written.
        caption: a sentence.
        split: a name in `data.examples.corpus.SPLITS`; empty if the file does not say.
    """

    number: int
    image: str
    caption: str
    split: str = ""


def read_caption_rows(path: str, files: CaptionFiles) -> list[CaptionRow]:
    """Reads the captions of a file.

    Args:
        path: as in `data.user_files.captions.read_caption_file`.
        files: the columns of a table.

    Raises:
        UserError: it cannot be used; the message has the numbers of bad rows.
    """
    suffix = Path(path).suffix.lower()
    if suffix == ".json":
        return _read_json(path)
    if suffix in _TABLES:
        return make_rows(read_records(path), path, files)
    raise UserError(
        f"{path}: captions are read from {', '.join(_TABLES)} and .json files. Save it as one of "
        "these"
    )


def make_rows(
    records: Iterator[Record],
    path: str,
    files: CaptionFiles = CaptionFiles(),  # noqa: B008
) -> list[CaptionRow]:
    """Makes captions of the rows of a table; a cell of JSON may be a list of captions.

    Args:
        records: the rows.
        path: the table, for messages.
        files: its columns.

    Raises:
        UserError: a column is missing, or a row is unreadable or lacks a picture or a caption.
    """
    table = list(records)
    unreadable = [f"row {row.number}: {row.problem}" for row in table if row.problem]
    if unreadable:
        raise UserError(
            f"{path}: {len(unreadable)} unreadable row(s): {list_values(unreadable, 3)}. Fix or "
            "drop them"
        )
    if not table:
        raise UserError(f"{path} has no rows. Expected a header and one row a caption")
    found = dict.fromkeys(name for row in table for name in row.values)
    for column, option in ((files.image, "image"), (files.caption, "caption")):
        if column not in found:
            raise UserError(
                f"no column {column!r} in {path}. It has: {list_values(found, 12)}. Choose with "
                f"--{option}-column{did_you_mean(column, found)}"
            )
    images = {row.number: _clean(row.values.get(files.image)) for row in table}
    captions = {row.number: _clean_all(row.values.get(files.caption)) for row in table}
    refuse_rows(
        path, [number for number, image in images.items() if not image], "without a picture"
    )
    refuse_rows(
        path, [number for number, some in captions.items() if not some], "without a caption"
    )
    splits = {}
    if files.split in found:
        cells = {row.number: row.values.get(files.split) for row in table}
        splits = {number: _split_name(cell, number, path) for number, cell in cells.items()}
    return [
        CaptionRow(number, image, caption, splits.get(number, ""))
        for number, image in images.items()
        for caption in captions[number]
    ]


def _clean_all(cell: Any) -> list[str]:
    """Returns the captions in a cell; none if one of them is no text."""
    texts = [_clean(each) for each in (cell if isinstance(cell, list) else [cell])]
    return texts if all(texts) else []


def _clean(cell: Any) -> str:
    """Returns a text in one line; empty if the cell has no text."""
    return " ".join(cell.split()) if isinstance(cell, str) and is_utf8(cell) else ""


def _split_name(cell: Any, number: int, path: str) -> str:
    name = str(cell).strip().lower()
    if name not in _SPLITS:
        raise UserError(
            f"{path}: row {number} is of an unknown split, {name[:40]!r}. Choose from: "
            f"{', '.join(_SPLITS)}"
        )
    return _SPLITS[name]


def _read_json(path: str) -> list[CaptionRow]:
    content = read_json(Path(path), _REMEDY)
    images = content.get("images") if isinstance(content, dict) else None
    if not isinstance(images, list) or not images:
        raise UserError(f"{path} has no list of images. {_REMEDY}")
    read = _read_karpathy if "annotations" not in content else _read_coco
    try:
        rows = read(content, path)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise UserError(f"{path} lacks what it should have: {error!r}. {_REMEDY}") from None
    refuse_rows(path, [row.number for row in rows if not row.image], "without a picture")
    refuse_rows(path, [row.number for row in rows if not row.caption], "without a caption")
    return rows


def _read_coco(content: dict, path: str) -> list[CaptionRow]:
    """Reads COCO's `annotations`, whose `image_id` is the `id` of one of the `images`."""
    names = {image["id"]: _clean(image["file_name"]) for image in content["images"]}
    return [
        CaptionRow(number, names[note["image_id"]], _clean(note["caption"]))
        for number, note in enumerate(content["annotations"], 1)
    ]


def _read_karpathy(content: dict, path: str) -> list[CaptionRow]:
    """Reads the `sentences` of `images`, each with its split."""
    return [
        CaptionRow(
            number,
            "/".join(filter(None, (_clean(image.get("filepath")), _clean(image["filename"])))),
            _clean(sentence["raw"]),
            _split_name(image["split"], number, path),
        )
        for number, image in enumerate(content["images"], 1)
        for sentence in image["sentences"]
    ]

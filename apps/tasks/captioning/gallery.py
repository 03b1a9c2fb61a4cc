"""What answers look like as pictures: a page of them with their captions, and maps of the
attention."""

import base64
import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

from apps.tasks.captioning.answers import AttentionMap
from data.files.writing import whole_file
from data.formats.html_page import begin_page, end_page, escape
from data.images.files import read_picture
from data.messages import say

# Sides in pixels: of a picture on the page, and of what a word looked at.
_LARGE, _SMALL = 224, 96
# How bright a place stays that a word did not look at.
_DARKEST = 0.25
_STYLE = """.picture { border-top: 1px solid #ccc; padding: 1rem 0; overflow: auto }
.picture > img { float: left; margin: 0 1rem .5rem 0; border-radius: .3rem }
.name { color: #666; font-size: .8rem }
.words { display: flex; flex-wrap: wrap; gap: .4rem }
figure { margin: 0; text-align: center; font-size: .8rem }
figure img { display: block; border-radius: .2rem }
.problem { color: #a00 }
"""


@contextmanager
def illustrated_writer(
    output: str,
    write_rows: Callable,
    column: str,
    page: str | None,
    drawing: str | None,
) -> Iterator[Callable[[dict], None]]:
    """Opens an output of answered rows, with a page of them and maps of the attention beside it.

    Args:
        output: a file, or `-`.
        write_rows: opens it, and yields what writes a row.
        column: with the names of the pictures.
        page: the file of the page, or None.
        drawing: the file of the maps, numbered where there are several; or None.
    """
    with ExitStack() as stack:
        write = stack.enter_context(write_rows(output))
        add = stack.enter_context(gallery(Path(page))) if page else None
        count = 0

        def write_illustrated(row: dict) -> None:
            nonlocal count
            plain = {name: cell for name, cell in row.items() if name != "attention"}
            write(plain)
            count += 1
            found = row.get("attention")
            if add is not None:
                add(str(row[column]), row)
            if drawing and found is not None:
                draw_map(found, drawing, count)

        yield write_illustrated
    if page:
        say(f"page: {page}")


@contextmanager
def gallery(path: Path) -> Iterator[Callable[[str, dict], None]]:
    """Writes a page of pictures with their captions, and of what each word looked at.

    It is one file without scripts, and fetches nothing. It appears when all is written, or not at
    all; what is yielded adds a picture, by its name and its output columns.

    Raises:
        UserError: it cannot be written.
    """
    with whole_file(path) as partial, partial.open("w", encoding="utf-8", errors="replace") as file:
        file.write(begin_page("captions", _STYLE))
        yield lambda name, row: print(_entry(name, row), file=file)
        file.write(end_page())


def _entry(name: str, row: dict) -> str:
    title = f"<p class=name>{escape(name, 300)}</p>"
    found: AttentionMap | None = row.get("attention")
    if found is None:
        return f"<div class=picture>{title}<p class=problem>{escape(row['problem'])}</p></div>"
    square = read_square(found.picture, _LARGE)
    parts = [_image(square, row["caption"]), f"<p>{escape(row['caption'])}</p>", title]
    if found.weights.any():
        small = square.resize((_SMALL, _SMALL))
        words = "".join(
            f"<figure>{_image(shade(small, weights), token)}"
            f"<figcaption>{escape(token)}</figcaption></figure>"
            for token, weights in zip(found.tokens, found.weights, strict=True)
        )
        parts.append(f"<div class=words>{words}</div>")
    return f"<div class=picture>{''.join(parts)}</div>"


def read_square(path: str, size: int) -> Image.Image:
    """Returns the square in the middle of a picture, which is what a captioner reads.

    Raises:
        UserError: it cannot be read.
    """
    with Image.open(io.BytesIO(read_picture(path))) as picture:
        whole = picture.convert("RGB")
    side = min(whole.size)
    left, top = (whole.width - side) // 2, (whole.height - side) // 2
    box = (left, top, left + side, top + side)
    return whole.resize((size, size), Image.Resampling.BICUBIC, box=box)


def shade(square: Image.Image, weights: np.ndarray) -> Image.Image:
    """Darkens a picture where a word did not look.

    Args:
        square: the picture.
        weights: <float>[rows, columns], of its places; the largest stays as bright as it is.
    """
    scaled = np.uint8(255 * weights / max(float(weights.max()), 1e-9))
    mask = Image.fromarray(scaled).resize(square.size, Image.Resampling.BICUBIC)
    return Image.composite(square, square.point(lambda value: round(value * _DARKEST)), mask)


def draw_map(found: AttentionMap, file: str, number: int) -> Path:
    """Draws a picture once for each word of its caption, and returns the path of the drawing.

    Args:
        found: where each word looked.
        file: of the drawing, a .png.
        number: of the drawing; from the second on it is part of the name.
    """
    from apps.plots.captioning import attention_map

    place = Path(file)
    place = place if number == 1 else place.with_stem(f"{place.stem}-{number}")
    square = read_square(found.picture, _LARGE)
    shaded = [np.asarray(shade(square, weights)) for weights in found.weights]
    attention_map(np.asarray(square), found.tokens, shaded, place)
    return place


def _image(picture: Image.Image, description: str) -> str:
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=80)
    content = base64.b64encode(stream.getvalue()).decode("ascii")
    return f'<img src="data:image/jpeg;base64,{content}" alt="{escape(description)}">'

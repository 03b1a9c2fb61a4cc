"""Files of pictures, given to a model as ordinary ones: upright, in RGB, of 8 bits a colour."""

import hashlib
import io
import math
import warnings
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from data.errors import UserError
from data.files.json_files import cannot_read

# Pillow knows more, but some of them run other programs.
_FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF", "PPM")
# Photographs that Pillow opens as JPEG, and that hold others behind their own.
_JPEG = ("JPEG", "MPO")
_LARGEST_FILE = 256 * 2**20
# Larger ones are read at a fraction of their size, which only JPEG can do.
_MOST_PIXELS = 50_000_000
# Of a picture that is converted; no encoder reads as many.
_KEPT_PIXELS = 4_000_000
# The marks of files of iPhones, which Pillow does not read.
_HEIC = (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftypmsf1", b"ftyphevc")
# The last chunk of a PNG file, with its checksum.
_PNG_END = b"IEND\xaeB`\x82"
_ORIENTATION = 0x0112
# The transposition that TIFF and EXIF call upright.
_UPRIGHT = 1
_REMEDY = "Save it again as JPEG or PNG, or drop it"
# They would reach the terminal without the name of the file; what is broken raises an error.
warnings.filterwarnings("ignore", module=r"PIL\.")


@dataclass(frozen=True)
class PictureFile:
    """A picture in a file.

    Attributes:
        path: of the file.
    """

    path: str

    @property
    def name(self) -> str:
        """The path."""
        return self.path

    @cached_property
    def digest(self) -> str:
        """The sha256 of the file, hexadecimal.

        Raises:
            UserError: it cannot be read.
        """
        return hashlib.sha256(_read_file(self.path)).hexdigest()

    def read(self) -> bytes:
        """Returns the picture as `read_picture` does."""
        return read_picture(self.path)


def read_picture(path: str | Path) -> bytes:
    """Reads a picture as an ordinary JPEG or PNG file: upright, in RGB or grey, 8 bits a colour.

    Such a file comes unchanged. Others are converted: what is transparent becomes white, the first
    picture of an animation counts, and at most 4 megapixels are kept. So is a JPEG of more than 50
    megapixels; other formats of that size are refused.

    Args:
        path: a JPEG, PNG, GIF, BMP, WebP, TIFF or PPM file, whatever its name says.

    Returns:
        The content of a file that `tf.io.decode_image` reads.

    Raises:
        UserError: there is no such file, or it is empty, broken, truncated, too large or not a
            picture.
    """
    return convert_picture(_read_file(path), str(path))


def convert_picture(content: bytes, name: str) -> bytes:
    """Makes an ordinary JPEG or PNG of the content of a file, as `read_picture` does.

    Args:
        content: of the file.
        name: what error messages call it.

    Raises:
        UserError: it is not a picture, or broken, truncated or too large.
    """
    if not content:
        raise UserError(f"{name} is empty, a picture was expected. Drop it")
    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
            return _convert(image, content, name)
    except UserError:
        raise
    except UnidentifiedImageError:
        kind = "a HEIC file, no picture" if content[4:12] in _HEIC else "no picture"
        raise UserError(
            f"{name} is {kind} of the formats {', '.join(_FORMATS)}. {_REMEDY}"
        ) from None
    except Image.DecompressionBombError:
        raise UserError(f"{name} has too many pixels. Make it smaller, or drop it") from None
    # Each format has its own errors for what is broken: struct.error, SyntaxError, KeyError...
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"cannot read the picture {name}: {reason}. {_REMEDY}") from None


def _read_file(path: str | Path) -> bytes:
    try:
        if Path(path).exists() and not Path(path).is_file():
            raise UserError(f"{path} is not a file. Check the path")
        with open(path, "rb") as file:
            content = file.read(_LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        raise cannot_read(Path(path), error, "Check the path") from None
    if len(content) > _LARGEST_FILE:
        raise UserError(f"{path} has more than {_LARGEST_FILE // 2**20} MiB. {_REMEDY}")
    return content


def _convert(image: Image.Image, content: bytes, name: str) -> bytes:
    width, height = image.size
    large = width * height > _MOST_PIXELS
    if large and image.format not in _JPEG:
        raise UserError(
            f"{name} has {width * height / 1e6:,.0f} megapixels, of its format at most "
            f"{_MOST_PIXELS / 1e6:.0f} are read. Make it smaller, or drop it"
        )
    ordinary = not large and _is_ordinary(image, content)
    if image.format in _JPEG:
        # A draft takes the memory and time of a half, a quarter or an eighth of the sides. An
        # eighth shows, too, whether all of the file is there.
        part = 8 if ordinary else _reduction(image)
        image.draft(image.mode, (width // part, height // part))
    image.load()
    if not ordinary:
        stream = io.BytesIO()
        _to_rgb(ImageOps.exif_transpose(image), name).save(stream, "PNG", compress_level=1)
        return stream.getvalue()
    if image.format == "PNG":
        # TensorFlow refuses damage that `load` overlooks, such as a missing end.
        with Image.open(io.BytesIO(content)) as whole:
            whole.verify()
        if _PNG_END not in content:
            raise UserError(f"cannot read the picture {name}: it is truncated. {_REMEDY}")
    return content


def _reduction(image: Image.Image) -> int:
    """Returns by what the sides are divided so that few enough pixels are kept."""
    return max(1, math.ceil(math.sqrt(image.width * image.height / _KEPT_PIXELS)))


def _is_ordinary(image: Image.Image, content: bytes) -> bool:
    """Returns whether TensorFlow decodes the file to the right pixels."""
    if image.getexif().get(_ORIENTATION, _UPRIGHT) != _UPRIGHT:
        return False
    if image.format in _JPEG:
        return image.mode in ("RGB", "L")
    if image.format == "PNG":
        # The header's depth: Pillow opens colours of 16 bits as those of 8.
        plain = content[24] == 8 and "transparency" not in image.info
        return plain and image.mode in ("RGB", "L") and getattr(image, "n_frames", 1) == 1
    return False


def _to_rgb(image: Image.Image, name: str) -> Image.Image:
    if image.mode == "I" or image.mode.startswith("I;"):
        # `convert` would clip them to 255.
        values = np.asarray(image)
        if values.min() < 0 or values.max() >= 2**16:
            raise UserError(f"{name} has pixels of more than 16 bits. {_REMEDY}")
        image = Image.fromarray((values >> 8).astype(np.uint8))
    elif image.mode == "F":
        raise UserError(f"{name} has pixels of floating point numbers. {_REMEDY}")
    if image.has_transparency_data:
        colours = image.convert("RGBA")
        image = Image.new("RGBA", colours.size, "white")
        image.alpha_composite(colours)
    return image.convert("RGB").reduce(_reduction(image))

import io

import numpy as np
import pytest
from PIL import Image, features

from data.errors import UserError
from data.images import files
from data.images.files import PictureFile, read_picture

# Left red, right blue; the upper right corner is green.
PIXELS = np.zeros((24, 32, 3), np.uint8)
PIXELS[:, :16, 0] = PIXELS[:, 16:, 2] = 200
PIXELS[:12, 16:] = [0, 200, 0]
PICTURE = Image.fromarray(PIXELS)
MIDDLES = {(6, 8): (200, 0, 0), (6, 24): (0, 200, 0), (18, 8): (200, 0, 0), (18, 24): (0, 0, 200)}


def save(tmp_path, name, image=PICTURE, **options):
    path = tmp_path / name
    image.save(path, **options)
    return path


def decode(content):
    """The pixels, if the file is an ordinary one."""
    with Image.open(io.BytesIO(content)) as image:
        assert image.format in ("JPEG", "PNG")
        assert image.mode in ("RGB", "L")
        assert image.getexif().get(0x0112, 1) == 1
        return np.asarray(image.convert("RGB")).astype(int)


def assert_same(content, close=0):
    pixels = decode(content)
    assert pixels.shape == PIXELS.shape
    for place, colour in MIDDLES.items():
        assert np.abs(pixels[place] - colour).max() <= close


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "grey.jpg", "grey.png"])
def test_ordinary_files_come_unchanged(tmp_path, name):
    path = save(tmp_path, name, PICTURE.convert("L") if "grey" in name else PICTURE)
    assert read_picture(path) == PictureFile(str(path)).read() == path.read_bytes()


def test_what_a_file_is_counts_and_not_its_name(tmp_path):
    path = save(tmp_path, "a.jpg", format="PNG")
    assert read_picture(path) == path.read_bytes()


@pytest.mark.parametrize("turn", [2, 3, 4, 5, 6, 7, 8])
@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_pictures_of_a_turned_camera_are_turned_back(tmp_path, turn, suffix):
    transpose = Image.Transpose
    backwards = {
        2: transpose.FLIP_LEFT_RIGHT,
        3: transpose.ROTATE_180,
        4: transpose.FLIP_TOP_BOTTOM,
        5: transpose.TRANSPOSE,
        6: transpose.ROTATE_90,
        7: transpose.TRANSVERSE,
        8: transpose.ROTATE_270,
    }
    exif = Image.Exif()
    exif[0x0112] = turn
    path = save(tmp_path, f"a.{suffix}", PICTURE.transpose(backwards[turn]), exif=exif)
    assert_same(read_picture(path), close=12)


@pytest.mark.parametrize(
    ("name", "mode", "close"),
    [
        ("a.gif", "P", 0),
        ("a.bmp", "RGB", 0),
        ("a.tif", "RGB", 0),
        ("a.ppm", "RGB", 0),
        ("palette.png", "P", 0),
        ("alpha.png", "RGBA", 0),
        ("cmyk.jpg", "CMYK", 12),
        ("cmyk.tif", "CMYK", 0),
    ],
)
def test_other_formats_and_kinds_of_pixels_are_converted(tmp_path, name, mode, close):
    image = PICTURE.quantize(8) if mode == "P" else PICTURE.convert(mode)
    assert_same(read_picture(save(tmp_path, name, image)), close)


@pytest.mark.skipif(not features.check("webp"), reason="Pillow reads no WebP here")
def test_webp_is_converted(tmp_path):
    assert_same(read_picture(save(tmp_path, "a.webp", lossless=True)))


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_becomes_white(tmp_path, mode):
    image = Image.new("RGBA", (4, 4), (0, 0, 0, 0)).convert(mode)
    if mode == "P":
        image.info["transparency"] = image.getpixel((0, 0))
    assert (decode(read_picture(save(tmp_path, "a.png", image))) == 255).all()


def test_grey_of_16_bits_keeps_its_levels(tmp_path):
    image = Image.fromarray(np.array([[0, 0x80FF, 0xFFFF]], np.uint16))
    pixels = decode(read_picture(save(tmp_path, "a.png", image)))
    assert pixels[0].tolist() == [[0] * 3, [0x80] * 3, [0xFF] * 3]


def test_colours_of_16_bits_keep_their_levels(tmp_path):
    # Pillow writes no such file: an uncompressed one of a single pixel.
    import struct
    import zlib

    def chunk(kind, content):
        end = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + end

    header = struct.pack(">IIBBBBB", 1, 1, 16, 2, 0, 0, 0)
    pixel = zlib.compress(b"\0" + struct.pack(">HHH", 0xFF00, 0x8012, 0x0001))
    content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixel)
    path = tmp_path / "a.png"
    path.write_bytes(content + chunk(b"IEND", b""))
    assert decode(read_picture(path)).tolist() == [[[0xFF, 0x80, 0x00]]]


@pytest.mark.parametrize("name", ["a.gif", "a.png", "a.tif"])
def test_the_first_picture_of_several_counts(tmp_path, name):
    others = [Image.new("RGB", PICTURE.size, colour) for colour in ("white", "black")]
    path = save(tmp_path, name, save_all=True, append_images=others)
    assert_same(read_picture(path))


def test_a_large_jpeg_is_read_at_a_fraction_of_its_size(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "_MOST_PIXELS", 320 * 240 - 1)
    monkeypatch.setattr(files, "_KEPT_PIXELS", 320 * 240 // 100)
    path = save(tmp_path, "a.jpg", PICTURE.resize((320, 240)))
    # At an eighth, the most that JPEG can do, there are still too many.
    assert decode(read_picture(path)).shape == (15, 20, 3)


@pytest.mark.parametrize("name", ["a.bmp", "a.gif"])
def test_what_is_converted_keeps_as_many_pixels_as_an_encoder_needs(tmp_path, monkeypatch, name):
    monkeypatch.setattr(files, "_KEPT_PIXELS", 24 * 32 // 4)
    pixels = decode(read_picture(save(tmp_path, name)))
    assert pixels.shape == (12, 16, 3)
    assert pixels[3, 4].tolist() == [200, 0, 0]


def test_a_large_png_is_refused_before_it_is_decoded(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "_MOST_PIXELS", 700)
    content = save(tmp_path, "a.png").read_bytes()
    path = tmp_path / "b.png"
    # Nothing but the header is there.
    path.write_bytes(content[:60])
    with pytest.raises(UserError, match="megapixels"):
        read_picture(path)


@pytest.mark.parametrize("name", ["a.png", "a.bmp"])
def test_a_large_picture_of_another_format_is_refused(tmp_path, monkeypatch, name):
    monkeypatch.setattr(files, "_MOST_PIXELS", 700)
    path = save(tmp_path, name)
    with pytest.raises(UserError, match=rf"{name} has 0 megapixels, .*Make it smaller, or drop it"):
        read_picture(path)


def test_a_header_that_promises_billions_of_pixels_takes_no_memory(tmp_path):
    content = bytearray(save(tmp_path, "a.bmp").read_bytes())
    content[18:26] = (60_000).to_bytes(4, "little") * 2
    path = tmp_path / "b.bmp"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"b\.bmp has too many pixels\. Make it smaller"):
        read_picture(path)


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.gif", "a.bmp", "a.tif", "a.webp"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9])
def test_truncated_files_are_user_errors_of_one_line(tmp_path, name, share):
    noise = np.random.default_rng(0).integers(0, 256, (60, 60, 3), np.uint8)
    content = save(tmp_path, name, Image.fromarray(noise)).read_bytes()
    path = tmp_path / f"cut-{name}"
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(UserError, match=rf"cut-{name}") as caught:
        read_picture(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["a.jpg", "a.png"])
def test_the_last_bytes_of_an_ordinary_file_count(tmp_path, name):
    content = save(tmp_path, name).read_bytes()
    path = tmp_path / f"cut-{name}"
    path.write_bytes(content[:-3])
    with pytest.raises(UserError, match=rf"cannot read the picture .*cut-{name}: .*[Tt]runcated"):
        read_picture(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"a\.jpg is empty, a picture was expected\. Drop it"),
        (b"GIF89a", r"a\.jpg is no picture of the formats JPEG, .*Save it again as JPEG or PNG"),
        (b"<svg/>", r"a\.jpg is no picture of the formats"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", r"a\.jpg is no picture of the formats"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", r"a\.jpg is a HEIC file, no picture of the formats"),
    ],
    ids=["empty", "cut", "drawing", "program", "iphone"],
)
def test_what_is_no_picture_is_a_user_error(tmp_path, content, message):
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    with pytest.raises(UserError, match=message):
        read_picture(path)


def test_pixels_of_floating_point_numbers_are_refused(tmp_path):
    path = save(tmp_path, "a.tif", Image.new("F", (2, 2)))
    with pytest.raises(UserError, match=r"a\.tif has pixels of floating point numbers\."):
        read_picture(path)


def test_missing_files_and_folders_are_user_errors(tmp_path):
    with pytest.raises(UserError, match=r"cannot read .*a\.jpg: No such file or directory\. Check"):
        read_picture(tmp_path / "a.jpg")
    with pytest.raises(UserError, match=r"is not a file\. Check the path"):
        read_picture(tmp_path)
    with pytest.raises(UserError, match=r"cannot read a.*b: embedded null byte\. Check the path"):
        read_picture("a\0b")


def test_files_of_the_same_content_have_the_same_digest(tmp_path):
    one, other = (PictureFile(str(save(tmp_path, name))) for name in ("a.png", "b.png"))
    third = PictureFile(str(save(tmp_path, "c.png", PICTURE.convert("L"))))
    assert one.digest == other.digest != third.digest
    assert one.name.endswith("a.png")

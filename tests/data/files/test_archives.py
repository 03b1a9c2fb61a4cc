"""Tests of `data.files.archives`."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile

import pytest

from data.errors import UserError
from data.files import archives
from data.files.archives import LONGEST_TEXT, open_unpacked, read_tar

TEXT = "Bonjour, l'été.\n".encode()


def read(path, **options) -> bytes:
    with open_unpacked(path, **options) as file:
        return file.read()


def zipped(path, **members) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def tarred(path, members, mode="w") -> None:
    with tarfile.open(path, mode) as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


@pytest.mark.parametrize(
    ("suffix", "pack"),
    [(".txt", bytes), (".gz", gzip.compress), (".xz", lzma.compress), (".bz2", bz2.compress)],
)
def test_a_packed_file_is_read_as_the_plain_one(tmp_path, suffix, pack):
    path = tmp_path / f"text{suffix}"
    path.write_bytes(pack(TEXT))
    assert read(path) == TEXT


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress])
def test_a_packed_file_is_known_by_how_it_begins(tmp_path, pack):
    path = tmp_path / "train.fr"
    path.write_bytes(pack(TEXT))
    assert read(path) == TEXT


def test_the_only_file_of_a_zip_is_read(tmp_path):
    path = tmp_path / "text.zip"
    zipped(path, **{"folder/": "", "folder/text.txt": TEXT, "__MACOSX/._text.txt": b"\x00"})
    assert read(path) == TEXT


def test_of_a_zip_with_several_files_one_has_to_be_named(tmp_path):
    path = tmp_path / "text.zip"
    zipped(path, **{"a.txt": TEXT, "b.txt": b"b"})
    with pytest.raises(UserError, match=r"text\.zip holds 2 files: a\.txt, b\.txt\. Unpack it"):
        read(path)
    assert read(path, member="b.txt") == b"b"
    with pytest.raises(UserError, match=r"it has no file c\.txt\. Get another"):
        read(path, member="c.txt", remedy="Get another")


def test_an_empty_zip_is_refused(tmp_path):
    zipped(tmp_path / "text.zip")
    with pytest.raises(UserError, match=r"holds 0 files\. Unpack it"):
        read(tmp_path / "text.zip")


@pytest.mark.parametrize("suffix", [".gz", ".xz", ".bz2", ".zip"])
@pytest.mark.parametrize("damage", ["cut", "flipped", "other"])
def test_what_is_damaged_is_one_line_with_the_name(tmp_path, suffix, damage):
    path = tmp_path / f"text{suffix}"
    if suffix == ".zip":
        zipped(path, text=TEXT * 50)
    else:
        path.write_bytes(
            {".gz": gzip, ".xz": lzma, ".bz2": bz2}[suffix].compress(bytes(range(256)) * 9)
        )
    content = bytearray(path.read_bytes())
    if damage == "cut":
        del content[len(content) // 2 :]
    elif damage == "flipped":
        content[len(content) // 2 - 20] ^= 0xFF
        content[len(content) // 2] ^= 0xFF
    else:
        content = bytearray(b"no archive")
    path.write_bytes(content)
    with pytest.raises(UserError) as caught:
        read(path)
    assert str(caught.value).startswith(f"cannot read {path}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("error", archives.UNPACKING_ERRORS)
def test_whatever_unpacking_raises_is_one_line(error):
    with (
        pytest.raises(UserError, match=r"^cannot read x\.gz: .+\. Fix it$"),
        archives.explain_read_errors("x.gz", "Fix it"),
    ):
        raise error()


def test_an_encrypted_zip_is_refused(tmp_path):
    path = tmp_path / "text.zip"
    zipped(path, text=TEXT)
    content = bytearray(path.read_bytes())
    # The flags of the local header, and of the central one.
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match="encrypted"):
        read(path)


def test_a_zip_packed_in_an_unknown_way_is_refused(tmp_path):
    path = tmp_path / "text.zip"
    zipped(path, text=TEXT)
    content = bytearray(path.read_bytes())
    content[8] = content[content.index(b"PK\x01\x02") + 10] = 99
    path.write_bytes(content)
    with pytest.raises(UserError, match="compression method"):
        read(path)


@pytest.mark.parametrize("suffix", [".gz", ".xz", ".bz2", ".zip"])
def test_a_bomb_ends_at_the_limit_and_text_does_not(tmp_path, monkeypatch, suffix):
    monkeypatch.setattr(archives, "FREE_EXPANSION", 2**18)
    path = tmp_path / f"text{suffix}"

    def write(content):
        if suffix == ".zip":
            zipped(path, text=content)
        else:
            path.write_bytes({".gz": gzip, ".xz": lzma, ".bz2": bz2}[suffix].compress(content))

    write(bytes(2**18))
    assert len(read(path)) == 2**18
    text = b"".join(b"%d times %d is %d\n" % (n, n, n * n) for n in range(2**14))
    write(text)
    assert len(text) > 2**18
    assert read(path) == text
    write(bytes(2**20))
    with pytest.raises(
        UserError, match=r"unpacks to more than 262,144 bytes, over 200 times its size"
    ):
        read(path)


def test_a_zip_that_understates_a_size_is_damaged(tmp_path):
    path = tmp_path / "text.zip"
    zipped(path, text=bytes(1000))
    content = bytearray(path.read_bytes())
    at = content.index(b"PK\x01\x02") + 24
    content[at : at + 4] = (10).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(UserError, match="Bad CRC-32"):
        read(path)


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz", "w:bz2"])
def test_the_wanted_texts_of_a_tar_are_streamed(tmp_path, mode):
    path = tmp_path / ("text.tar" if mode == "w" else f"text.tar.{mode[2:]}")
    tarred(path, {"a/1.txt": TEXT, "a/2.jpg": b"x", "../3.txt": b"three"}, mode)
    texts = read_tar(path, lambda name: name.endswith(".txt"))
    assert list(texts) == [("a/1.txt", TEXT), ("../3.txt", b"three")]


def test_links_and_devices_of_a_tar_are_passed_over(tmp_path):
    path = tmp_path / "text.tar"
    with tarfile.open(path, "w") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
            member = tarfile.TarInfo("a.txt")
            member.type, member.linkname = kind, "/etc/passwd"
            archive.addfile(member)
    assert list(read_tar(path, lambda name: True)) == []


def test_a_member_of_a_tar_may_be_as_long_as_a_text_and_no_longer(tmp_path):
    path = tmp_path / "text.tar"
    tarred(path, {"a": bytes(LONGEST_TEXT)})
    assert [len(content) for _, content in read_tar(path, lambda name: True)] == [LONGEST_TEXT]
    tarred(path, {"a": bytes(LONGEST_TEXT + 1)})
    with pytest.raises(UserError, match=r"text\.tar: a is longer than 16 MiB\. Check the file"):
        list(read_tar(path, lambda name: True))
    assert list(read_tar(path, lambda name: False)) == []


@pytest.mark.parametrize("size", [1, 2**62])
def test_a_sparse_member_of_a_tar_is_refused_whatever_it_claims(tmp_path, size):
    path = tmp_path / "text.tar"
    member = tarfile.TarInfo("a")
    member.type, member.size = tarfile.GNUTYPE_SPARSE, 0
    header = bytearray(member.tobuf(tarfile.GNU_FORMAT))
    # The real size of a sparse file stands at 483: in base 256.
    header[483:495] = b"\x80" + size.to_bytes(11, "big")
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\x00 " % sum(header)
    path.write_bytes(bytes(header) + bytes(1024))
    with pytest.raises(UserError, match="a is a sparse file"):
        list(read_tar(path, lambda name: True))


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_tar_with_endless_names_is_refused(tmp_path, kind):
    path = tmp_path / "text.tar"
    header = tarfile.TarInfo("a")
    header.type, header.size = kind, 16 * 2**10 + 1
    path.write_bytes(header.tobuf() + b"1" * 2**16)
    with pytest.raises(UserError, match="a header of 16,385 bytes"):
        list(read_tar(path, lambda name: True))


@pytest.mark.parametrize("size", [0, 100, 700, 1500])
def test_a_tar_that_ends_too_early_is_refused(tmp_path, size):
    path = tmp_path / "text.tar"
    tarred(path, {"a": bytes(2000)})
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(UserError, match=r"cannot read .*text\.tar"):
        list(read_tar(path, lambda name: True))


def test_a_packed_file_has_the_name_of_what_it_holds(tmp_path):
    zipped(tmp_path / "x.zip", **{"folder/pairs.csv": b""})
    assert archives.unpacked_name(tmp_path / "x.zip") == "pairs.csv"
    for name in ("pairs.csv", "pairs.csv.gz", "pairs.csv.XZ"):
        assert archives.unpacked_name(tmp_path / name) == "pairs.csv"


def test_a_file_that_is_one_text_is_read_up_to_the_limit():
    text = bytes(LONGEST_TEXT)
    assert archives.read_whole(io.BytesIO(text), "x") == text
    with pytest.raises(UserError, match=r"^x is longer than 16 MiB\. Get another$"):
        archives.read_whole(io.BytesIO(text + b"x"), "x", "Get another")

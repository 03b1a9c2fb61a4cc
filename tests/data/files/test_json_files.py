import os

import pytest

from data.errors import UserError
from data.files.json_files import LONGEST_JSON, parse_json, read_json


@pytest.fixture
def path(tmp_path):
    return tmp_path / "x.json"


def test_a_file_is_read_as_utf8(path):
    path.write_bytes('{"класс": [1, 0.5, null]}'.encode())
    assert read_json(path, "Train again") == {"класс": [1, 0.5, None]}


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff", b"[" * 988, b'[{"a":' * 5000, b"1" * 4301],
    ids=["empty", "cut short", "not UTF-8", "988 brackets", "10,000 levels", "4,301 digits"],
)
def test_what_is_no_json_is_one_line_with_the_remedy(path, content):
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"^.*x.json is not JSON: .*\. Check --config$") as mistake:
        read_json(path, "Check --config")
    assert "\n" not in str(mistake.value)


def test_a_deep_file_says_so(path):
    path.write_bytes(b"[" * 100_000)
    with pytest.raises(UserError, match=r"it is nested too deeply\. Train again"):
        read_json(path, "Train again")


def test_more_bytes_than_any_run_has_are_not_parsed():
    with pytest.raises(ValueError, match="more than 268,435,456 bytes"):
        parse_json(bytes(LONGEST_JSON + 1))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("none.json", "No such file or directory"),
        ("", "Is a directory"),
        ("n" * 300, "File name too long"),
        ("a\0b", "embedded null byte"),
    ],
)
def test_what_cannot_be_read_is_not_called_damaged(tmp_path, name, reason):
    with pytest.raises(UserError, match=rf"^cannot read .*: {reason}\. Check --config$"):
        read_json(tmp_path / name, "Train again", "Check --config")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_missing_permission_is_reported(path):
    path.write_text("{}")
    path.chmod(0)
    with pytest.raises(UserError, match=r"Permission denied\. Check the file and its permissions"):
        read_json(path, "Train again")

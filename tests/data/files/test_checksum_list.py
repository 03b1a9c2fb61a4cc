import shutil
import subprocess

import pytest

from data.errors import UserError
from data.files.checksum_list import check_checksum_list, write_checksum_list

LIST = "more/SHA256SUMS"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "more").mkdir()
    (tmp_path / "one.txt").write_bytes(b"abc")
    (tmp_path / "more" / "two.txt").write_bytes(b"")
    write_checksum_list(tmp_path, LIST)
    return tmp_path


def test_the_list_is_that_of_sha256sum(folder):
    """The checksums of "abc" and of nothing are those of FIPS 180-2."""
    assert (folder / LIST).read_text().splitlines() == [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  more/two.txt",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  one.txt",
    ]
    if shutil.which("sha256sum"):
        command = ["sha256sum", "--check", "--strict", LIST]
        assert subprocess.run(command, cwd=folder, capture_output=True, timeout=60).returncode == 0


def test_files_that_are_as_they_were_pass(folder):
    check_checksum_list(folder, LIST)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda folder: (folder / "one.txt").write_bytes(b"abd"), "one.txt is damaged"),
        (lambda folder: (folder / "more/two.txt").unlink(), "two.txt is missing"),
        (lambda folder: (folder / "three.txt").touch(), "three.txt is unknown"),
        (
            lambda folder: (folder / LIST).write_text("abc one.txt\n"),
            "not a list of checksums",
        ),
        (lambda folder: (folder / LIST).write_bytes(b"\xff"), "not a list of checksums"),
        (lambda folder: (folder / LIST).unlink(), "cannot read .*SHA256SUMS: No such file"),
    ],
)
def test_what_is_not_as_it_was_is_one_line(folder, change, message):
    change(folder)
    with pytest.raises(UserError, match=message):
        check_checksum_list(folder, LIST)

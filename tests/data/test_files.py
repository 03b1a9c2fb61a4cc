import errno
import hashlib
import os
import shutil

import pytest

from data.errors import UserError
from data.files import sha256, whole_file, whole_folder


def write(path, content="new"):
    with whole_file(path) as partial:
        partial.write_text(content)


def write_folder(path, content="new"):
    with whole_folder(path) as partial:
        (partial / "file").write_text(content)


def test_sha256_is_that_of_the_bytes(tmp_path):
    (tmp_path / "a").write_bytes(b"ham" * 100_000)
    assert sha256(tmp_path / "a") == hashlib.sha256(b"ham" * 100_000).hexdigest()


def test_a_whole_file_replaces_the_former_and_leaves_nothing_else(tmp_path):
    write(tmp_path / "a", "former")
    write(tmp_path / "a")
    assert (tmp_path / "a").read_text() == "new"
    assert os.listdir(tmp_path) == ["a"]


def test_a_whole_file_makes_its_folders(tmp_path):
    write(tmp_path / "b" / "c" / "a")
    assert (tmp_path / "b" / "c" / "a").read_text() == "new"


def test_the_file_does_not_exist_before_it_is_whole(tmp_path):
    with whole_file(tmp_path / "a") as partial:
        partial.write_text("half")
        assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_failure_keeps_the_former_file_and_leaves_nothing_behind(tmp_path, error):
    write(tmp_path / "a", "former")
    with pytest.raises(error), whole_file(tmp_path / "a") as partial:
        partial.write_text("half")
        raise error
    assert (tmp_path / "a").read_text() == "former"
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_failure_keeps_the_former_folder_and_leaves_nothing_behind(tmp_path, error):
    write_folder(tmp_path / "run", "former")
    with pytest.raises(error), whole_folder(tmp_path / "run") as partial:
        (partial / "file").write_text("half")
        raise error
    assert (tmp_path / "run" / "file").read_text() == "former"
    assert os.listdir(tmp_path) == ["run"]


def test_a_whole_folder_replaces_the_former_with_all_that_it_held(tmp_path):
    write_folder(tmp_path / "run", "former")
    (tmp_path / "run" / "other").write_text("former")
    write_folder(tmp_path / "run")
    assert os.listdir(tmp_path / "run") == ["file"]
    assert (tmp_path / "run" / "file").read_text() == "new"
    assert os.listdir(tmp_path) == ["run"]


@pytest.mark.parametrize("writer", [write, write_folder])
@pytest.mark.parametrize(
    "below",
    [
        "folder/a",
        pytest.param("a"),
    ],
)
def test_a_place_below_a_file_is_a_user_error(tmp_path, writer, below):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"cannot write .*a: .*Check the folder"):
        writer(tmp_path / "file" / below)


def test_a_folder_in_the_place_of_the_file_is_a_user_error(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(UserError, match=r"cannot write .*a: Is a directory"):
        write(tmp_path / "a")
    assert os.listdir(tmp_path) == ["a"]


def test_a_file_in_the_place_of_the_folder_is_a_user_error(tmp_path):
    (tmp_path / "run").write_text("precious")
    with pytest.raises(UserError, match="cannot write"):
        write_folder(tmp_path / "run")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EDQUOT])
def test_a_full_or_closed_disk_is_a_user_error(tmp_path, number):
    with (
        pytest.raises(UserError, match=f"cannot write .*a: {os.strerror(number)}"),
        whole_file(tmp_path / "a"),
    ):
        raise OSError(number, os.strerror(number))
    assert os.listdir(tmp_path) == []


def test_a_disk_that_is_full_while_a_folder_is_copied_is_a_user_error(tmp_path):
    def full(source, target):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), target)

    write_folder(tmp_path / "run")
    with (
        pytest.raises(UserError, match=f"cannot write .*copy: .*{os.strerror(errno.ENOSPC)}"),
        whole_folder(tmp_path / "copy") as partial,
    ):
        shutil.copytree(tmp_path / "run", partial / "run", copy_function=full)
    assert os.listdir(tmp_path) == ["run"]


def test_too_long_a_name_is_a_user_error(tmp_path):
    with pytest.raises(UserError, match="cannot write"):
        write(tmp_path / ("a" * 300))


def test_another_os_error_is_not_taken_for_one_of_writing(tmp_path):
    with pytest.raises(FileNotFoundError), whole_file(tmp_path / "a"):
        (tmp_path / "missing").read_text()


def test_the_leftover_of_a_killed_process_of_the_same_number_is_no_obstacle(tmp_path):
    # In a container the process number is the same at every start.
    (tmp_path / f".run.partial-{os.getpid()}").mkdir()
    write_folder(tmp_path / "run")
    assert os.listdir(tmp_path) == ["run"]


def test_the_former_folder_survives_when_the_new_one_cannot_take_its_place(tmp_path, monkeypatch):
    write_folder(tmp_path / "run", "former")
    replace = os.replace

    def fail(source, target):
        if "partial" in str(source):
            raise OSError(errno.EACCES, "denied")
        replace(source, target)

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(UserError):
        write_folder(tmp_path / "run")
    assert (tmp_path / "run" / "file").read_text() == "former"


def test_a_failed_rename_without_a_former_folder_says_what_failed(tmp_path, monkeypatch):
    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("data.files.os.replace", full)
    with pytest.raises(UserError, match="No space left"), whole_folder(tmp_path / "new"):
        pass
    assert list(tmp_path.iterdir()) == []

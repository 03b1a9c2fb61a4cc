import errno
import hashlib
import itertools
import os
import shutil
import socket
import stat
import subprocess
import sys
import threading

import pytest

from data.errors import UserError
from data.files.writing import sha256, whole_file, whole_folder


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
def test_a_failure_keeps_the_former_file_and_leaves_nothing(tmp_path, error):
    write(tmp_path / "a", "former")
    with pytest.raises(error), whole_file(tmp_path / "a") as partial:
        partial.write_text("half")
        raise error
    assert (tmp_path / "a").read_text() == "former"
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_folder_that_fails_leaves_nothing(tmp_path, error):
    with pytest.raises(error), whole_folder(tmp_path / "export") as partial:
        (partial / "file").write_text("half")
        assert not (tmp_path / "export").exists()
        raise error
    assert os.listdir(tmp_path) == []


def test_a_folder_replaces_nothing_but_an_empty_one(tmp_path):
    (tmp_path / "export").mkdir()
    write_folder(tmp_path / "export", "first")
    with pytest.raises(UserError, match=r"cannot write .*export: Directory not empty"):
        write_folder(tmp_path / "export", "second")
    assert (tmp_path / "export" / "file").read_text() == "first"
    assert os.listdir(tmp_path) == ["export"]


def test_a_folder_that_somebody_else_fills_meanwhile_stays(tmp_path):
    with (
        pytest.raises(UserError, match=r"cannot write .*export: Directory not empty"),
        whole_folder(tmp_path / "export"),
    ):
        write_folder(tmp_path / "export", "of another process")
    assert (tmp_path / "export" / "file").read_text() == "of another process"
    assert os.listdir(tmp_path) == ["export"]


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


# --- what is at the path already -----------------------------------------------


def test_the_permissions_of_a_replaced_file_stay(tmp_path):
    write(tmp_path / "a", "former")
    (tmp_path / "a").chmod(0o640)
    with whole_file(tmp_path / "a") as partial:
        assert stat.S_IMODE(partial.stat().st_mode) == 0o600
        partial.write_text("new")
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640
    assert (tmp_path / "a").read_text() == "new"


def test_a_new_file_has_the_permissions_of_every_new_file(tmp_path):
    (tmp_path / "b").touch()
    write(tmp_path / "a")
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_the_owner_of_a_replaced_file_stays(tmp_path):
    write(tmp_path / "a", "former")
    os.chown(tmp_path / "a", 12345, 23456)
    write(tmp_path / "a")
    status = (tmp_path / "a").stat()
    assert (status.st_uid, status.st_gid) == (12345, 23456)


def test_a_link_stays_and_its_target_is_replaced(tmp_path):
    (tmp_path / "disk").mkdir()
    write(tmp_path / "disk" / "target", "former")
    (tmp_path / "a").symlink_to("disk/target")
    write(tmp_path / "a")
    assert os.readlink(tmp_path / "a") == "disk/target"
    assert (tmp_path / "disk" / "target").read_text() == "new"
    assert os.listdir(tmp_path / "disk") == ["target"]


@pytest.mark.parametrize("linked", [False, True])
def test_a_pipe_is_written_into(tmp_path, linked):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    received = []
    reader = threading.Thread(
        target=lambda: received.append((tmp_path / "pipe").read_text()), daemon=True
    )
    reader.start()
    write(tmp_path / ("link" if linked else "pipe"))
    reader.join(60)
    assert received == ["new"]
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
    assert sorted(os.listdir(tmp_path)) == ["link", "pipe"]


def make_node(path, minor):
    """A device like /dev/null (3) or /dev/full (7)."""
    try:
        os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, minor))
        with path.open("wb"):
            pass
    except OSError:
        pytest.skip("devices can be made, and opened here, by root alone")


def test_a_pipe_gets_nothing_of_what_fails(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(RuntimeError), whole_file(tmp_path / "pipe") as partial:
        partial.write_text("half")
        raise RuntimeError
    assert os.listdir(tmp_path) == ["pipe"]


@pytest.mark.parametrize("linked", [False, True])
def test_a_device_is_written_into(tmp_path, linked):
    make_node(tmp_path / "null", 3)
    (tmp_path / "link").symlink_to("null")
    write(tmp_path / ("link" if linked else "null"))
    assert stat.S_ISCHR((tmp_path / "null").stat().st_mode)
    assert (tmp_path / "link").is_symlink()
    assert sorted(os.listdir(tmp_path)) == ["link", "null"]


def test_a_device_that_is_full_is_a_user_error(tmp_path):
    make_node(tmp_path / "full", 7)
    with pytest.raises(UserError, match=r"cannot write .*full: No space left"):
        write(tmp_path / "full")
    assert stat.S_ISCHR((tmp_path / "full").stat().st_mode)


def test_a_socket_is_a_user_error(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # the name of a socket must be short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("a")
        with pytest.raises(UserError, match="cannot write a: No such device or address"):
            write(tmp_path.joinpath("a").relative_to(tmp_path))
    assert stat.S_ISSOCK((tmp_path / "a").stat().st_mode)


TO_STANDARD_OUTPUT = """
from data.files.writing import whole_file
print("before")
with whole_file("/dev/stdout") as path:
    path.write_text("written\\n")
print("after")
"""


def test_standard_output_by_name_is_a_stream_like_any_other(tmp_path):
    command = [sys.executable, "-c", TO_STANDARD_OUTPUT]
    piped = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert "written\n" in piped.stdout, piped.stderr
    # A log that is appended to keeps what it has.
    (tmp_path / "log").write_text("former\n")
    with (tmp_path / "log").open("a") as log:
        subprocess.run(command, stdout=log, timeout=60, check=True)
    assert (tmp_path / "log").read_text() == "former\nbefore\nwritten\nafter\n"
    assert os.listdir(tmp_path) == ["log"]


def test_a_file_that_is_protected_against_writing_is_not_replaced(tmp_path, monkeypatch):
    write(tmp_path / "a", "former")
    # To root, nothing is protected.
    monkeypatch.setattr("data.files.writing.os.access", lambda path, mode: mode != os.W_OK)
    with pytest.raises(UserError, match=r"cannot write .*a: Permission denied"):
        write(tmp_path / "a")
    assert (tmp_path / "a").read_text() == "former"


# --- what killed processes leave -----------------------------------------------


WRITERS = pytest.mark.parametrize("writer", [write, write_folder])


@WRITERS
@pytest.mark.parametrize(
    "number",
    ["1234567", str(os.getpid()), "0123456789abcdef"],
    ids=["another process", "this process", "drawn by chance"],
)
def test_what_a_killed_process_left_is_removed_by_the_next_one(tmp_path, writer, number):
    (tmp_path / f".a.partial-{number}").mkdir()
    (tmp_path / f".a.partial-{number}" / "file").touch()
    (tmp_path / ".a.partial-7654321").touch()
    writer(tmp_path / "a")
    assert os.listdir(tmp_path) == ["a"]


@WRITERS
def test_what_a_living_process_writes_is_left_alone(tmp_path, writer):
    with whole_file(tmp_path / "a") as first, whole_folder(tmp_path / "b") as second:
        write(tmp_path / "a", "of another process")
        (second / "file").touch()
        writer(tmp_path / "c")
        whole = whole_folder(tmp_path / "b")
        with pytest.raises(ZeroDivisionError), whole:
            raise ZeroDivisionError
        first.write_text("new")
        assert (second / "file").exists()
    assert (tmp_path / "a").read_text() == "new"
    assert sorted(os.listdir(tmp_path)) == ["a", "b", "c"]


@WRITERS
@pytest.mark.parametrize("name", [".b.partial-1", ".a.partial-notes", "a.partial-1", ".a.former-1"])
def test_what_is_no_partial_of_that_path_is_left_alone(tmp_path, writer, name):
    (tmp_path / name).write_text("precious")
    writer(tmp_path / "a")
    assert sorted(os.listdir(tmp_path)) == sorted([name, "a"])
    assert (tmp_path / name).read_text() == "precious"


@WRITERS
def test_a_link_with_the_name_of_a_partial_is_not_followed(tmp_path, writer):
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").write_text("kept")
    for target in ("precious", "precious/file"):
        (tmp_path / f".a.partial-{len(target)}").symlink_to(target)
    writer(tmp_path / "a")
    assert (tmp_path / "precious" / "file").read_text() == "kept"


def test_nobody_can_guess_where_a_file_is_written(tmp_path):
    names = set()
    for _ in range(3):
        with whole_file(tmp_path / "a") as partial:
            names.add(partial.name)
    assert len(names) == 3


@WRITERS
@pytest.mark.parametrize("former", [False, True])
def test_killed_at_any_moment_it_leaves_the_former_or_the_new_one(
    tmp_path, writer, former, break_off
):
    path = tmp_path / "a"
    for number in itertools.count():
        shutil.rmtree(path, ignore_errors=True)
        path.unlink(missing_ok=True)
        if former:
            write(path, "former") if writer is write else path.mkdir()
        broken = break_off(number, writer, path)
        content = [each.read_text() for each in (path, path / "file") if each.is_file()]
        assert content in ([["former"], ["new"]] if former and writer is write else [[], ["new"]])
        if writer is write_folder and content:
            shutil.rmtree(path)
        # The next one neither minds what was left nor leaves it.
        writer(path)
        assert os.listdir(tmp_path) == ["a"]
        if not broken:
            break
    assert content == ["new"]
    assert number >= 4


@WRITERS
def test_interrupted_at_any_moment_it_leaves_nothing_else(tmp_path, writer, break_off):
    for number in itertools.count():
        broken = break_off(number, writer, tmp_path / "a", error=KeyboardInterrupt)
        left = os.listdir(tmp_path)
        # An interruption of the removal itself may leave what the next one removes.
        assert len(left) <= 1
        shutil.rmtree(tmp_path / "a", ignore_errors=True)
        (tmp_path / "a").unlink(missing_ok=True)
        writer(tmp_path / "a")
        assert os.listdir(tmp_path) == ["a"]
        if not broken:
            break
        shutil.rmtree(tmp_path / "a", ignore_errors=True)
        (tmp_path / "a").unlink(missing_ok=True)
    assert number >= 4


def test_what_is_renamed_is_on_the_disk_before(tmp_path, monkeypatch):
    steps = []
    fsync, replace, rename = os.fsync, os.replace, os.rename

    def record(name, function):
        def call(*arguments):
            steps.append(name)
            function(*arguments)

        return call

    monkeypatch.setattr(os, "fsync", record("sync", fsync))
    monkeypatch.setattr(os, "replace", record("rename", replace))
    monkeypatch.setattr(os, "rename", record("rename", rename))
    write(tmp_path / "a")
    assert steps == ["sync", "rename", "sync"]
    steps.clear()
    write_folder(tmp_path / "b")
    assert steps == ["sync", "sync", "rename", "sync"]  # the file, the names, the rename, its name


def test_a_disk_that_is_full_at_the_end_keeps_the_former_file(tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    write(tmp_path / "a", "former")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match="No space left"):
        write(tmp_path / "a")
    assert (tmp_path / "a").read_text() == "former"
    assert os.listdir(tmp_path) == ["a"]


def test_a_failed_rename_says_what_failed_and_leaves_nothing(tmp_path, monkeypatch):
    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("data.files.writing.os.rename", full)
    with pytest.raises(UserError, match="No space left"), whole_folder(tmp_path / "new"):
        pass
    assert list(tmp_path.iterdir()) == []

import shutil

import pytest

from apps.runs.export_folder import next_version
from data.errors import UserError
from data.files.writing import whole_folder


def write(folder):
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").touch()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_first_version_is_1(tmp_path):
    assert next_version(tmp_path / "spam") == tmp_path / "spam" / "1"
    (tmp_path / "spam").mkdir()
    assert next_version(tmp_path / "spam") == tmp_path / "spam" / "1"


def test_each_export_is_a_version_of_its_own(tmp_path):
    for version in ("1", "2"):
        folder = next_version(tmp_path)
        assert folder == tmp_path / version
        write(folder)
    shutil.rmtree(tmp_path / "1")
    assert next_version(tmp_path) == tmp_path / "3"


@pytest.mark.parametrize(("taken", "version"), [("009", "10"), ("20261127", "20261128")])
def test_a_version_that_a_user_chose_is_one_of_them(tmp_path, taken, version):
    write(tmp_path / taken)
    assert next_version(tmp_path) == tmp_path / version


def test_an_export_of_a_former_version_of_the_suite_stays(tmp_path):
    write(tmp_path)
    assert next_version(tmp_path) == tmp_path / "1"
    assert names(tmp_path) == ["saved_model.pb", "variables"]


def test_what_a_server_needs_beside_the_versions_stays(tmp_path):
    write(tmp_path / "1")
    for name in ("config.pbtxt", "README.md", "0x2", "1" * 19):
        (tmp_path / name).write_text("precious")
    assert next_version(tmp_path) == tmp_path / "2"
    assert names(tmp_path) == sorted(["1", "config.pbtxt", "README.md", "0x2", "1" * 19])


@pytest.mark.parametrize("name", ["index.html", "2/index.html", "variables/variables.index"])
def test_a_folder_that_holds_no_export_is_refused_by_what_it_holds(tmp_path, name):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).touch()
    held = name.split("/")[0]
    with pytest.raises(UserError, match=f"is no SavedModel: it holds {held}. Choose another"):
        next_version(tmp_path)
    assert (tmp_path / name).exists()


def test_a_file_is_refused(tmp_path):
    (tmp_path / "spam").write_text("precious")
    with pytest.raises(UserError, match=r"spam is no folder. Choose another --output"):
        next_version(tmp_path / "spam")


def test_what_killed_exports_left_is_removed_and_what_lives_stays(tmp_path):
    folder = tmp_path / "spam"
    for leftover in (folder / ".1.partial-0123456789abcdef", tmp_path / ".spam.partial-77"):
        write(leftover)
    (folder / ".mine.partial-77").mkdir()
    with whole_folder(folder / "3") as living:
        (living / "saved_model.pb").touch()
        assert next_version(folder) == folder / "1"
        assert names(folder) == [living.name, ".mine.partial-77"]
        assert names(tmp_path) == ["spam"]
    assert names(folder) == [".mine.partial-77", "3"]

import json

import pytest

from apps.run_folder import RunFolder
from apps.unfinished import UnfinishedTraining
from data.errors import UserError

DESCRIPTION = {
    "application": "hate_speech",
    "config": {},
    "command": "train",
    "checksum": "abc",
    "versions": {},
}


@pytest.fixture
def run(tmp_path):
    """The smallest thing that counts as a run."""
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "config.json").write_text("former")
    return folder


@pytest.fixture
def unfinished(run):
    """A training of that run with a checkpoint."""
    found = UnfinishedTraining(run)
    (found.path / "checkpoints").mkdir(parents=True)
    (found.path / "checkpoints" / "checkpoint").touch()
    (found.path / "config.json").write_text(json.dumps(DESCRIPTION))
    return found


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_folder_lies_beside_the_run_under_its_name(unfinished, tmp_path):
    assert unfinished.path == tmp_path / ".run.training"


def test_it_says_what_its_configuration_says(unfinished):
    assert unfinished.describe("hate_speech") == DESCRIPTION


def test_nothing_to_go_on_from_is_one_line(run):
    with pytest.raises(UserError, match=r"no unfinished training of .*run has a checkpoint"):
        UnfinishedTraining(run).describe("hate_speech")


@pytest.mark.parametrize("content", ["{", "[]", "{}", json.dumps({**DESCRIPTION, "config": 3})])
def test_a_damaged_configuration_is_one_line(unfinished, content):
    (unfinished.path / "config.json").write_text(content)
    with pytest.raises(UserError, match=r"config.json is damaged. Train anew with --restart"):
        unfinished.describe("hate_speech")


def test_a_training_of_another_application_is_one_line(unfinished):
    with pytest.raises(UserError, match="is a training of 'hate_speech', not of 'sentiment'"):
        unfinished.describe("sentiment")


def test_a_new_training_does_not_discard_an_unfinished_one(unfinished):
    with (
        pytest.raises(UserError, match="Go on with --resume, or discard it with --restart"),
        unfinished.locked(),
    ):
        unfinished.begin(restart=False)
    assert unfinished.resumable


def test_a_restart_discards_it(unfinished):
    with unfinished.locked():
        unfinished.begin(restart=True)
        assert files(unfinished.path) == ["lock"]


def test_what_has_no_checkpoint_is_replaced_and_does_not_stay(unfinished):
    (unfinished.path / "checkpoints" / "checkpoint").unlink()
    with unfinished.locked():
        unfinished.begin(restart=False)
        assert files(unfinished.path) == ["lock"]
    assert files(unfinished.run.parent) == ["run"]


def test_two_trainings_of_one_run_are_refused(unfinished):
    with (
        unfinished.locked(),
        pytest.raises(UserError, match=r"another process is training .*run. Wait for it"),
        UnfinishedTraining(unfinished.run).locked(),
    ):
        pass
    assert unfinished.resumable
    with unfinished.locked():
        pass


def test_a_lock_of_a_folder_that_was_removed_does_not_count(unfinished, monkeypatch):
    flock, calls = UnfinishedTraining.locked.__wrapped__.__globals__["fcntl"].flock, []

    def late(lock, how):
        # The former holder ends between our opening of the file and our locking it.
        if not calls:
            unfinished.discard()
        calls.append(lock)
        flock(lock, how)

    monkeypatch.setattr("apps.unfinished.fcntl.flock", late)
    with unfinished.locked():
        assert files(unfinished.path) == ["lock"]
    assert len(calls) == 2


def test_a_new_run_takes_the_place_of_the_former_one(unfinished):
    with unfinished.publishing() as new:
        assert files(unfinished.run) == ["config.json"]
        (new.path / "model.keras").touch()
    assert files(unfinished.run) == ["model.keras"]
    assert files(unfinished.path) == ["checkpoints", "config.json"]
    unfinished.discard()
    assert files(unfinished.run.parent) == ["run"]


def test_history_and_logs_go_with_it_and_stay(unfinished):
    (unfinished.path / "history.csv").write_text("epoch\n")
    (unfinished.path / "logs").mkdir()
    with unfinished.publishing():
        pass
    assert files(unfinished.run) == ["history.csv", "logs"]
    assert {"history.csv", "logs"} < set(files(unfinished.path))


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt, UserError])
def test_a_failed_training_keeps_the_former_run(unfinished, failure):
    with pytest.raises(failure), unfinished.publishing() as new:
        (new.path / "config.json").write_text("new")
        raise failure
    assert (unfinished.run / "config.json").read_text() == "former"
    assert files(unfinished.path) == ["checkpoints", "config.json"]


def test_a_run_on_its_way_out_comes_back_when_its_training_was_killed(unfinished):
    unfinished.run.rename(unfinished.path / "former")
    with unfinished.locked():
        assert (unfinished.run / "config.json").read_text() == "former"
    assert "former" not in files(unfinished.path)


def test_the_current_folder_may_be_trained_into(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    unfinished = UnfinishedTraining(RunFolder(".").path)
    with unfinished.locked(), unfinished.publishing():
        pass
    assert files(tmp_path) == ["here"]


def test_a_run_behind_a_link_is_written_where_the_link_points(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "run").symlink_to(tmp_path / "disk")
    unfinished = UnfinishedTraining(tmp_path / "run")
    with unfinished.locked(), unfinished.publishing() as new:
        (new.path / "config.json").touch()
    assert files(tmp_path) == ["disk", "run"]
    assert files(tmp_path / "disk") == ["config.json"]


def test_a_place_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    with (
        pytest.raises(UserError, match=r"cannot write .*Check the folder"),
        UnfinishedTraining(tmp_path / "file" / "run").locked(),
    ):
        pass


# --- several seeds -----------------------------------------------------------


@pytest.fixture
def several(run):
    """A training with several seeds, of which one is whole."""
    found = UnfinishedTraining(run)
    (found.path / "seeds" / "3").mkdir(parents=True)
    return found


def test_a_whole_member_is_something_to_go_on_from(several):
    assert several.resumable
    assert several.way_on("hate_speech").endswith(f"train --resume --run {several.name}")
    with pytest.raises(UserError, match="Go on with --resume"), several.locked():
        several.begin(restart=False)


def test_a_checkpoint_of_a_member_is_something_to_go_on_from(run):
    several = UnfinishedTraining(run)
    checkpoints = several.member(3).path / "checkpoints"
    checkpoints.mkdir(parents=True)
    assert not several.resumable
    (checkpoints / "checkpoint").touch()
    assert several.resumable and several.member(3).resumable


def test_a_member_lies_in_the_whole_and_has_its_name(several):
    member = several.member(3)
    assert member.run == several.path / "seeds" / "3"
    assert member.path == several.path / "seeds" / ".3.training"
    assert (member.whole, str(member.name)) == (several, f"{several.name}, seed 3")


def test_a_restart_discards_the_members(several):
    with several.locked():
        several.begin(restart=True)
        assert files(several.path) == ["lock"]


def test_half_removed_members_are_not_resumed(several, monkeypatch):
    monkeypatch.setattr("apps.unfinished.shutil.rmtree", lambda *_, **__: None)
    several.discard()
    assert not several.resumable
    monkeypatch.undo()
    (several.path / "seeds" / "4").mkdir(parents=True)
    several.discard()
    assert files(several.run.parent) == ["run"]

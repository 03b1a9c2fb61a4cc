import itertools
import json
import os
import shutil
import stat

import pytest

from apps.runs.files import read_run
from apps.runs.folder import RunFolder
from apps.runs.unfinished import UnfinishedTraining
from data.errors import UserError
from data.files import replacement
from data.files.writing import whole_file

DESCRIPTION = {
    "application": "hate_speech",
    "config": {},
    "command": "train",
    "checksum": "abc",
    "versions": {},
}


def write_run(folder, model="former"):
    """The smallest thing that counts as a run."""
    folder.mkdir(exist_ok=True)
    (folder / "model.keras").write_text(model)
    (folder / "config.json").write_text(json.dumps({"format": 1, **DESCRIPTION}))


@pytest.fixture
def run(tmp_path):
    write_run(tmp_path / "run")
    return tmp_path / "run"


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
    assert unfinished.describe("hate_speech").to_json() == {"format": 1, **DESCRIPTION}


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
        pytest.raises(UserError, match="Resume it with --resume, or discard it with --restart"),
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

    monkeypatch.setattr("apps.runs.unfinished.fcntl.flock", late)
    with unfinished.locked():
        assert files(unfinished.path) == ["lock"]
    assert len(calls) == 2


def test_a_new_run_takes_the_place_of_the_former_one(unfinished):
    with unfinished.publishing() as new:
        assert (unfinished.run / "model.keras").read_text() == "former"
        (new.path / "model.keras").write_text("new")
    assert files(unfinished.run) == ["model.keras"]
    assert (unfinished.run / "model.keras").read_text() == "new"
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
        (new.path / "model.keras").write_text("new")
        raise failure
    assert (unfinished.run / "model.keras").read_text() == "former"
    assert files(unfinished.path) == ["checkpoints", "config.json"]


def test_a_run_on_its_way_out_comes_back_when_its_training_was_killed(unfinished):
    unfinished.run.rename(unfinished.path / "former")
    with unfinished.locked():
        assert (unfinished.run / "model.keras").read_text() == "former"
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


# --- what is not of the suite ------------------------------------------------


def test_what_a_user_put_into_the_run_meanwhile_moves_into_the_new_one(unfinished, capsys):
    (unfinished.run / "logs" / "mine").mkdir(parents=True)
    with unfinished.locked():
        with unfinished.publishing() as new:
            (unfinished.run / "notes.txt").write_text("precious")
            (unfinished.run / "logs" / "mine" / "events.txt").write_text("precious, too")
            write_run(new.path, "new")
        unfinished.discard()
    assert files(unfinished.run.parent) == ["run"]
    assert files(unfinished.run) == ["config.json", "logs", "model.keras", "notes.txt"]
    assert (unfinished.run / "model.keras").read_text() == "new"
    assert (unfinished.run / "notes.txt").read_text() == "precious"
    assert (unfinished.run / "logs" / "mine" / "events.txt").read_text() == "precious, too"
    assert capsys.readouterr().err == f"kept in {unfinished.run}: logs/mine, notes.txt\n"


def test_what_has_the_name_of_a_file_of_the_new_run_is_kept_under_another(unfinished):
    (unfinished.run / "history.csv").mkdir()
    (unfinished.run / "history.csv" / "mine").write_text("precious")
    (unfinished.path / "history.csv").write_text("epoch\n")
    with unfinished.publishing():
        pass
    assert (unfinished.run / "history.csv").read_text() == "epoch\n"
    assert (unfinished.run / "history.csv.kept" / "mine").read_text() == "precious"


def test_what_took_the_place_of_the_run_meanwhile_is_not_replaced(unfinished):
    with (
        pytest.raises(UserError, match=r"run holds other files than a run: thesis.tex"),
        unfinished.locked(),
        unfinished.publishing(),
    ):
        shutil.rmtree(unfinished.run)
        unfinished.run.mkdir()
        (unfinished.run / "thesis.tex").write_text("precious")
    assert (unfinished.run / "thesis.tex").read_text() == "precious"
    assert unfinished.resumable


def test_a_new_run_has_the_permissions_of_the_former_one(unfinished):
    unfinished.run.chmod(0o700)
    with unfinished.publishing():
        pass
    assert stat.S_IMODE(unfinished.run.stat().st_mode) == 0o700


def test_a_link_in_the_place_of_its_folder_is_refused(run, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    (home / "thesis.tex").write_text("precious")
    (tmp_path / ".run.training").symlink_to("home")
    with (
        pytest.raises(UserError, match=r"run.training is a link. Remove it, or choose another"),
        UnfinishedTraining(run).locked(),
    ):
        pass
    assert files(home) == ["thesis.tex"]


def test_a_folder_of_the_users_own_with_its_name_is_left_as_it_is(run, tmp_path):
    own = tmp_path / ".run.training"
    for name in ("config.json", "history.csv", "run/config.json", "plan.txt"):
        (own / name).parent.mkdir(parents=True, exist_ok=True)
        (own / name).write_text("precious")
    before = sorted(own.rglob("*"))
    with pytest.raises(UserError, match=r"plan.txt"), UnfinishedTraining(run).locked():
        pass
    assert sorted(own.rglob("*")) == before


def test_a_link_in_its_folder_is_refused_and_not_followed(unfinished, tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "ckpt-1.index").write_text("precious")
    (unfinished.path / "logs").symlink_to(tmp_path / "home")
    with pytest.raises(UserError, match="other files than a training: logs"), unfinished.locked():
        pass
    unfinished.discard()
    assert files(tmp_path / "home") == ["ckpt-1.index"]
    assert files(unfinished.path) == ["logs"]


def test_a_link_in_the_place_of_the_lock_is_not_followed(unfinished, tmp_path):
    (unfinished.path / "lock").symlink_to(tmp_path / "somewhere")
    with pytest.raises(UserError, match="than a training: lock"), unfinished.locked():
        pass
    assert not (tmp_path / "somewhere").exists()


@pytest.mark.parametrize("name", ["thesis.tex", "checkpoints/thesis.tex", "seeds/3/thesis.tex"])
def test_a_users_file_in_its_folder_is_refused_and_stays(unfinished, name):
    path = unfinished.path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("precious")
    before = sorted(unfinished.path.rglob("*"))
    with (
        pytest.raises(UserError, match=f"holds other files than a training: {name}. Move them"),
        unfinished.locked(),
    ):
        unfinished.begin(restart=True)
    assert sorted(unfinished.path.rglob("*")) == before
    # It may have come there during a training.
    unfinished.discard()
    assert (
        unfinished.path / "discarded" / "3" / "thesis.tex" if "seeds" in name else path
    ).exists()


def test_all_that_a_training_writes_is_its_own(unfinished):
    names = ["history.csv", "gradient_norms.csv", "logs/train/events.out.tfevents.1.host.2.v2"]
    names += ["checkpoints/ckpt-3.index", "checkpoints/ckpt-3.data-00000-of-00001"]
    names += ["checkpoints/ckpt-4_temp/part-00000-of-00001.index", "checkpoints/checkpoint.tmp3f"]
    names += [f"refit/{name}" for name in names]
    names += ["seeds/.4.training/lock", "discarded/3/config.json", ".history.csv.partial-12"]
    for name in names:
        path = unfinished.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    with unfinished.locked():
        unfinished.begin(restart=True)
        assert files(unfinished.path) == ["lock"]
    assert files(unfinished.run.parent) == ["run"]


# --- killed while it publishes -------------------------------------------------


@pytest.fixture(params=["exchanged", "renamed"])
def system(request, monkeypatch):
    """A system that can exchange two names at once, and one that cannot."""
    if request.param == "renamed":
        monkeypatch.setattr(replacement, "_renameat2", lambda: None)
    return request.param


def publish(unfinished):
    with unfinished.locked():
        with unfinished.publishing() as new:
            write_run(new.path, "new")
            (new.path / "logs").mkdir()
            with whole_file(new.path / "metrics.json") as partial:
                partial.write_text("{}")
        unfinished.discard()


def publish_alone(unfinished, system):
    """Publishes in a process that does nothing else."""
    _set_up_alone(system)
    publish(unfinished)


def _set_up_alone(system="exchanged"):
    os.fsync = lambda descriptor: None  # no power cut, and slow
    if system == "renamed":
        replacement._renameat2 = lambda: None


@pytest.mark.parametrize(
    ("former", "error"), [("former", None), ("former", KeyboardInterrupt), (None, None)]
)
def test_broken_off_at_any_moment_there_is_a_whole_run_and_nothing_is_lost(
    unfinished, break_off, system, former, error
):
    seen = set()
    for number in itertools.count():
        shutil.rmtree(unfinished.run, ignore_errors=True)
        if former:
            write_run(unfinished.run)
            (unfinished.run / "notes.txt").write_text("precious")
        (unfinished.path / "checkpoints").mkdir(parents=True, exist_ok=True)
        (unfinished.path / "checkpoints" / "checkpoint").touch()
        (unfinished.path / "history.csv").write_text("epoch\n")
        broken = break_off(number, publish_alone, unfinished, system, error=error)
        there = unfinished.run.exists()
        assert there or system == "renamed" or not former
        # Whoever reads the run finds one.
        if former or there:
            read_run(RunFolder(unfinished.run))
            model = (unfinished.run / "model.keras").read_text()
            assert model in ("former", "new")
            assert (unfinished.run / "metrics.json").exists() == (model == "new")
            seen.add((there, model))
        # The next training has something to go on from, or the run is the new one.
        assert unfinished.resumable or model == "new"
        with unfinished.locked():
            unfinished.begin(restart=True)
        assert files(unfinished.run.parent) in ([["run"]] if former or there else [[], ["run"]])
        if former:
            assert (unfinished.run / "notes.txt").read_text() == "precious"
        if not broken:
            break
    assert number > 15
    if former:
        killed_between = {(False, "former")} if system == "renamed" and error is None else set()
        assert seen == {(True, "former"), (True, "new")} | killed_between


def test_a_run_on_its_way_out_is_found_by_whoever_reads_it(unfinished):
    unfinished.run.rename(unfinished.path / "former")
    assert read_run(RunFolder(unfinished.run)).description.application == "hate_speech"
    assert (unfinished.run / "model.keras").read_text() == "former"


def test_a_run_that_is_being_replaced_is_not_put_back(unfinished):
    with unfinished.locked():
        unfinished.run.rename(unfinished.path / "former")
        with pytest.raises(UserError, match="no trained model"):
            read_run(RunFolder(unfinished.run))
        assert (unfinished.path / "former").exists()


def test_a_run_that_cannot_be_replaced_stays(unfinished, monkeypatch):
    rename = os.rename

    def fail(source, target):
        if os.fspath(source).endswith("/run") and ".run.training" in os.fspath(source):
            raise PermissionError(13, "Permission denied")
        rename(source, target)

    monkeypatch.setattr(replacement, "_renameat2", lambda: None)
    monkeypatch.setattr(os, "rename", fail)
    with pytest.raises(UserError, match="cannot write"), unfinished.publishing() as new:
        write_run(new.path, "new")
    assert (unfinished.run / "model.keras").read_text() == "former"
    assert files(unfinished.path) == ["checkpoints", "config.json"]


# --- several seeds -----------------------------------------------------------


@pytest.fixture
def several(run):
    """A training with several seeds, of which one is whole."""
    found = UnfinishedTraining(run)
    (found.path / "seeds" / "3").mkdir(parents=True)
    return found


def test_the_way_on_is_quoted_for_the_shell(tmp_path):
    several = UnfinishedTraining(tmp_path / "my run; ls")
    (several.path / "seeds" / "3").mkdir(parents=True)
    assert several.way_on("spam").endswith(f"train --resume --run '{tmp_path}/my run; ls'")


def test_a_whole_member_is_something_to_go_on_from(several):
    assert several.resumable
    assert several.way_on("hate_speech").endswith(f"train --resume --run {several.name}")
    with pytest.raises(UserError, match="Resume it with --resume"), several.locked():
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
    monkeypatch.setattr("apps.runs.unfinished.remove_known", lambda *_, **__: None)
    several.discard()
    assert not several.resumable
    monkeypatch.undo()
    (several.path / "seeds" / "4").mkdir(parents=True)
    several.discard()
    assert files(several.run.parent) == ["run"]


def train_two_members(several):
    """What `apps.commands.seeds` does with the folders."""
    with several.locked():
        for seed in (3, 4):
            member = several.member(seed)
            if member.run.exists():
                member.discard()
                continue
            with member.locked():
                member.begin(restart=True)
                with member.publishing() as new:
                    write_run(new.path, f"seed {seed}")
                member.discard()
        with several.publishing() as new:
            hidden = shutil.ignore_patterns(".*")
            shutil.copytree(several.path / "seeds", new.path / "seeds", ignore=hidden)
            write_run(new.path, "new")
        several.discard()


def train_two_members_alone(several):
    """Trains them in a process that does nothing else."""
    _set_up_alone()
    train_two_members(several)


def test_several_seeds_that_are_broken_off_at_any_moment_are_completed_by_the_next_training(
    run, break_off, monkeypatch
):
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)  # no power cut, and slow
    several = UnfinishedTraining(run)
    for number in itertools.count():
        shutil.rmtree(run)
        write_run(run)
        (run / "notes.txt").write_text("precious")
        broken = break_off(number, train_two_members_alone, several)
        read_run(RunFolder(run))
        train_two_members(several)
        assert files(run.parent) == ["run"]
        assert files(run) == ["config.json", "model.keras", "notes.txt", "seeds"]
        assert files(run / "seeds") == ["3", "4"]
        assert (run / "seeds" / "4" / "model.keras").read_text() == "seed 4"
        if not broken:
            break
    assert number > 40

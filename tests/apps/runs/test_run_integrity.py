"""A run answers as it was trained, or names the file that is damaged."""

import json
import os
import shutil
import threading

import numpy as np
import pytest

from apps.hate_speech import APPLICATION
from apps.runs.checksums import fingerprint
from apps.runs.description import RunDescription
from apps.runs.files import read_run
from apps.runs.folder import RunFolder
from data.errors import UserError
from data.files.replacement import take_place

TEXTS = ["you clown", "nice cake"]


def files(run):
    return sorted(path.name for path in run.iterdir())


def change(run, **values):
    """Changes what `config.json` says, as somebody does who knows how a fingerprint is made."""
    path = run / "config.json"
    description = {**json.loads(path.read_text()), **values}
    path.write_text(json.dumps({**description, "fingerprint": fingerprint(description)}))


@pytest.fixture
def small_run(tmp_path):
    """Makes runs of a few bytes, whose files all hold one word."""

    def make(name, word):
        folder = tmp_path / name
        (folder / "seeds" / "7").mkdir(parents=True)
        for file in ("model.keras", "vocabulary.txt", "characters.txt", "tokenizer.json"):
            (folder / file).write_text(word)
        (folder / "history.csv").write_text("epoch\n0\n")
        (folder / "seeds" / "7" / "config.json").write_text(word)
        description = {"format": 1, "application": "spam", "config": {}, "checksum": word}
        RunFolder(folder).write_description(RunDescription.from_json(description))
        return RunFolder(folder)

    return make


# --- a tiny trained run ------------------------------------------------------


def test_a_run_names_every_file_that_answers_depend_on(trained_once):
    run, _ = trained_once
    names = {"model.keras", "vocabulary.txt", "characters.txt"}
    assert RunFolder(run).describe().files.keys() == names
    assert read_run(RunFolder(run)).contents.keys() == names | {"config.json"}


@pytest.mark.parametrize("name", ["model.keras", "vocabulary.txt", "characters.txt"])
def test_a_flipped_bit_names_its_file(tiny_run, name):
    content, random = (tiny_run / name).read_bytes(), np.random.default_rng(1)
    for position in random.integers(len(content), size=50):
        flipped = bytearray(content)
        flipped[position] ^= 1 << random.integers(8)
        (tiny_run / name).write_bytes(flipped)
        with pytest.raises(UserError, match=rf"{name} is damaged: its checksum is not the one in"):
            read_run(RunFolder(tiny_run))


def test_every_flipped_bit_of_the_description_is_found(tiny_run):
    """But those that change nothing, in the white space between its values."""
    path, description = tiny_run / "config.json", RunFolder(tiny_run).describe()
    content, random, found = path.read_bytes(), np.random.default_rng(2), 0
    for position in random.integers(len(content), size=300):
        flipped = bytearray(content)
        flipped[position] ^= 1 << random.integers(8)
        path.write_bytes(flipped)
        try:
            assert read_run(RunFolder(tiny_run)).description == description
        except UserError as mistake:
            assert "config.json" in str(mistake)
            found += 1
    assert found > 200


def test_the_command_says_what_is_damaged(tiny_run, command):
    path = tiny_run / "vocabulary.txt"
    start, first, second, *rest = path.read_text().splitlines(keepends=True)
    path.write_text("".join([start, second, first, *rest]))
    answer = command("predict", "--run", tiny_run, "you clown")
    assert (answer.status, answer.out) == (2, "")
    assert answer.err == (
        f"error: {path} is damaged: its checksum is not the one in config.json. Copy the run "
        "again, or train again\n"
    )
    assert command("export", "--run", tiny_run, "--output", tiny_run.parent / "x").status == 2
    assert not (tiny_run.parent / "x").exists()


def test_an_older_run_without_checksums_still_answers(tiny_run, trained_once, without_checksums):
    older = APPLICATION.trained(without_checksums(tiny_run))
    assert (older.scores(TEXTS) == APPLICATION.trained(trained_once[0]).scores(TEXTS)).all()


def test_a_mistake_in_a_file_names_the_run_and_not_a_copy(tiny_run, without_checksums):
    (without_checksums(tiny_run) / "characters.txt").write_text("ab\n")
    message = f"^cannot read {tiny_run}/characters.txt: its lines are no"
    with pytest.raises(UserError, match=message):
        APPLICATION.trained(tiny_run)


def test_figures_are_written_into_the_run_that_was_measured_alone(tiny_run, command, monkeypatch):
    """A training ends while the figures are computed."""
    before, measured = (tiny_run / "metrics.json").read_bytes(), APPLICATION.load_task().report

    def replace(self, *arguments):
        shutil.move(tiny_run, tiny_run.with_name("former"))
        shutil.copytree(tiny_run.with_name("former"), tiny_run)
        change(tiny_run, training_seconds=123.4)
        return measured(self, *arguments)

    monkeypatch.setattr("apps.tasks.classification.task.TextClassification.report", replace)
    answer = command("evaluate", "--run", tiny_run, "--split", "test")
    assert answer.status == 2 and "accuracy" in answer.out
    assert answer.err.startswith(f"error: another training has replaced {tiny_run} meanwhile")
    assert (tiny_run / "metrics.json").read_bytes() == before
    assert files(tiny_run) == files(tiny_run.with_name("former"))


# --- small runs --------------------------------------------------------------


def test_a_description_is_guarded_however_it_is_laid_out(small_run):
    run = small_run("run", "one")
    description = run.describe()
    (run.path / "config.json").write_text(json.dumps(dict(reversed(description.to_json().items()))))
    assert run.describe() == description


@pytest.mark.parametrize(
    "changes",
    [
        {"checksum": "two"},
        {"more": 1},
        {"config": {"threshold": 0.5}},
        {"fingerprint": None},
        {"files": {}},
    ],
)
def test_a_description_that_was_changed_is_refused(small_run, changes):
    run = small_run("run", "one")
    description = {**json.loads((run.path / "config.json").read_text()), **changes}
    (run.path / "config.json").write_text(json.dumps(description))
    with pytest.raises(UserError, match=r"config.json is damaged: its content has another check"):
        run.describe()


@pytest.mark.parametrize("name", ["files", "fingerprint"])
def test_a_description_that_lost_its_checksums_is_no_older_one(small_run, name):
    run = small_run("run", "one")
    description = json.loads((run.path / "config.json").read_text())
    del description[name]
    (run.path / "config.json").write_text(json.dumps(description))
    with pytest.raises(UserError, match=r"config.json is damaged"):
        run.describe()


@pytest.mark.parametrize(
    "name", ["../model.keras", "/etc/passwd", "notes.txt", "seeds/x/config.json"]
)
def test_checksums_of_other_files_are_refused(small_run, name):
    run = small_run("run", "one")
    change(run.path, files={"model.keras": "", name: ""})
    with pytest.raises(UserError, match=rf"'{name}' is no file of a run"):
        run.describe()


@pytest.mark.parametrize("checksums", [[], {}, {"vocabulary.txt": ""}, None])
def test_a_model_without_a_checksum_is_refused(small_run, checksums):
    run = small_run("run", "one")
    change(run.path, files=checksums)
    with pytest.raises(UserError, match=r"it names no checksum of model.keras"):
        run.describe()


def test_what_answers_do_not_depend_on_has_no_checksum(small_run):
    """Neither a history, nor what a training with one of the seeds has left."""
    run = small_run("run", "one")
    (run.path / "seeds" / ".8.training").mkdir()
    for name in ("notes.txt", "metrics.json", "seeds/.8.training/config.json"):
        (run.path / name).write_text("one")
    run.write_description(run.describe())
    names = {"model.keras", "vocabulary.txt", "characters.txt", "tokenizer.json"}
    assert run.describe().files.keys() == names | {"seeds/7/config.json"}


def test_a_missing_file_is_named(small_run):
    run = small_run("run", "one")
    (run.path / "tokenizer.json").unlink()
    with pytest.raises(UserError, match=r"tokenizer.json is missing. Copy the whole run again"):
        read_run(run)


@pytest.mark.parametrize("name", ["config.json", "model.keras"])
def test_without_model_or_description_there_is_no_run(small_run, name):
    run = small_run("run", "one")
    (run.path / name).unlink()
    for read in (run.describe, lambda: read_run(run)):
        with pytest.raises(UserError, match=r"no trained model in .*Train one first, or check"):
            read()


def test_a_pipe_in_a_run_is_not_waited_for(small_run):
    run = small_run("run", "one")
    (run.path / "tokenizer.json").unlink()
    os.mkfifo(run.path / "tokenizer.json")
    with pytest.raises(UserError, match=r"cannot read .*tokenizer.json: it is no file"):
        read_run(run)


def test_the_members_of_a_run_belong_to_it(small_run):
    run = small_run("run", "one")
    member = run.path / "seeds" / "7" / "config.json"
    assert read_run(run).contents["seeds/7/config.json"] == b"one"
    member.write_text("two")
    with pytest.raises(UserError, match=r"seeds/7/config.json is damaged"):
        read_run(run)
    member.unlink()
    assert "seeds/7/config.json" not in read_run(run).contents


def test_a_member_of_another_training_is_not_measured(small_run):
    run, other = small_run("run", "one"), small_run("other", "two")
    read = read_run(run)
    shutil.rmtree(run.path / "seeds" / "7")
    with pytest.raises(UserError, match=r"another training has replaced"):
        read.member(7)
    shutil.copytree(other.path, run.path / "seeds" / "7")
    with pytest.raises(UserError, match=r"another training has replaced"):
        read.member(7)


def test_figures_of_a_run_that_is_gone_are_not_written(small_run):
    run = small_run("run", "one")
    read = read_run(run)
    with read.unreplaced():
        pass
    shutil.move(run.path, run.path.with_name("former"))
    with pytest.raises(UserError, match=r"no trained model"), read.unreplaced():
        pass
    small_run("run", "two")
    with pytest.raises(UserError, match=r"another training has replaced"), read.unreplaced():
        pass


def test_what_is_read_while_a_run_is_replaced_is_of_one_training(small_run, tmp_path):
    """Two runs take each other's place, over and over."""
    run, other, former = small_run("run", "one"), tmp_path / "other", tmp_path / "former"
    small_run("other", "two")
    over = threading.Event()

    def replace():
        while not over.is_set():
            take_place(other, run.path, former)

    replacing, words = threading.Thread(target=replace), set()
    replacing.start()
    try:
        for _ in range(300):
            try:
                found = read_run(run)
            except UserError as mistake:
                # Where names cannot be exchanged there is nothing for a moment.
                assert "no trained model" in str(mistake)
                continue
            names = ["model.keras", "vocabulary.txt", "characters.txt", "tokenizer.json"]
            read = {found.contents[name] for name in names}
            assert read == {found.description.provenance.checksum.encode()}
            words |= read
    finally:
        over.set()
        replacing.join()
    assert words == {b"one", b"two"}


def test_a_run_that_is_removed_while_it_is_read_is_read_anew(small_run, monkeypatch):
    """The former run goes as soon as the new one is there."""
    run, listed, times = small_run("run", "one"), os.listdir, []

    def replace(folder):
        names = listed(folder)
        if isinstance(folder, int):
            times.append(folder)
            if len(times) == 1:
                shutil.rmtree(run.path)
                small_run("run", "two")
        return names

    monkeypatch.setattr("apps.runs.files.os.listdir", replace)
    assert read_run(run).contents["vocabulary.txt"] == b"two"
    assert len(times) == 2


def test_a_copy_is_gone_when_it_is_not_needed(small_run):
    with read_run(small_run("run", "one")).copied() as folder:
        assert files(folder) == [
            "characters.txt",
            "config.json",
            "model.keras",
            "tokenizer.json",
            "vocabulary.txt",
        ]
    assert not folder.exists()

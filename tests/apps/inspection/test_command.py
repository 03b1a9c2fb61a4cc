"""`inspect` on samples and on files of users, without TensorFlow."""

import json

import pytest

from apps.catalog import NAMES, find_application

INSPECT = """
import sys
from apps.catalog import NAMES, find_application
from apps.commands.main import main
for name in NAMES:
    main(find_application(name), ["inspect", "--html", f"{sys.argv[1]}/{name}.html"])
loaded = [name for name in sys.modules if name.split(".")[0] in ("tensorflow", "keras")]
assert not loaded, loaded
"""


def inspect(command_of, name, *arguments):
    return command_of(find_application(name), "inspect", *arguments)


def facts(command_of, name, *arguments):
    answer = inspect(command_of, name, "--json", *arguments)
    assert (answer.status, answer.err) == (0, "")
    return json.loads(answer.out)


def test_samples_are_inspected_without_tensorflow(python_process, on_small_samples, tmp_path):
    process = python_process(on_small_samples + INSPECT, tmp_path)
    assert (process.returncode, process.stderr) == (0, "")
    assert sorted(path.stem for path in tmp_path.iterdir()) == sorted(NAMES)
    assert process.stdout.count("How to train on it") == len(NAMES)


@pytest.fixture
def posts(tmp_path):
    """A table of 60 rows whose columns have other names, with an alike label and a copy."""
    rows = [f"see http://x.y/{i} word{i} now,{'good' if i % 2 else 'bad'}" for i in range(60)]
    path = tmp_path / "posts.csv"
    path.write_text("Tweet,Class\n" + "\n".join(rows) + "\n")
    return path


def test_columns_are_guessed_and_become_options(command_of, posts):
    found = facts(command_of, "spam", posts)
    assert found["classes"]["classes"] == {"bad": 30, "good": 30}
    assert found["file"]["delimiter"] == "commas"
    assert found["command"]["command"] == (
        f"python -m apps.spam train --dataset {posts} --text-column Tweet --label-column Class "
        "--batch-size 16 --linear --run runs/posts"
    )


def test_the_suggested_command_is_one_that_train_takes(command_of, posts):
    from apps.commands.main import _parse

    command = facts(command_of, "spam", posts)["command"]["command"].split()
    options = _parse(find_application("spam"), command[3:])
    assert (options["verb"], options["text_column"]) == ("train", "Tweet")


def test_given_options_stay_in_the_command(command_of, posts):
    options = ["--dataset", posts, "--truncate", "tail", "--label-column", "Class"]
    command = facts(command_of, "spam", *options)["command"]["command"]
    assert f"--dataset {posts} --label-column Class --truncate tail --text-column Tweet" in command


def test_a_longer_text_takes_the_place_of_the_given_length(command_of, posts):
    found = facts(command_of, "spam", posts, "--max-length", "3")
    # "see", the link, a word and "now".
    assert found["lengths"]["train"]["longer"] == 1.0
    assert "--max-length 10 " in found["command"]["command"]
    assert "--max-length 3" not in found["command"]["command"]


def test_what_train_refuses_is_said_and_the_rest_is_shown(command_of, posts):
    posts.write_text(posts.read_text() + ",Bad\n")
    found = facts(command_of, "spam", posts)
    problem = found["command"]["problem"]
    assert problem.endswith("1 row(s) with an empty text: row 61. Fix or drop them")
    assert found["labels"]["alike"] == [["bad", "Bad"]]
    assert "lengths" not in found


def test_two_data_sets_are_one_too_many(command_of, posts):
    answer = inspect(command_of, "spam", posts, "--dataset", "sample")
    assert answer.status == 2 and answer.err == (
        f"error: two data sets: {str(posts)!r} and --dataset 'sample'. Leave one out\n"
    )


def test_a_file_that_is_not_there_is_refused(command_of):
    answer = inspect(command_of, "spam", "missing.csv")
    assert answer.status == 2 and answer.err.startswith("error: no data set 'missing.csv'")


def test_the_tags_of_a_file_of_columns_have_a_scheme(command_of, tmp_path):
    lines = [f"Ana{i} B-PER\nBo{i} E-PER\ngoes O\n{i} O\n" for i in range(30)]
    path = tmp_path / "tags.conll"
    path.write_text("\n".join(lines))
    found = facts(command_of, "ner", path)
    assert found["entities"]["scheme"] == "BIOES"
    assert found["entities"]["types"] == {"PER": 30}


def test_pairs_that_are_copies_or_uneven_are_counted(command_of, tmp_path):
    path = tmp_path / "pairs.tsv"
    pairs = [f"a text {i}\tun texte {i}" for i in range(38)]
    path.write_text("\n".join([*pairs, "the same\tthe same", "one\tun deux trois quatre cinq"]))
    found = facts(command_of, "translation", path)
    assert sum(split["copies"] for split in found["pairs"].values()) == 1
    assert sum(split["uneven"] for split in found["pairs"].values()) == 1


def test_lines_that_come_again_are_counted(command_of, tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("a line of more than twenty\n" * 4 + "another line, and the last of all\n")
    found = facts(command_of, "text_generation", path)
    # The validation split begins within a line.
    assert found["lines"]["copies"] == 3
    assert found["characters"]["train"]["texts"] == 1


def test_text_that_holds_html_stays_text_on_the_page(command_of, posts, tmp_path):
    posts.write_text(posts.read_text().replace("word7 ", "<script>x</script> "))
    assert inspect(command_of, "spam", posts, "--html", tmp_path / "page.html").status == 0
    content = (tmp_path / "page.html").read_text()
    assert "<script" not in content and "&lt;script&gt;" in content

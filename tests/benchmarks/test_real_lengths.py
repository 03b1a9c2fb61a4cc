import csv
import gzip
import importlib.util
import io
import json
import tarfile

import numpy as np
import pytest

HAS_TORCH = importlib.util.find_spec("torch") is not None


@pytest.fixture
def data_dir(tmp_path):
    """Toy corpora in the formats of the real ones."""
    folders = {name: tmp_path / name for name in ("multi30k", "davidson", "imdb")}
    for folder in folders.values():
        folder.mkdir()
    with gzip.open(folders["multi30k"] / "train.en.gz", "wt") as file:
        file.write("A man\n\nTwo men are at work\n")
    with (folders["davidson"] / "labeled_data.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["", "class", "tweet"], ["0", "2", "one\ntwo three"]])
    with tarfile.open(folders["imdb"] / "aclImdb_v1.labelled.tar.xz", "w:xz") as archive:
        for name in ("train/pos/0_9.txt", "train/neg/0_1.txt", "train/x.txt", "test/pos/0_9.txt"):
            member = tarfile.TarInfo(f"aclImdb/{name}")
            member.size = 1000
            archive.addfile(member, io.BytesIO(b"a " * 500))
    return tmp_path


def test_every_text_has_at_least_one_step_and_no_word_is_padding(data_dir):
    from harness.texts import token_ids

    ids, lengths = token_ids("multi30k", data_dir, 0)
    assert lengths.tolist() == [2, 1, 5]
    assert len(ids) == 8
    assert ids.min() > 0


def test_line_breaks_inside_a_tweet_do_not_end_it(data_dir):
    from harness.texts import token_ids

    assert token_ids("davidson", data_dir, 0)[1].tolist() == [3]


def test_reviews_are_those_of_the_training_split_cut_to_400_words(data_dir):
    from harness.texts import token_ids

    assert token_ids("imdb", data_dir, 0)[1].tolist() == [400, 400]


def test_a_sample_is_the_same_each_time(data_dir):
    from harness.texts import token_ids

    (ids, lengths), (others, _) = (token_ids("multi30k", data_dir, 2) for _ in range(2))
    assert len(lengths) == 2
    np.testing.assert_array_equal(ids, others)


def test_an_absent_corpus_is_one_line(benchmark, tmp_path):
    output = tmp_path / "epochs.json"
    process = benchmark("real_lengths.py", "--data-dir", tmp_path, "--output", output)
    assert process.returncode == 2
    (line,) = process.stderr.splitlines()
    assert line.startswith("error: no ") and line.endswith("with --data-dir")


def test_the_ratio_is_to_the_better_way_of_pytorch():
    from real_lengths import ratio

    seconds = {"suite": 2.0, "padded": 5.0, "packed": 4.0}
    epochs = {way: {"values": [value], "others": [0.0]} for way, value in seconds.items()}
    assert ratio({"epochs": epochs}) == 2
    assert ratio({"epochs": {"suite": epochs["suite"]}}) is None


def test_an_epoch_is_measured_in_each_way(benchmark, data_dir):
    output = data_dir / "epochs.json"
    tiny = ["--corpora", "multi30k", "--cells", "gru", "--units", "2", "--rounds", "1"]
    process = benchmark("real_lengths.py", "--data-dir", data_dir, *tiny, "--output", output)
    assert process.returncode == 0, process.stderr
    (record,) = json.loads(output.read_text())["records"]
    assert (record["rows"], record["tokens"], record["failed"]) == (3, 8, {})
    ways = {"suite", "padded", "packed"} if HAS_TORCH else {"suite"}
    assert record["epochs"].keys() == record["padding_share"].keys() == ways
    # One batch of three texts, 2, 1 and 5 words long.
    assert record["padding_share"]["suite"] == pytest.approx(1 - 8 / 15)
    assert ("not installed" in process.stdout) == (not HAS_TORCH)

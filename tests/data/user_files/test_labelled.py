import csv
import hashlib
import io
import json
import tracemalloc

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from data.errors import UserError
from data.user_files.columns import LabelledColumns
from data.user_files.labelled import read_labelled_file

# Forty rows: even ones are "a", odd ones "b".
ROWS = [{"text": f"word{i}", "label": "ab"[i % 2]} for i in range(40)]
SPLITS = ["train"] * 32 + ["validation"] * 4 + ["test"] * 4


def delimited(rows, delimiter):
    file = io.StringIO()
    writer = csv.DictWriter(file, list(rows[0]), delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue().encode("utf-8")


def parquet(rows):
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), buffer)
    return buffer.getvalue()


FORMATS = {
    "rows.csv": lambda rows: delimited(rows, ","),
    "rows.tsv": lambda rows: delimited(rows, "\t"),
    "rows.jsonl": lambda rows: "".join(json.dumps(row) + "\n" for row in rows).encode("utf-8"),
    "rows.parquet": parquet,
}


@pytest.fixture
def table(tmp_path):
    """Writes rows (or bytes) in the format of the name and reads them as a corpus."""

    def read(rows, columns=LabelledColumns(), class_names=(), name="rows.csv"):  # noqa: B008
        path = tmp_path / name
        path.write_bytes(rows if isinstance(rows, bytes) else FORMATS[name](rows))
        return read_labelled_file(str(path), columns, class_names)

    return read


def labels_by_text(corpus):
    return {row.text: row.labels for part in corpus.splits.values() for row in part}


def sizes(corpus):
    return {name: len(part) for name, part in corpus.splits.items()}


def with_splits(splits):
    """`ROWS` with a column of splits."""
    return [{**row, "split": split} for row, split in zip(ROWS, splits, strict=True)]


def changed(row, **values):
    """`ROWS` with other values in one row, counted from 1."""
    return [{**old, **values} if i == row else old for i, old in enumerate(ROWS, 1)]


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_same_corpus(table, name, tmp_path):
    corpus = table(ROWS, name=name)
    assert corpus.name == name
    assert corpus.class_names == ("a", "b")
    assert not corpus.multi_label
    assert sizes(corpus) == {"train": 32, "validation": 4, "test": 4}
    assert labels_by_text(corpus) == {row["text"]: (row["label"],) for row in ROWS}
    assert corpus.checksum == hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()


def test_splits_by_content_are_stratified(table):
    corpus = table(ROWS)
    for part in corpus.splits.values():
        np.testing.assert_array_equal(part.targets.mean(axis=0), [0.5, 0.5])


def test_quotation_marks_in_a_tsv_stand_for_themselves(table):
    lines = b"".join(b'"open%d "it\t%s\n' % (i, b"ab"[i % 2 : i % 2 + 1]) for i in range(40))
    corpus = table(b"text\tlabel\n" + lines, name="rows.tsv")
    assert sum(sizes(corpus).values()) == 40
    assert labels_by_text(corpus)['"open1 "it'] == ("b",)


def test_other_columns_are_chosen_by_name(table):
    rows = [{"tweet": row["text"], "class": row["label"], "text": ""} for row in ROWS]
    assert labels_by_text(table(rows, LabelledColumns("tweet", "class")))["word1"] == ("b",)


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.parquet"])
def test_lists_of_labels_are_multi_label(table, name):
    rows = [{"text": f"word{i}", "label": [[], ["x"], ["x", "y"]][i % 3]} for i in range(60)]
    corpus = table(rows, name=name)
    assert corpus.multi_label
    assert corpus.class_names == ("x", "y")
    labels = labels_by_text(corpus)
    assert (labels["word0"], labels["word1"], labels["word2"]) == ((), ("x",), ("x", "y"))


def test_a_separator_splits_label_cells(table):
    rows = [{"text": f"word{i}", "label": ["", "x", "y | x"][i % 3]} for i in range(60)]
    corpus = table(rows, LabelledColumns(label_separator="|"))
    assert corpus.multi_label
    labels = labels_by_text(corpus)
    assert (labels["word0"], labels["word1"], labels["word2"]) == ((), ("x",), ("x", "y"))


@pytest.mark.parametrize(
    ("name", "one", "zero"),
    [
        ("rows.csv", "1", "0"),
        ("rows.csv", " 1", "0 "),
        ("rows.csv", "True", "False"),
        ("rows.jsonl", True, False),
        ("rows.jsonl", 1.0, 0),
        ("rows.parquet", 1, 0),
        pytest.param("rows.csv", "1.0", "0.0"),
        pytest.param("rows.csv", "TRUE", "FALSE"),
        pytest.param("rows.jsonl", "true", "false"),
    ],
)
def test_several_columns_of_zeros_and_ones_are_one_class_each(table, name, one, zero):
    rows = [
        {"text": f"word{i}", "y": one if i % 3 else zero, "x": one if i % 3 == 2 else zero}
        for i in range(60)
    ]
    corpus = table(rows, LabelledColumns(label="y,x"), name=name)
    assert corpus.multi_label
    labels = labels_by_text(corpus)
    assert (labels["word0"], labels["word1"], labels["word2"]) == ((), ("y",), ("x", "y"))


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(
    ("values", "class_names"),
    [([2, 10, -1], ("-1", "2", "10")), ([0.0, 1.0], ("0", "1")), ([0.5, 0.25], ("0.25", "0.5"))],
)
def test_numeric_labels_are_ordered_by_value(table, name, values, class_names):
    rows = [{"text": f"word{i}", "label": values[i % len(values)]} for i in range(60)]
    assert table(rows, name=name).class_names == class_names


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(
    ("labels", "class_names"),
    [
        (["1", "1.0", "0", "0.0"], ("0", "1")),
        (["1.00", "1", "-2.0", "-2"], ("-2", "1")),
        (["-0.0", "0", "1.0 ", " 1"], ("0", "1")),
        (["1.5", "1.50", "1.5", "1.50"], ("1.5", "1.50")),
        (["v1.0", "v1", "v1.0", "v1"], ("v1", "v1.0")),
        (["1.", "1", "1.", "1"], ("1", "1.")),
    ],
)
def test_a_whole_number_is_one_class_however_it_is_written(table, name, labels, class_names):
    rows = [{"text": f"word{i}", "label": labels[i % 4]} for i in range(60)]
    assert table(rows, name=name).class_names == class_names


def test_a_trained_class_is_known_however_the_number_is_written(table):
    rows = [
        {**row, "label": "1.0" if row["label"] == "a" else "0", "split": "test"} for row in ROWS
    ]
    for class_names in (("0", "1"), ("0.0", "1.0")):
        corpus = table(rows, class_names=class_names)
        assert corpus.class_names == class_names
        assert corpus.split("test").targets[:2].tolist() == [[0, 1], [1, 0]]


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(
    "label", ["nan", "NaN", "NULL", "null", "None", "NA", "N/A", "<NA>", " nan ", ""]
)
def test_what_other_programs_write_for_a_missing_value_is_no_class(table, name, label):
    with pytest.raises(UserError, match=r"2 row\(s\) without a label: row 3, 5\."):
        table(
            [{**row, "label": label} if i in (2, 4) else row for i, row in enumerate(ROWS)],
            name=name,
        )


@pytest.mark.parametrize("label", ["none", "NONE", "na", "Nan", "nil"])
def test_other_words_for_nothing_are_classes(table, label):
    rows = [{**row, "label": label if row["label"] == "a" else "x"} for row in ROWS]
    assert label in table(rows).class_names


def test_missing_values_among_several_labels_are_none_of_them(table):
    rows = [
        {"text": f"word{i}", "label": ["x", "nan|x", "y|NULL", "nan"][i % 4]} for i in range(60)
    ]
    corpus = table(rows, LabelledColumns(label_separator="|"))
    assert corpus.class_names == ("x", "y")
    assert labels_by_text(corpus)["word3"] == ()


@pytest.mark.parametrize("label", [{"name": "a"}, [["a"]], [{"name": "a"}]])
def test_what_is_no_name_is_no_label(table, label):
    with pytest.raises(UserError, match=r"1 row\(s\) whose 'label' is not a label: row 4\."):
        table(changed(4, label=label), name="rows.jsonl")


def test_numbers_of_any_length_are_classes(table):
    numbers = ["9" * 4301, "1" + "0" * 4301, "-5"]
    rows = [{"text": f"word{i}", "label": numbers[i % 3]} for i in range(60)]
    assert table(rows).class_names == ("-5", *numbers[:2])


def ids(rows, copies):
    lines = "".join(f"word {i},user {i // copies}\n" for i in range(rows))
    return f"text,label\n{lines}".encode()


@pytest.mark.parametrize(
    ("copies", "message"),
    [
        (1, "too few rows for 60000 of 60000 classes, first 'user 0' with 1"),
        (3, "has 20,000 classes in 60,000 rows, too many to hold in memory"),
    ],
)
def test_ids_are_no_labels_and_are_refused_before_they_fill_the_memory(
    table, monkeypatch, copies, message
):
    monkeypatch.setattr("data.user_files.labelled.make_targets", None)
    with pytest.raises(UserError, match=message):
        table(ids(60_000, copies))


def test_columns_that_differ_from_row_to_row_take_no_memory(table):
    rows = "".join(
        json.dumps({"text": f"word{i}", "label": "ab"[i % 2], f"id {i}": i}) + "\n"
        for i in range(4000)
    )
    tracemalloc.start()
    try:
        assert sum(sizes(table(rows.encode(), name="rows.jsonl")).values()) == 4000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 50 * 2**20


def test_one_column_cannot_be_text_and_label(table):
    for columns in (LabelledColumns(text="label"), LabelledColumns(label="a,a")):
        with pytest.raises(UserError, match=r"one column cannot be two: .*Check --text-column"):
            table(ROWS, columns)


@pytest.mark.parametrize("labels", ["①②", "²³", ["--5", "3"]], ids=ascii)
def test_labels_that_only_look_like_numbers_are_names(table, labels):
    rows = [{"text": f"word{i}", "label": labels[i % 2]} for i in range(40)]
    assert table(rows).class_names == tuple(sorted(labels))


@pytest.mark.parametrize(
    ("train", "validation"),
    [("train", "validation"), ("Training", "dev"), (" TRAIN ", "val"), ("train", "Valid")],
)
def test_a_split_column_is_used_by_any_of_its_names(table, train, validation):
    names = {"train": train, "validation": validation, "test": "test"}
    rows = with_splits([names[split] for split in SPLITS])
    corpus = table(rows)
    for name, part in corpus.splits.items():
        expected = [row["text"] for row, split in zip(ROWS, SPLITS, strict=True) if split == name]
        assert part.texts == expected


def test_a_split_column_may_have_another_name(table):
    rows = [{**row, "fold": split} for row, split in zip(ROWS, SPLITS, strict=True)]
    assert table(rows, LabelledColumns(split="fold")).split("test").texts == [
        f"word{i}" for i in range(36, 40)
    ]


def test_missing_validation_is_carved_from_train(table):
    rows = with_splits(["train"] * 30 + ["test"] * 10)
    corpus = table(rows)
    assert sizes(corpus) == {"train": 28, "validation": 2, "test": 10}
    assert corpus.split("test").texts == [f"word{i}" for i in range(30, 40)]
    texts = [text for part in corpus.splits.values() for text in part.texts]
    assert sorted(texts) == sorted(row["text"] for row in ROWS)


@pytest.fixture
def files(tmp_path):
    """Writes each list of rows to a file of its own and reads them as one corpus."""

    def read(rows, **others):
        paths = {}
        for name, part in {"train": rows, **others}.items():
            paths[name] = str(tmp_path / f"{name}.csv")
            (tmp_path / f"{name}.csv").write_bytes(FORMATS["rows.csv"](part))
        train = paths.pop("train")
        return read_labelled_file(train, **paths)

    return read


def test_other_splits_may_stand_in_files_of_their_own(files):
    corpus = files(ROWS[:30], validation=ROWS[30:35], test=ROWS[35:])
    assert sizes(corpus) == {"train": 30, "validation": 5, "test": 5}
    assert list(corpus.splits) == ["train", "validation", "test"]
    assert corpus.split("test").texts == [f"word{i}" for i in range(35, 40)]
    assert labels_by_text(corpus) == {row["text"]: (row["label"],) for row in ROWS}
    other = files(ROWS[:30], validation=ROWS[30:35], test=ROWS[34:])
    assert other.checksum != corpus.checksum


def test_beside_a_test_file_validation_comes_from_train(files):
    corpus = files(ROWS[:30], test=ROWS[30:])
    assert sizes(corpus) == {"train": 28, "validation": 2, "test": 10}
    rows = with_splits(["train"] * 30 + ["test"] * 10)
    corpus = files(rows, validation=ROWS[30:])
    assert sizes(corpus) == {"train": 30, "validation": 10, "test": 10}


def test_rows_of_a_split_that_stands_in_another_file_are_left_out_with_a_word(files, capsys):
    rows = with_splits(["train"] * 30 + ["validation"] * 5 + ["test"] * 5)
    corpus = files(rows, test=ROWS[:4])
    assert sizes(corpus) == {"train": 30, "validation": 5, "test": 4}
    [line] = capsys.readouterr().err.splitlines()
    assert "train.csv: 5 row(s) of test left out, since" in line
    assert line.endswith("test.csv is the test split")
    files(rows)
    files(ROWS, test=ROWS[:4])
    assert capsys.readouterr().err == ""


def test_a_class_of_another_file_that_train_lacks_is_refused(files):
    test = [{"text": "new", "label": "c"}]
    with pytest.raises(UserError, match=r"test\.csv: 1 unknown label\(s\), first 'c' in row 1\."):
        files(ROWS, test=test)


@pytest.mark.parametrize(
    "splits",
    [
        ["test"] * 10 + ["train"] * 30,
        ["train", "test", "train", "train"] * 10,
        ["test"] * 5 + ["train"] * 30 + ["test"] * 5,
    ],
    ids=["first", "between", "around"],
)
def test_test_rows_stay_out_of_what_is_carved_wherever_they_stand(table, splits):
    corpus = table(with_splits(splits))
    of_test = [f"word{i}" for i, split in enumerate(splits) if split == "test"]
    assert corpus.split("test").texts == of_test
    learned = corpus.split("train").texts + corpus.split("validation").texts
    assert sorted(learned) == sorted({row["text"] for row in ROWS} - set(of_test))
    assert len(corpus.split("validation")) in (2, 3)


def test_a_file_of_one_split_to_evaluate_needs_no_training_rows(table):
    rows = [{**row, "split": "test"} for row in ROWS[:2]]
    corpus = table(rows, class_names=("c", "b", "a"))
    assert corpus.class_names == ("c", "b", "a")
    np.testing.assert_array_equal(corpus.split("test").targets, [[0, 0, 1], [0, 1, 0]])


MISTAKES = {
    "no text column": (
        [{"tweet": "x", "label": "a"}],
        "no column 'text' in .*rows.csv. It has: tweet, label. Choose with --text-column",
    ),
    "no columns": ([{"a": "x", "b": "y"}], "no column 'text', 'label' in .*It has: a, b"),
    "empty text": (changed(3, text=""), r"1 row\(s\) with an empty text: row 3. Fix or drop them"),
    "blank text": (changed(7, text=" \t "), r"1 row\(s\) with an empty text: row 7"),
    "missing label": (changed(40, label=""), r"1 row\(s\) without a label: row 40"),
    "blank label": (changed(2, label="  "), r"1 row\(s\) without a label: row 2"),
    "many empty texts": (
        [{"text": "", "label": "a"}] * 8,
        r"8 row\(s\) with an empty text: row 1, 2, 3, 4, 5 and 3 more",
    ),
    "unreadable rows": (
        b"text,label\nham,a\nspam\nx,y,z\n",
        r"2 unreadable row\(s\): row 2: 1 fields where the header has 2, row 3: 3 fields",
    ),
    "unknown split": (
        with_splits(["train"] * 5 + ["tset"] + ["train"] * 34),
        r"1 row\(s\) of an unknown split, first 'tset' in row 6. Choose from: train, .*dev, test",
    ),
    "empty split": (
        with_splits(["train", ""] + ["train"] * 38),
        "unknown split, first '' in row 2",
    ),
    "single class": (
        [{**row, "label": "a"} for row in ROWS],
        "rows.csv has a single class, 'a': a classifier needs two",
    ),
    "rare class": (
        changed(5, label="z"),
        r"too few rows for 1 of 3 classes, first 'z' with 1 \(row 5\). At least 3 are needed",
    ),
    "class in test only": (
        [{**row, "label": "c"} if row["split"] == "test" else row for row in with_splits(SPLITS)],
        "no training row of 'c', which stands in row 37, 38, 39, 40 of another split",
    ),
    "no training rows": (with_splits(["test"] * 40), "no training row of 'a', 'b'"),
    "empty file": (b"", "rows.csv has no rows. Expected a header and one row a text"),
    "header only": (b"text,label\n", "rows.csv has no rows. Expected a header and one row a text"),
    "UTF-16": (
        "text,label\nham,a\n".encode("utf-16"),
        "rows.csv is UTF-16, UTF-8 is needed. Save it again as UTF-8",
    ),
    "colons": (b"text:label\nham:a\n", "no column 'text', 'label' in .*It has: text:label"),
    "split that is not UTF-8": (
        b"text,label,split\nham,a,train\ntea,b,caf\xe9\n",
        r"1 row\(s\) that are not UTF-8 \(convert the file to UTF-8\): row 2",
    ),
}


@pytest.mark.parametrize(("rows", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_in_the_file_is_named_with_its_rows(table, rows, message):
    with pytest.raises(UserError, match=message) as mistake:
        table(rows)
    assert "\n" not in str(mistake.value)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("rows.csv", b"text,label\nham,a\ncaf\xe9,b\n"),
        ("rows.csv", b"text,label\nham,a\ntea,\xe9\n"),
        ("rows.jsonl", b'{"text":"ham","label":"a"}\n{"text":"caf\xe9","label":"a"}\n'),
    ],
)
def test_a_file_that_is_not_utf8_is_refused_with_its_rows(table, name, content):
    with pytest.raises(UserError, match=r"1 (unreadable )?row\(s\).*row 2.*(UTF-8)?") as mistake:
        table(content, name=name)
    assert "UTF-8" in str(mistake.value)


@pytest.mark.parametrize(
    "rows",
    [[{"label": "a"}, *ROWS[1:]], [{"text": None, "label": "a"}, *ROWS[1:]]],
)
def test_a_row_without_a_text_is_refused_by_number(table, rows):
    with pytest.raises(UserError, match=r"1 row\(s\) without a text: row 1\."):
        table(rows, name="rows.jsonl")


@pytest.mark.parametrize("text", [5, ["win", "a"], {"raw": "win"}, True])
def test_what_is_not_text_is_refused_by_number(table, text):
    with pytest.raises(UserError, match=r"1 row\(s\) whose 'text' is not text: row 1\."):
        table(changed(1, text=text), name="rows.jsonl")


def test_a_row_without_a_label_is_refused_by_number_in_json_lines_too(table):
    with pytest.raises(UserError, match=r"2 row\(s\) without a label: row 1, 2\."):
        table([{"text": "x", "label": None}, {"text": "y"}, *ROWS], name="rows.jsonl")


def test_an_unknown_label_is_refused_where_the_classes_are_known(table):
    message = r"1 unknown label\(s\), first 'b' in row 2, 4, 6, 8, 10 and 15 more\. Known: a, c\."
    with pytest.raises(UserError, match=message):
        table(ROWS, class_names=("a", "c"))


def test_label_columns_hold_zeros_and_ones_alone(table):
    rows = [{"text": "ham", "x": "1", "y": "0"}, {"text": "tea", "x": "2", "y": ""}]
    with pytest.raises(UserError, match=r"1 row\(s\) where x, y are not all 0 or 1: row 2\."):
        table(rows, LabelledColumns(label="x,y"))


def test_a_missing_label_column_among_several_is_named(table):
    with pytest.raises(UserError, match=r"no column 'z' in .*It has: text, label\."):
        table(ROWS, LabelledColumns(label="label,z"))


@pytest.mark.parametrize(("name", "label"), [("rows.jsonl", []), ("rows.csv", "")])
def test_a_multi_label_file_without_any_label_is_refused(table, name, label):
    rows = [{**row, "label": label} for row in ROWS]
    with pytest.raises(UserError, match="no label"):
        table(rows, LabelledColumns(label_separator="|"), name=name)


@pytest.mark.parametrize("rows", [6, 8, 10, 12])
def test_the_smallest_file_that_is_not_refused_fills_every_split(table, rows):
    assert set(sizes(table(ROWS[:rows]))) == {"train", "validation", "test"}


def test_a_multi_label_file_of_many_combinations_fills_every_split(table):
    rows = [
        {"text": f"word{i}", "label": "|".join(str(bit) for bit in range(6) if i >> bit & 1)}
        for i in range(64)
    ]
    assert set(sizes(table(rows, LabelledColumns(label_separator="|")))) == {
        "train",
        "validation",
        "test",
    }


def test_validation_is_carved_from_a_small_train_too(table):
    rows = [
        {**row, "split": split}
        for row, split in zip(ROWS, ["train"] * 8 + ["test"] * 4, strict=False)
    ]
    assert "validation" in table(rows).splits

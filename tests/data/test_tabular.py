import csv
import hashlib
import io
import json

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from data.errors import UserError
from data.tabular import Columns, read_table

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

    def read(rows, columns=Columns(), class_names=(), name="rows.csv"):  # noqa: B008
        path = tmp_path / name
        path.write_bytes(rows if isinstance(rows, bytes) else FORMATS[name](rows))
        return read_table(str(path), columns, class_names)

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
    assert labels_by_text(table(rows, Columns("tweet", "class")))["word1"] == ("b",)


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
    corpus = table(rows, Columns(label_separator="|"))
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
    corpus = table(rows, Columns(label="y,x"), name=name)
    assert corpus.multi_label
    labels = labels_by_text(corpus)
    assert (labels["word0"], labels["word1"], labels["word2"]) == ((), ("y",), ("x", "y"))


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(
    ("values", "class_names"),
    [([2, 10, -1], ("-1", "2", "10")), ([0.0, 1.0], ("0", "1")), ([0.5, 0.25], ("0.25", "0.5"))],
)
def test_numeric_labels_are_ordered_by_value(table, name, values, class_names):
    if name in ("rows.csv", "rows.tsv") and values == [0.0, 1.0]:
        class_names = ("0.0", "1.0")
    rows = [{"text": f"word{i}", "label": values[i % len(values)]} for i in range(60)]
    assert table(rows, name=name).class_names == class_names


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
    assert table(rows, Columns(split="fold")).split("test").texts == [
        f"word{i}" for i in range(36, 40)
    ]


def test_missing_validation_is_carved_from_train(table):
    rows = with_splits(["train"] * 30 + ["test"] * 10)
    corpus = table(rows)
    assert sizes(corpus) == {"train": 28, "validation": 2, "test": 10}
    assert corpus.split("test").texts == [f"word{i}" for i in range(30, 40)]
    texts = [text for part in corpus.splits.values() for text in part.texts]
    assert sorted(texts) == sorted(row["text"] for row in ROWS)


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
    "empty text": (changed(3, text=""), r"1 row\(s\) with an empty text: row 3. Mend or drop them"),
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
        "rows.csv has a single class, 'a': there is nothing to tell apart",
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
    "semicolons": (b"text;label\nham;a\n", "no column 'text', 'label' in .*It has: text;label"),
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
    [[{"label": "a"}, *ROWS[1:]], [{"text": None, "label": "a"}, *ROWS[1:]], changed(1, text=5)],
)
def test_a_row_without_a_text_is_refused_by_number(table, rows):
    with pytest.raises(UserError, match=r"1 row\(s\) without a text: row 1\."):
        table(rows, name="rows.jsonl")


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
        table(rows, Columns(label="x,y"))


def test_a_missing_label_column_among_several_is_named(table):
    with pytest.raises(UserError, match=r"no column 'z' in .*It has: text, label\."):
        table(ROWS, Columns(label="label,z"))


@pytest.mark.parametrize(("name", "label"), [("rows.jsonl", []), ("rows.csv", "")])
def test_a_multi_label_file_without_any_label_is_refused(table, name, label):
    rows = [{**row, "label": label} for row in ROWS]
    with pytest.raises(UserError, match="no label"):
        table(rows, Columns(label_separator="|"), name=name)


@pytest.mark.parametrize("rows", [6, 8, 10, 12])
def test_the_smallest_file_that_is_not_refused_fills_every_split(table, rows):
    assert set(sizes(table(ROWS[:rows]))) == {"train", "validation", "test"}


def test_a_multi_label_file_of_many_combinations_fills_every_split(table):
    rows = [
        {"text": f"word{i}", "label": "|".join(str(bit) for bit in range(6) if i >> bit & 1)}
        for i in range(64)
    ]
    assert set(sizes(table(rows, Columns(label_separator="|")))) == {"train", "validation", "test"}


def test_validation_is_carved_from_a_small_train_too(table):
    rows = [
        {**row, "split": split}
        for row, split in zip(ROWS, ["train"] * 8 + ["test"] * 4, strict=False)
    ]
    assert "validation" in table(rows).splits

import csv
import json
from pathlib import Path

import pytest

from data.datasets import TAGGED_CORPORA, read_tagged_texts
from data.errors import UserError
from data.examples.tagged import TaggedCorpus
from data.user_files.columns import TaggedColumns
from data.user_files.tagged.brat import is_brat, read_brat
from data.user_files.tagged.files import read_tagged_files

DATA = Path(__file__).parents[5] / "shared" / "data"
ROW = {"text": "Åsa met Jo in Lyon", "spans": [{"start": 14, "end": 18, "type": "LOC"}]}
ROWS = [
    {"text": f"{name} met Jo in Lyon", "spans": [[0, len(name), "PER"]]}
    for name in ("Ana", "Bo", "Cleo", "Dag", "Eva", "Finn", "Gil", "Hal", "Ivo", "Jan", "Kit")
]


def read(tmp_path, rows, **options):
    path = tmp_path / "some.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return read_tagged_files(str(path), TaggedColumns(), **options)


def test_spans_count_code_points(tmp_path):
    corpus = read(tmp_path, [ROW, *ROWS], types=("LOC", "PER"))
    [row] = [row for row in corpus.everything() if row.text == ROW["text"]]
    assert [row.text[start:end] for start, end, _ in row.spans] == ["Lyon"]


def test_a_file_is_split_by_content(tmp_path):
    corpus, turned = read(tmp_path, ROWS), read(tmp_path, ROWS[::-1])
    assert list(corpus.splits) == ["train", "validation", "test"]
    for name, part in corpus.splits.items():
        assert sorted(part.texts) == sorted(turned.split(name).texts)
    assert corpus.entity_types == ("PER",)


def test_a_column_of_splits_is_used(tmp_path):
    names = ["train"] * 8 + ["dev"] * 2 + ["test"]
    corpus = read(tmp_path, [{**row, "split": s} for row, s in zip(ROWS, names, strict=True)])
    assert {name: len(part) for name, part in corpus.splits.items()} == {
        "train": 8,
        "validation": 2,
        "test": 1,
    }


def test_splits_may_have_files_of_their_own(tmp_path):
    for name, size in (("train", 9), ("dev", 2), ("test", 1)):
        text = "Ana B-PER\nran O\n\n" * size
        (tmp_path / f"{name}.txt").write_text(text)
    train, dev, test = (str(tmp_path / f"{name}.txt") for name in ("train", "dev", "test"))
    corpus = read_tagged_files(train, TaggedColumns(), dev, test)
    assert [len(part) for part in corpus.splits.values()] == [9, 2, 1]
    corpus = read_tagged_files(train, TaggedColumns(), validation=dev)
    assert [len(part) for part in corpus.splits.values()] == [9, 2]


def test_rows_of_a_split_that_stands_in_another_file_are_left_out_with_a_word(tmp_path, capsys):
    (tmp_path / "dev.txt").write_text("Ana B-PER\nran O\n")
    rows = [{**row, "split": "train"} for row in ROWS[2:]]
    rows += [{**row, "split": "dev"} for row in ROWS[:2]]
    corpus = read(tmp_path, rows, validation=str(tmp_path / "dev.txt"))
    assert [len(part) for part in corpus.splits.values()] == [9, 1]
    [line] = capsys.readouterr().err.splitlines()
    assert "some.jsonl: 2 row(s) of validation left out, since" in line


def entities(corpus):
    """What the spans of each text say, of all splits."""
    return {
        row.text: [(row.text[start:end], kind) for start, end, kind in row.spans]
        for row in corpus.everything()
    }


NAMES = [row["text"].split()[0] for row in ROWS]
# A row of a text that begins with a name, as tools export it.
EXPORTS = {
    "doccano": lambda name: {
        "id": 1,
        "text": f"{name} ran",
        "entities": [{"id": 5, "label": "PER", "start_offset": 0, "end_offset": len(name)}],
        "relations": [],
        "Comments": [],
    },
    "doccano's lists": lambda name: {"text": f"{name} ran", "label": [[0, len(name), "PER"]]},
    "doccano's labels": lambda name: {"text": f"{name} ran", "labels": [[0, len(name), "PER"]]},
    "Prodigy": lambda name: {
        "text": f"{name} ran",
        "tokens": [{"text": name, "start": 0, "end": len(name), "id": 0}],
        "spans": [{"start": 0, "end": len(name), "label": "PER", "token_start": 0}],
        "answer": "accept",
    },
    "Label Studio": lambda name: {
        "id": 7,
        "data": {"text": f"{name} ran"},
        "annotations": [
            {
                "was_cancelled": False,
                "result": [
                    {"type": "choices", "value": {"choices": ["good"]}},
                    {
                        "type": "labels",
                        "value": {"start": 0, "end": len(name), "text": name, "labels": ["PER"]},
                    },
                ],
            }
        ],
        "predictions": [],
    },
    "Label Studio's short form": lambda name: {
        "text": f"{name} ran",
        "label": [{"start": 0, "end": len(name), "text": name, "labels": ["PER"]}],
        "annotator": 1,
    },
    "spaCy 2": lambda name: [f"{name} ran", {"entities": [[0, len(name), "PER"]]}],
    "Dataturks": lambda name: {
        "content": f"{name} ran",
        "annotation": [
            {"label": ["PER"], "points": [{"start": 0, "end": len(name) - 1, "text": name}]}
        ],
    },
    "Hugging Face": lambda name: {"tokens": [name, "ran"], "ner_tags": ["B-PER", "O"]},
    "Hugging Face's other names": lambda name: {"words": [name, "ran"], "labels": ["S-PER", "O"]},
    "the suite's own answers": lambda name: {
        "text": f"{name} ran",
        "entities": [
            {"start": 0, "end": len(name), "type": "PER", "score": 0.9, "text": name},
        ],
    },
}


@pytest.mark.parametrize("suffix", ["jsonl", "json"])
@pytest.mark.parametrize("tool", EXPORTS)
def test_what_tools_export_is_read(tool, suffix, tmp_path, capsys):
    rows, path = [EXPORTS[tool](name) for name in NAMES], tmp_path / f"some.{suffix}"
    content = json.dumps(rows) if suffix == "json" else "\n".join(map(json.dumps, rows))
    path.write_text(content, encoding="utf-8-sig")
    corpus = read_tagged_files(str(path), TaggedColumns())
    assert entities(corpus) == {f"{name} ran": [(name, "PER")] for name in NAMES}
    if tool == "doccano":
        assert f"{path}: spans are read from 'entities'" in capsys.readouterr().out


def test_json_may_be_called_jsonl_and_the_other_way_round(tmp_path):
    lines, whole = tmp_path / "lines.json", tmp_path / "whole.jsonl"
    lines.write_text("\n".join(map(json.dumps, ROWS)))
    whole.write_text(json.dumps({"version": 1, "annotations": ROWS}))
    read_wrong = [read_tagged_files(str(path), TaggedColumns()) for path in (lines,)]
    assert entities(read_wrong[0]) == entities(read(tmp_path, ROWS))
    whole.write_text("\n" + json.dumps(ROWS))
    assert entities(read_tagged_files(str(whole), TaggedColumns())) == entities(read_wrong[0])
    wrapped = tmp_path / "wrapped.json"
    wrapped.write_text(json.dumps({"classes": ["PER"], "annotations": ROWS}))
    assert entities(read_tagged_files(str(wrapped), TaggedColumns())) == entities(read_wrong[0])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"tokens": ["Ana"], "ner_tags": [1]}], "'ner_tags' holds numbers. Write their names"),
        ([{"tokens": ["Ana"], "ner_tags": ["x", "O"]}], "are not lists of the same length"),
        ([{"tokens": ["Ana", ""], "ner_tags": ["O", "O"]}], "an empty token or tag"),
        ([{"tokens": ["Ana", "b"], "ner_tags": ["B-X", "7"]}], "'ner_tags' has '7' (row 1)"),
        ([{"text": "Ana", "spans": [{"from": 0, "to": 3}]}], "it has from, to"),
        ([{"text": "Ana", "spans": [{"start": "0", "end": 3, "label": "X"}]}], "span without"),
        ([{"text": "Ana", "spans": [[0, 3, "X\u001b"]]}], "span without start"),
        (
            [{"text": "Ana b", "spans": [{"start": 1, "end": 4, "label": "X", "text": "Ana"}]}],
            "the span 1-4 is 'na ', though it says 'Ana'",
        ),
        ([{"text": "a\u200b\u00ad\ufeffb", "spans": [[1, 4, "X"]]}], "holds no letter"),
        ([{"sentence": "Ana", "name": "X"}], "no spans under 'spans'; it has sentence, name"),
        ([{"id": 1, "label": "X"}], "no text under 'text'; it has id, label"),
        ([{"text": "Ana", "label": "X"}], "no spans under 'spans'; it has text, label"),
        ([["Ana", "X"]], "not an object"),
        ([{"text": "Ana", "spans": [[0, 3, "X"]], "answer": "reject"}], "all rows were rejected"),
        ([{"text": "Ana", "spans": [[0, 3, "X"]]}], "has 1 text(s), too few"),
        ([{"text": "Ana \ud800", "spans": [[0, 3, "X"]]}], "not UTF-8"),
        ([], "has no rows"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_keys(rows, message, tmp_path):
    path = tmp_path / "some.json"
    path.write_text(json.dumps(rows))
    with pytest.raises(UserError) as refusal:
        read_tagged_files(str(path), TaggedColumns())
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_deep_json_is_a_line_for_the_user(tmp_path):
    path = tmp_path / "deep.json"
    path.write_text("[" * 100_000)
    with pytest.raises(UserError, match="not JSON"):
        read_tagged_files(str(path), TaggedColumns())


def test_rejected_and_unannotated_rows_are_left_out_and_counted(tmp_path, capsys):
    wrong = [
        {"text": "Lyon ran", "spans": [[0, 4, "PER"]], "answer": answer}
        for answer in ("reject", "Ignore", "accept")
    ]
    corpus = read(tmp_path, [*ROWS, *wrong, {"text": " ", "spans": []}, {"text": "no names"}])
    found = entities(corpus)
    assert len(corpus.everything()) == len(ROWS) + 2
    assert (found["Lyon ran"], found["no names"]) == ([("Lyon", "PER")], [])
    told = capsys.readouterr().out
    assert "2 row(s) left out that an annotator rejected" in told
    assert "1 row(s) without 'spans', taken as texts without an entity" in told
    assert "1 empty text(s) left out" in told
    task = EXPORTS["Label Studio"]("Lyon")
    task["annotations"][0]["was_cancelled"] = True
    tasks = [*map(EXPORTS["Label Studio"], NAMES), task, {**task, "annotations": []}]
    assert len(read(tmp_path, tasks).everything()) == len(NAMES)
    assert "2 row(s) left out" in capsys.readouterr().out


TEXT = "Ana ran.\n\nJo in New\nYork ran.\nNobody.\n"
ANN = (
    "T1\tPER 0 3\tAna\nT2\tPER 10 12\tJo\nT3\tLOC 16 19;20 24\tNew York\n"
    "R1\tLives Arg1:T2 Arg2:T3\nA1\tNegated T1\n#1\tAnnotatorNotes T1\tx\n"
)


@pytest.mark.parametrize("suffix", ["ann", "txt"])
def test_spans_beside_a_text_are_read_as_brat_writes_them(suffix, tmp_path):
    (tmp_path / "doc.txt").write_text(TEXT)
    (tmp_path / "doc.ann").write_text(ANN)
    path = str(tmp_path / f"doc.{suffix}")
    assert is_brat(path)
    texts, notes = read_brat(path)
    assert notes == ("spans of doc.ann read in doc.txt, as brat writes",)
    assert entities(TaggedCorpus.from_splits("doc", {"train": texts})) == {
        "Ana ran.": [("Ana", "PER")],
        "Jo in New\nYork ran.": [("Jo", "PER"), ("New\nYork", "LOC")],
        "Nobody.": [],
    }


@pytest.mark.parametrize(
    ("text", "ann", "message"),
    [
        (None, ANN, "doc.txt is missing"),
        (TEXT, "T1\tPER 0 3 Ana\n", "line 1 is not a span"),
        (TEXT, "T1\tPER 0 3\tJo\n", "the span 0-3 is 'Ana', though it says 'Jo'"),
        (TEXT, "T1\tPER 0 3;4 7\tAna ran\nT2\tLOC 4 7\tran\n", "overlaps"),
        (TEXT, "T1\tLOC 10 12;16 19\tJo New\n", "though it says 'Jo New'"),
        ("", "", "doc.txt is empty"),
    ],
)
def test_damaged_spans_beside_a_text_are_refused(text, ann, message, tmp_path):
    if text is not None:
        (tmp_path / "doc.txt").write_text(text)
    (tmp_path / "doc.ann").write_text(ann)
    with pytest.raises(UserError) as refusal:
        read_tagged_files(str(tmp_path / "doc.ann"), TaggedColumns())
    assert message in str(refusal.value)


def test_tables_of_texts_and_spans_are_read_and_those_of_tokens_are_not_csv(tmp_path):
    rows = [(row["text"], json.dumps(row["spans"])) for row in ROWS]
    for suffix, mark in (("csv", ","), ("tsv", "\t")):
        path = tmp_path / f"some.{suffix}"
        with path.open("w", newline="") as file:
            csv.writer(file, delimiter=mark).writerows([("text", "entities"), *rows])
        if suffix == "tsv":
            path.write_text("text\tentities\n" + "".join(f"{a}\t{b}\n" for a, b in rows))
        corpus = read_tagged_files(str(path), TaggedColumns())
        assert entities(corpus) == entities(read(tmp_path, ROWS))
    path.write_text("Word\tTag\n" + "".join(f"{name}\tB-PER\nran\tO\n\n" for name in NAMES))
    assert len(read_tagged_files(str(path), TaggedColumns()).everything()) == len(NAMES)
    path = tmp_path / "some.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("body", "names"), *rows])
    corpus = read_tagged_files(str(path), TaggedColumns(text="body", spans="names"))
    assert entities(corpus) == entities(read(tmp_path, ROWS))
    path.write_text("id,comment,verdict\n1,Ana ran,PER\n")
    with pytest.raises(UserError, match="has the columns id, comment, verdict, but neither"):
        read_tagged_files(str(path), TaggedColumns())


@pytest.mark.parametrize(("suffix", "mark"), [("csv", ","), ("tsv", "\t")])
def test_a_table_of_tokens_is_read_by_its_names(suffix, mark, tmp_path, capsys):
    rows = ["Sentence #,Word,POS,Tag"]
    for number, name in enumerate(NAMES, 1):
        rows += [f"Sentence: {number},{name},NNP,B-per", ",of,IN,O", ",nan,NN,I-per", ",.,.,O"]
    path = tmp_path / f"some.{suffix}"
    path.write_text("\n".join(rows).replace(",", mark))
    corpus = read_tagged_files(str(path), TaggedColumns())
    assert entities(corpus) == {
        f"{name} of nan .": [(name, "per"), ("nan", "per")] for name in NAMES
    }
    told = capsys.readouterr().out
    assert "a table of tokens: 'Word' with 'Tag', sentences by 'Sentence #'" in told


def test_commas_in_a_table_of_tabs_are_refused(tmp_path):
    path = tmp_path / "some.tsv"
    path.write_text("sent,Word,Tag\n1,Ana,O\n")
    with pytest.raises(UserError, match=r"has the columns sent,Word,Tag\. Expected columns"):
        read_tagged_files(str(path), TaggedColumns())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"Word,Tag\nJos\xe9,O\n", "1 row(s) that cannot be read or are not UTF-8"),
        (b"Word,Tag\nAna,B-X\nran,\n", "1 row(s) without 'Word' or 'Tag': row 2"),
        (b"Word,Tag\nAna,7\nran,O\n", "has '7' (first in line 1): not tags"),
        (b"Word,Tag\n", "has no rows"),
    ],
)
def test_a_damaged_table_of_tokens_is_refused(content, message, tmp_path):
    path = tmp_path / "some.csv"
    path.write_bytes(content)
    with pytest.raises(UserError) as refusal:
        read_tagged_files(str(path), TaggedColumns())
    assert message in str(refusal.value)


@pytest.mark.parametrize("suffix", ["xlsx", "spacy", "xml", "zip", "gz"])
def test_formats_that_are_not_read_are_named(suffix, tmp_path):
    path = tmp_path / f"some.{suffix}"
    path.write_bytes(b"a,b\n")
    with pytest.raises(UserError) as refusal:
        read_tagged_files(str(path), TaggedColumns())
    assert str(refusal.value).startswith(f"{path} is ")


def test_missing_validation_is_carved_from_train(tmp_path):
    names = ["train"] * 10 + ["test"]
    corpus = read(tmp_path, [{**row, "split": s} for row, s in zip(ROWS, names, strict=True)])
    sizes = {name: len(part) for name, part in corpus.splits.items()}
    assert sizes == {"train": 9, "validation": 1, "test": 1}
    assert corpus.split("test").texts == [ROWS[10]["text"]]


def test_a_type_that_training_texts_lack_is_refused(tmp_path):
    rows = [{**row, "split": "train"} for row in ROWS]
    rows.append({**ROW, "split": "validation"})
    with pytest.raises(UserError, match="has no 'LOC' in its training texts"):
        read(tmp_path, rows)


def test_some_rows_without_a_split_are_refused(tmp_path):
    with pytest.raises(UserError, match="some rows have no 'split'"):
        read(tmp_path, [*ROWS, {**ROW, "split": "test"}])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"spans": [[0, 3]]}, "a span without start, end and type"),
        ({"spans": [[0, 99, "X"]]}, "the span 0-99 in a text of 18 characters"),
        ({"spans": [[0, 3, "X"], [2, 5, "X"]]}, "overlaps another"),
        ({"spans": [[3, 4, "X"]]}, "holds no letter"),
        ({"spans": "Åsa"}, "'spans' is not a list"),
        ({"text": 7}, "'text' is not text"),
        ({"text": " "}, "an empty text"),
        ({"split": "tset"}, "an unknown split 'tset'"),
    ],
)
def test_a_row_that_cannot_be_used_is_named(change, message, tmp_path):
    with pytest.raises(UserError) as refusal:
        read(tmp_path, [*ROWS, {**ROW, **change}])
    assert message in str(refusal.value)
    assert "row 12" in str(refusal.value)


def test_types_that_a_model_does_not_know_are_refused(tmp_path):
    with pytest.raises(UserError, match="has the type 'PER', the model knows LOC"):
        read(tmp_path, ROWS, types=("LOC",))


def test_texts_without_entities_are_refused(tmp_path):
    with pytest.raises(UserError, match="has no entity"):
        read(tmp_path, [{"text": f"row {i}", "spans": []} for i in range(9)])


def test_the_sample_has_every_type_in_all_splits(shipped_samples):
    corpus = read_tagged_texts("sample", "ner.conll")
    assert corpus.entity_types == ("LOC", "MISC", "ORG", "PER")
    assert len(corpus.everything()) >= 200
    assert len(set(corpus.everything().texts)) == len(corpus.everything())
    for part in corpus.splits.values():
        assert part.types == {"LOC", "MISC", "ORG", "PER"}


@pytest.mark.parametrize("name", TAGGED_CORPORA)
def test_a_corpus_that_is_not_there_says_where_to_get_it(name, tmp_path, monkeypatch):
    def offline(*_, **__):
        raise OSError("no network")

    monkeypatch.setattr("urllib.request.urlopen", offline)
    with pytest.raises(UserError, match="--data-dir <folder>"):
        read_tagged_texts(name, "", str(tmp_path))


def test_conll2003_is_read_from_the_files_of_the_shared_task(tmp_path):
    text = "-DOCSTART- -X- -X- O\n\nEU NNP I-NP I-ORG\nrejects VBZ I-VP O\nUK NNP I-NP I-LOC\n\n"
    for name in ("eng.train", "eng.testa", "eng.testb"):
        (tmp_path / name).write_text(text)
    corpus = read_tagged_texts("conll2003", "", str(tmp_path))
    assert corpus.entity_types == ("LOC", "MISC", "ORG", "PER")
    assert [part.texts for part in corpus.splits.values()] == [["EU rejects UK"]] * 3
    assert corpus.split("test").rows[0].spans == ((0, 2, "ORG"), (11, 13, "LOC"))


def test_without_files_tensorflow_datasets_prepares_conll2003(tmp_path, monkeypatch):
    text = "-DOCSTART- -X- -X- O\n\nEU NNP B-NP B-ORG\nrejects VBZ B-VP O\nUK NNP B-NP B-LOC\n\n"
    downloaded = tmp_path / "downloaded"
    downloaded.mkdir()
    for name in ("train", "valid", "test"):
        (downloaded / f"{name}.txt").write_text(text)
    monkeypatch.setattr(
        "tensorflow_datasets.download.DownloadManager.download_and_extract", lambda *_: downloaded
    )
    monkeypatch.setattr("tensorflow_datasets.core.constants.DATA_DIR", str(tmp_path / "tfds"))
    monkeypatch.setattr("data.corpora.tagged.conll2003.check_download", lambda *_: None)
    corpus = read_tagged_texts("conll2003", "", str(tmp_path))
    assert list(corpus.splits) == ["train", "validation", "test"]
    assert [part.texts for part in corpus.splits.values()] == [["EU rejects UK"]] * 3
    assert corpus.split("test").rows[0].spans == ((0, 2, "ORG"), (11, 13, "LOC"))


@pytest.mark.parametrize(("name", "sizes"), [("wnut17", [3394, 1009, 1287]), ("btc", [6338, 1000])])
def test_a_corpus_has_its_official_splits(name, sizes):
    if not (DATA / name).is_dir():
        pytest.skip(f"{name} is not here")
    corpus = read_tagged_texts(name, "", str(DATA))
    assert [len(part) for part in corpus.splits.values()] == sizes


def test_other_types_than_those_of_a_corpus_are_refused(tmp_path):
    for name in ("eng.train", "eng.testa", "eng.testb"):
        (tmp_path / name).write_text("EU NNP I-NP I-DRUG\nrejects VBZ I-VP O\n\n")
    with pytest.raises(UserError, match="has the type 'DRUG', expected LOC, MISC, ORG, PER"):
        read_tagged_texts("conll2003", "", str(tmp_path))


def test_the_scheme_is_reported_where_it_becomes_another(tmp_path, capsys):
    for tag, told in (("B-PER", False), ("I-PER", True)):
        path = tmp_path / "some.conll"
        path.write_text("".join(f"{name} {tag}\nran O\n\n" for name in NAMES))
        read_tagged_files(str(path), TaggedColumns())
        assert (f"{path}: tags of the scheme IO, taken as BIO" in capsys.readouterr().out) is told

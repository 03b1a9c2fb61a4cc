import gzip
import json
import lzma
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from data.corpora.parallel import multi30k, tatoeba
from data.datasets import read_parallel_texts
from data.errors import UserError
from data.examples.parallel import Pair, ParallelCorpus, ParallelTexts
from data.examples.splits import canonical_form
from data.files import archives
from data.files.lines import LONGEST_LINE
from data.files.writing import sha256
from data.user_files.columns import ParallelFiles
from data.user_files.parallel import (
    read_aligned,
    read_named_columns,
    read_pairs,
    read_parallel_files,
)

FILES = ParallelFiles("en", "fr")
DATA = Path(__file__).parents[4] / "shared" / "data"


def written(path, text):
    path.write_text(text, encoding="utf-8", newline="")
    return str(path)


def test_aligned_files_are_pairs_line_by_line(tmp_path):
    source = written(tmp_path / "a.en", "A dog.\r\nTwo\u2028lines.\r\n")
    with gzip.open(tmp_path / "a.fr.gz", "wt", encoding="utf-8") as file:
        file.write(" Un chien. \nDeux lignes.")
    pairs = read_aligned(source, str(tmp_path / "a.fr.gz"))
    assert pairs.rows == [("A dog.", "Un chien."), ("Two\u2028lines.", "Deux lignes.")]
    assert pairs.texts[0] == "A dog." and pairs.translations[0] == "Un chien."


def test_files_that_are_not_aligned_are_refused(tmp_path):
    source, target = written(tmp_path / "a", "x\ny\n"), written(tmp_path / "b", "x\ny\nz\n")
    with pytest.raises(UserError, match=r"has 2 lines, .* has 3: they are not aligned"):
        read_aligned(source, target)


def test_lines_without_a_text_are_named_by_their_numbers(tmp_path):
    source, target = written(tmp_path / "a", "x\n \nz\n"), written(tmp_path / "b", "x\ny\n\n")
    with pytest.raises(UserError, match=r"2 row\(s\) without a text on one side: row 2, 3"):
        read_aligned(source, target)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('fr\tid\ten\n"Oui"\t7\tYes\n', "table.tsv"),
        ('fr,id,EN\n"""Oui""",7,Yes\n', "table.csv"),
    ],
)
def test_a_header_with_both_languages_says_the_columns(text, name, tmp_path):
    path = written(tmp_path / name, text)
    assert read_pairs(path, "en", "fr").rows == [("Yes", '"Oui"')]


def test_a_header_with_one_of_the_languages_is_a_mistake(tmp_path):
    path = written(tmp_path / "table.tsv", "en\tde\nYes\tJa\n")
    with pytest.raises(UserError, match="a header with 'en', but not both of 'en' and 'fr'"):
        read_pairs(path, "en", "fr")
    with pytest.raises(UserError, match=r"the sample has en and fr\."):
        read_parallel_texts("sample", "translation.tsv", None, ParallelFiles("en", "de"))


def test_without_a_header_columns_are_numbers(tmp_path):
    path = written(tmp_path / "table.tsv", "1\tOui\tYes\n2\tNon\tNo\n")
    assert read_pairs(path, "en", "fr", (2, 1)).rows == [("Yes", "Oui"), ("No", "Non")]


def test_rows_that_are_too_short_are_named_by_their_lines(tmp_path):
    path = written(tmp_path / "table.tsv", "en\tfr\nYes\tOui\nNo\nMaybe\n")
    with pytest.raises(UserError, match=r"2 row\(s\) without the columns 0 and 1: row 3, 4"):
        read_pairs(path, "en", "fr")


def test_an_unclosed_quotation_mark_is_refused_by_its_line_and_swallows_nothing(tmp_path):
    lines = [f"Sentence {i}.,Phrase {i}.\n" for i in range(60)]
    lines[5] = f'"{lines[5]}'
    path = written(tmp_path / "pairs.csv", "en,fr\n" + "".join(lines))
    with pytest.raises(UserError, match=r"pairs\.csv: line 7: .* \(an unclosed quotation mark\?\)"):
        read_pairs(path, "en", "fr")
    path = written(tmp_path / "pairs.csv", 'en,fr\n"a,b\n' + "hello,bonjour\n" * 10_000)
    with pytest.raises(UserError, match=r"line 2: .* \(an unclosed quotation mark\?\)"):
        read_pairs(path, "en", "fr")


def test_a_long_text_of_a_table_is_read(tmp_path):
    path = written(tmp_path / "pairs.csv", f"en,fr\n{'x' * 131_073},y\n")
    assert read_pairs(path, "en", "fr").rows == [("x" * 131_073, "y")]


def test_lines_are_counted_with_the_empty_ones_and_those_inside_of_cells(tmp_path):
    path = written(tmp_path / "pairs.csv", '\nen,fr\n\n"a\nb",c\n\nd\n ,e\n')
    with pytest.raises(UserError, match=r"1 row\(s\) without the columns 0 and 1: row 7\."):
        read_pairs(path, "en", "fr")
    path = written(tmp_path / "pairs.csv", '\nen,fr\n\n"a\nb",c\n\nd,e\n ,e\n')
    with pytest.raises(UserError, match=r"1 row\(s\) without a text on one side: row 8\."):
        read_pairs(path, "en", "fr")


def test_a_comma_that_is_not_quoted_cuts_no_text(tmp_path):
    path = written(tmp_path / "pairs.csv", "en,fr\nYes.,Oui.\nYes, sir.,Oui, monsieur.\n")
    with pytest.raises(UserError, match=r"1 row\(s\) with more or fewer cells .*: row 3"):
        read_pairs(path, "en", "fr")


def test_cells_may_stand_between_semicolons(tmp_path):
    path = written(tmp_path / "pairs.csv", "fr;en\nOui, monsieur;Yes, sir\n")
    assert read_pairs(path, "en", "fr").rows == [("Yes, sir", "Oui, monsieur")]


@pytest.mark.parametrize("name", ["pairs.csv", "pairs.tsv", "pairs.txt"])
def test_a_table_that_is_not_utf_8_is_one_line(name, tmp_path):
    separator = "," if name.endswith(".csv") else "\t"
    (tmp_path / name).write_bytes(f"Yes{separator}Oui\nTea{separator}Thé\n".encode("cp1252"))
    with pytest.raises(UserError, match=r"pairs\....: line 2 is not UTF-8\. Save .* as UTF-8"):
        read_pairs(str(tmp_path / name), "en", "fr")


def test_bytes_that_are_no_text_are_refused(tmp_path):
    content = "Yes\tOui\n".encode("utf-16-le")
    (tmp_path / "pairs.tsv").write_bytes(content)
    with pytest.raises(UserError, match="line 1 is not text"):
        read_pairs(str(tmp_path / "pairs.tsv"), "en", "fr")
    (tmp_path / "pairs.tsv").write_bytes(b"\xff\xfe" + content)
    with pytest.raises(UserError, match="is UTF-16, UTF-8 is needed"):
        read_pairs(str(tmp_path / "pairs.tsv"), "en", "fr")


def test_an_empty_file_has_no_pair(tmp_path):
    for name in ("pairs.csv", "pairs.tsv"):
        with pytest.raises(UserError, match="has no pair of texts"):
            read_pairs(written(tmp_path / name, ""), "en", "fr")
    with pytest.raises(UserError, match="has no pair of texts"):
        read_pairs(written(tmp_path / "pairs.csv", "en,fr\n"), "en", "fr")


@pytest.mark.parametrize("name", ["pairs.ods", "pairs.xlsx", "pairs.XLIFF", "pairs.json.gz"])
def test_other_formats_are_refused_by_name(name, tmp_path):
    path = written(tmp_path / name, "a\tb\n")
    with pytest.raises(
        UserError, match=r"pairs are read from \.csv, \.tsv, \.jsonl, \.parquet and"
    ):
        read_pairs(path, "en", "fr")
    with pytest.raises(UserError, match="two files of aligned lines"):
        read_aligned(path, path)


def test_a_tmx_file_is_no_file_of_lines(tmp_path):
    path = written(tmp_path / "memory.tmx", "a\n")
    with pytest.raises(UserError, match=r"memory\.tmx: pairs are read from .* aligned lines"):
        read_aligned(path, path)


def test_only_a_line_feed_ends_a_line(tmp_path):
    source = written(tmp_path / "a.en", "A\rdog.\nTwo\u2028lines.\x0b\x85\r\n")
    target = written(tmp_path / "a.fr", "Un chien.\nDeux\x1clignes.\n")
    assert read_aligned(source, target).rows == [
        ("A\rdog.", "Un chien."),
        ("Two\u2028lines.", "Deux\x1clignes."),
    ]
    path = written(tmp_path / "pairs.csv", "en,fr\r\nA\rdog.,Un chien.\r\n")
    assert read_pairs(path, "en", "fr").rows == [("A\rdog.", "Un chien.")]


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress])
def test_packed_tables_are_read_and_damaged_ones_are_one_line(pack, tmp_path):
    path = tmp_path / f"pairs.tsv.{'gz' if pack is gzip.compress else 'xz'}"
    path.write_bytes(pack(b"en\tfr\nYes\tOui\n"))
    assert read_pairs(str(path), "en", "fr").rows == [("Yes", "Oui")]
    for content in (path.read_bytes()[:-9], bytes.fromhex("1f8b0800000c0f00361df1e8bc0200")):
        path.write_bytes(content)
        with pytest.raises(UserError, match=r"^cannot read .*pairs\.tsv.*\. Check the file$"):
            read_pairs(str(path), "en", "fr")


@pytest.mark.parametrize("name", ["pairs.csv", "pairs.tsv", "memory.tmx"])
def test_the_only_file_of_a_zip_is_read_as_what_it_is(name, tmp_path):
    content = {
        ".csv": 'en,fr\n"Yes",Oui\n',
        ".tsv": "en\tfr\nYes\tOui\n",
        ".tmx": '<tmx><tu><tuv xml:lang="en"><seg>Yes</seg></tuv>'
        '<tuv xml:lang="fr"><seg>Oui</seg></tuv></tu></tmx>',
    }[name[-4:]]
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
        archive.writestr(name, content)
    corpus = read_parallel_files(str(tmp_path / "data.zip"), FILES)
    assert corpus.everything().rows == [("Yes", "Oui")]


def test_a_bomb_of_lines_ends_at_the_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "FREE_EXPANSION", 2**18)
    path = tmp_path / "a.en.gz"
    path.write_bytes(gzip.compress(b"A dog.\n" * 2**18))
    with pytest.raises(UserError, match=r"unpacks to more than [0-9,]+ bytes, over 200 times"):
        read_aligned(str(path), str(path))


def test_a_line_without_an_end_is_refused(tmp_path):
    path = tmp_path / "a.en.gz"
    path.write_bytes(gzip.compress(bytes(b"x" * (LONGEST_LINE + 1))))
    with pytest.raises(UserError, match=r"a\.en\.gz: line 1 is longer than 16 MiB"):
        read_aligned(str(path), str(path))


def test_the_columns_of_a_header_are_reported_where_they_are_spelled_otherwise(tmp_path, capsys):
    lines = "".join(f"Le renard {i}.,The fox {i}.\n" for i in range(60))
    path = written(tmp_path / "pairs.csv", f"fr-FR,en-GB\n{lines}")
    corpus = read_parallel_files(path, FILES)
    pairs = set(corpus.everything())
    assert pairs == {(f"The fox {i}.", f"Le renard {i}.") for i in range(60)}
    assert capsys.readouterr().err == f"{path}: en is the column 'en-GB', fr the column 'fr-FR'\n"


def test_columns_that_no_header_names_are_reported(tmp_path, capsys):
    path = written(tmp_path / "pairs.tsv", "1\tOui\tYes\n2\tNon\tNo\n3\tSi\tBut yes\n")
    files = replace(FILES, source_column=2, target_column=1)
    corpus = read_parallel_files(path, files)
    assert ("But yes", "Si") in corpus.everything().rows
    assert "no header: column 2 is en, column 1 fr" in capsys.readouterr().err


def test_no_source_stands_in_two_splits(tmp_path):
    rows = [f"sentence {i // 3}\tphrase {i}\n" for i in range(90)]
    corpus = read_parallel_files(written(tmp_path / "table.tsv", "".join(rows)), FILES)
    assert {name: len(part) for name, part in corpus.splits.items()} == {
        "train": 72,
        "validation": 9,
        "test": 9,
    }
    sources = [set(part.texts) for part in corpus.splits.values()]
    assert sum(map(len, sources)) == len(set().union(*sources)) == 30
    assert corpus.languages == ("en", "fr") and len(corpus.everything()) == 90


def test_files_of_other_splits_leave_the_rest_for_training(tmp_path):
    names = {}
    for name, size in (("train", 20), ("val", 4)):
        for language in ("en", "fr"):
            lines = "".join(f"{name} {language} {i}\n" for i in range(size))
            names[name, language] = written(tmp_path / f"{name}.{language}", lines)
    files = replace(
        FILES,
        target_file=names["train", "fr"],
        validation=names["val", "en"],
        validation_target=names["val", "fr"],
    )
    corpus = read_parallel_files(names["train", "en"], files)
    assert {name: len(part) for name, part in corpus.splits.items()} == {
        "train": 20,
        "validation": 4,
    }
    with pytest.raises(UserError, match="has no sources"):
        read_parallel_files(names["train", "en"], replace(files, test_target=names["val", "fr"]))


def test_the_sample_is_varied_and_splits_into_three(shipped_samples):
    corpus = read_parallel_texts("sample", "translation.tsv", None, FILES)
    pairs = corpus.everything().rows
    assert len(pairs) >= 600 and corpus.splits.keys() == {"train", "validation", "test"}
    for side in (0, 1):
        assert len({canonical_form(pair[side]) for pair in pairs}) > 0.98 * len(pairs)
    other = read_parallel_texts("sample", "translation.tsv", None, ParallelFiles("fr", "en"))
    assert {Pair(b, a) for a, b in other.everything()} == set(pairs)


def test_tatoeba_is_split_by_the_english_sentence_either_way(tmp_path):
    lines = [f"Go {i // 2}!\tVa {i} !\tCC-BY\n" for i in range(60)]
    with zipfile.ZipFile(tmp_path / "fra-eng.zip", "w") as archive:
        archive.writestr("fra.txt", "".join(lines))
    ways = [tatoeba.read(str(tmp_path), *way) for way in (("en", "fr"), ("fr", "en"))]
    for name, part in ways[0].splits.items():
        assert [(b, a) for a, b in part] == ways[1].splits[name].rows
    english = [set(part.texts) for part in ways[0].splits.values()]
    assert sum(map(len, english)) == 30 == len(set().union(*english))
    with pytest.raises(UserError, match="tatoeba has English and one other language"):
        tatoeba.read(str(tmp_path), "fr", "de")


def test_multi30k_refuses_other_languages_and_other_files(tmp_path):
    with pytest.raises(UserError, match="multi30k has no language 'es'"):
        multi30k.read(None, "en", "es")
    (tmp_path / "multi30k").mkdir()
    with gzip.open(tmp_path / "multi30k" / "train.en.gz", "wt") as file:
        file.write("A dog.\n")
    with pytest.raises(UserError, match="is not the original file"):
        multi30k.read(str(tmp_path), "en", "fr")


def multi30k_files(folder, monkeypatch, sizes):
    """Toys of the original files, and what they are known by."""
    known = {}
    for split, size in sizes.items():
        for language in multi30k.LANGUAGES:
            name = f"{split}.{language}.gz"
            lines = "".join(f"{split} {language} {i}\n" for i in range(size))
            (folder / name).write_bytes(gzip.compress(lines.encode()))
            known[name] = sha256(folder / name)
    monkeypatch.setattr(multi30k, "_SHA256", known)


def test_multi30k_has_the_official_splits_of_any_two_languages(tmp_path, monkeypatch):
    (tmp_path / "multi30k").mkdir()
    sizes = {"train": 3, "val": 2, "test_2016_flickr": 1}
    multi30k_files(tmp_path / "multi30k", monkeypatch, sizes)
    corpus = read_parallel_texts("multi30k", "", str(tmp_path), ParallelFiles("de", "fr"))
    assert (corpus.name, corpus.languages) == ("multi30k", ("de", "fr"))
    assert {name: part.rows for name, part in corpus.splits.items()} == {
        "train": [(f"train de {i}", f"train fr {i}") for i in range(3)],
        "validation": [("val de 0", "val fr 0"), ("val de 1", "val fr 1")],
        "test": [("test_2016_flickr de 0", "test_2016_flickr fr 0")],
    }


def test_multi30k_is_downloaded_once_and_what_is_another_file_is_not_kept(tmp_path, monkeypatch):
    (tmp_path / "server").mkdir()
    multi30k_files(tmp_path / "server", monkeypatch, {"train": 1, "val": 1, "test_2016_flickr": 1})
    asked = []

    def answer(request, timeout):
        name = request.full_url.rpartition("/")[2]
        asked.append(name)
        return (tmp_path / "server" / name).open("rb")

    monkeypatch.setattr("urllib.request.urlopen", answer)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert multi30k.read(None, "en", "fr").checksum == multi30k.read(None, "en", "fr").checksum
    assert len(asked) == 6
    (tmp_path / "server" / "train.de.gz").write_bytes(b"damaged")
    with pytest.raises(UserError, match=r"train\.de\.gz is not the file that was expected"):
        multi30k.read(None, "en", "de")
    cache = tmp_path / ".cache" / "recurrent-text-suite" / "multi30k"
    assert sorted(path.name for path in cache.iterdir()) == sorted(asked[:6])


@pytest.mark.skipif(not (DATA / "multi30k").is_dir(), reason="needs the original files")
def test_the_real_multi30k_has_29_000_pairs_to_train():
    corpus = multi30k.read(str(DATA), "en", "fr")
    sizes = {name: len(part) for name, part in corpus.splits.items()}
    assert sizes == {"train": 29_000, "validation": 1_014, "test": 1_000}
    assert corpus.split("train").rows[0] == (
        "Two young, White males are outside near many bushes.",
        "Deux jeunes hommes blancs sont dehors près de buissons.",
    )


@pytest.mark.parametrize(
    ("module", "folder"), [(multi30k, "<folder>/multi30k/"), (tatoeba, "<folder>/")]
)
def test_without_files_and_network_it_says_what_to_put_where(module, folder, monkeypatch, tmp_path):
    def refused(*_, **__):
        raise OSError("no network")

    monkeypatch.setattr("urllib.request.urlopen", refused)
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(UserError, match=r"cannot download .* and pass --data-dir") as error:
        module.read(None, "en", "fr")
    assert folder in str(error.value)


def test_json_lines_are_pairs_by_the_names_of_their_columns(tmp_path):
    rows = '{"text": "A long text.", "id": 3, "summary": " Short "}\n\n{"summary":"b","text":"a"}\n'
    path = written(tmp_path / "a.jsonl", rows)
    corpus = read_parallel_texts(path, "", None, ParallelFiles("text", "summary"), sides="columns")
    assert sorted(corpus.everything()) == [Pair("A long text.", "Short"), Pair("a", "b")]
    assert corpus.describe().endswith("; columns text, summary")


def test_a_list_of_targets_is_a_pair_with_further_references(tmp_path):
    rows = [("a", ["b", " c "]), ("d", ["e"]), ("f", "g")]
    lines = [json.dumps({"text": text, "summary": summary}) for text, summary in rows]
    path = written(tmp_path / "a.jsonl", "\n".join(lines))
    found = read_named_columns(path, "text", "summary")
    assert found.rows == [Pair("a", "b"), Pair("d", "e"), Pair("f", "g")]
    assert found.others == [("c",), (), ()]
    assert found.take([2, 0]).others == [(), ("c",)]
    assert ParallelTexts.join([ParallelTexts([Pair("x", "y")]), found]).others == [
        (),
        *found.others,
    ]
    # Without a list there are none.
    one = read_named_columns(written(tmp_path / "b.jsonl", lines[1]), "text", "summary")
    assert one.others == []
    corpora = [
        ParallelCorpus.from_splits("a", ("text", "summary"), {"train": part})
        for part in (found, ParallelTexts(found.rows))
    ]
    assert corpora[0].checksum == corpora[1].checksum


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ('{"text": "a", "summary": ["b", 5]}', "whose 'text' or 'summary' is not text: row 2"),
        ('{"text": "a", "summary": []}', "whose 'text' or 'summary' is not text: row 2"),
        ('{"text": "a", "summary": ["b", ""]}', "without a text in 'text' and in 'summary': row 2"),
        ('{"text": "a", "summary": 5}', "whose 'text' or 'summary' is not text: row 2"),
        ('{"text": "a"}', "without a text in 'text' and in 'summary': row 2"),
        ('{"text": "a", "summary": " "}', "without a text in 'text' and in 'summary': row 2"),
        ("[1]", "that cannot be read: row 2"),
    ],
)
def test_rows_of_json_that_are_no_pairs_are_named_by_number(row, words, tmp_path):
    path = written(tmp_path / "a.jsonl", '{"text": "a", "summary": "b"}\n' + row + "\n")
    with pytest.raises(UserError) as caught:
        read_parallel_files(path, ParallelFiles("text", "summary"))
    assert words in str(caught.value)

import gzip
import zipfile

import pytest

from data import multi30k, tatoeba
from data.corpora import read_parallel_texts
from data.errors import UserError
from data.parallel import Pair
from data.parallel_columns import ParallelFiles
from data.parallel_files import read_aligned, read_pairs, read_parallel_files
from data.splits import canonical

FILES = ParallelFiles("en", "fr")


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
    assert corpus.class_names == ("en", "fr") and len(corpus.everything()) == 90


def test_files_of_other_splits_leave_the_rest_for_training(tmp_path):
    names = {}
    for name, size in (("train", 20), ("val", 4)):
        for language in ("en", "fr"):
            lines = "".join(f"{name} {language} {i}\n" for i in range(size))
            names[name, language] = written(tmp_path / f"{name}.{language}", lines)
    files = FILES._replace(
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
        read_parallel_files(names["train", "en"], files._replace(test_target=names["val", "fr"]))


def test_the_sample_is_varied_and_splits_into_three(shipped_samples):
    corpus = read_parallel_texts("sample", "translation.tsv", None, FILES)
    pairs = corpus.everything().rows
    assert len(pairs) >= 600 and corpus.splits.keys() == {"train", "validation", "test"}
    for side in (0, 1):
        assert len({canonical(pair[side]) for pair in pairs}) > 0.99 * len(pairs)
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

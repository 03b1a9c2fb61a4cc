"""What is found in texts, by hand-made corpora whose faults are known."""

import pytest

from apps.inspection.advice import advise_batches, advise_length
from apps.inspection.columns import guess_columns
from apps.inspection.file import find_encoding, read_table
from apps.inspection.labels import describe_labels, find_alike_names
from apps.inspection.texts.duplicates import describe_copies, find_copies
from apps.inspection.texts.lengths import count_words, quantiles, share_above
from apps.inspection.texts.near_duplicates import find_near_duplicates
from apps.inspection.texts.oddities import count_oddities, find_scripts
from apps.inspection.texts.rows import Rows
from apps.inspection.texts.vocabulary import describe_vocabulary

WORDS = "one two three four five six seven eight nine ten eleven twelve"


# --- copies ------------------------------------------------------------------


def test_copies_within_and_across_splits_are_counted():
    rows = Rows({"train": ["A b!", "a B", "c", "@you a b"], "test": ["a b", "d"]})
    (copies,) = find_copies(rows)
    assert (copies.text, copies.splits) == ("A b!", {"train": 3, "test": 1})
    facts = describe_copies(rows).facts
    assert facts["within"] == {"train": 2}
    assert facts["across"] == {"train and test": 1}


def test_a_text_under_two_labels_is_disputed():
    rows = Rows({"train": ["Hi", "hi", "ho", "ho"]}, {"train": ["a", "b", "c", "c"]})
    facts = describe_copies(rows).facts
    assert (facts["disputed"], facts["disputed_rows"]) == (1, 2)


# --- near-duplicates ---------------------------------------------------------


def test_a_text_with_one_word_more_is_nearly_the_same():
    rows = Rows({"train": ["another text of six words here", WORDS], "test": [f"{WORDS} thirteen"]})
    ((pair), left_out) = find_near_duplicates(rows)
    assert left_out == 0 and len(pair) == 1
    # Eleven pairs of words in common, of twelve.
    assert pair[0] == (("train", 1), ("test", 0), pytest.approx(11 / 12))


def test_texts_with_less_in_common_are_not():
    other = WORDS.replace("four", "x").replace("nine", "y")
    # Each change costs two pairs on either side: 7 of 15 are in common.
    assert find_near_duplicates(Rows({"train": [WORDS], "test": [other]}))[0] == []


def test_copies_and_short_texts_are_no_near_duplicates():
    rows = Rows({"train": [WORDS, "a b c d e"], "test": [WORDS.upper() + "!", "a b c d e f"]})
    assert find_near_duplicates(rows)[0] == []


def test_texts_of_one_split_are_not_compared():
    assert find_near_duplicates(Rows({"train": [WORDS, f"{WORDS} x"]}))[0] == []


def test_training_texts_beyond_the_limit_are_left_out():
    rows = Rows({"train": [f"{WORDS} {i}" for i in range(10)], "test": [WORDS]})
    pairs, left_out = find_near_duplicates(rows, most_words=30)
    # 12 words of test, then 13 and 13 of train; the others are beyond 30.
    assert left_out == 8 and len(pairs) == 1


def test_a_thousand_texts_of_one_template_take_no_million_comparisons(monkeypatch):
    from apps.inspection.texts import near_duplicates

    made = []
    candidates = near_duplicates._candidates
    monkeypatch.setattr(
        near_duplicates, "_candidates", lambda *args: made.append(candidates(*args)) or made[-1]
    )
    rows = Rows(
        {
            "train": [f"{WORDS} {i}" for i in range(1000)],
            "test": [f"{WORDS} {i}" for i in range(1000, 2000)],
        }
    )
    pairs, _ = find_near_duplicates(rows)
    assert len(pairs) > 500
    assert len(made[0]) < 100_000


# --- odd rows ----------------------------------------------------------------


def test_each_oddity_is_found_where_it_is_and_nowhere_else():
    odd = {
        "a\x07 bell": "control characters",
        "so\u00adft hyphen": "invisible characters",
        "lost \ufffd one": "lost characters (U+FFFD)",
        "cafÃ© au lait": "UTF-8 that was read as Windows-1252 (Ã©)",
        "a<br />b c": "HTML tags",
        "a &amp; b": "HTML escapes (&amp;)",
        "see http://x.y now": "links",
        "hi @name you": "user names (@name)",
        "12 345": "no letter",
        "word": "a single word",
        "ALL OF THESE LETTERS": "capitals alone",
        "a " + "b" * 51: "a word of more than 50 letters",
    }
    texts = ["A plain text, isn't it? 1 < 2 & 3 > 2 a@b.c ❤️", *odd]
    found = count_oddities(Rows({"train": texts}))
    assert found == {name: (1, text) for text, name in odd.items()}


def test_texts_are_counted_by_the_script_of_most_letters():
    texts = ["plain text", "größe", "слово and more слова слова", "123", "字"]
    scripts = {name: count for name, (count, _) in find_scripts(Rows({"t": texts})).items()}
    assert scripts == {"Latin": 2, "Cyrillic": 1, "Cjk": 1}


# --- lengths and words -------------------------------------------------------


def test_words_and_signs_are_counted():
    assert count_words("Hi @you, see http://x.y/z now! #tag") == 8
    assert count_words("") == 0


def test_quantiles_and_shares():
    assert quantiles(range(1, 101))["median"] == 50
    assert quantiles([]) == {}
    assert share_above([1, 2, 3, 4], 3) == 0.25


def test_a_longer_text_is_advised_where_many_are_cut():
    assert advise_length([10] * 97 + [35] * 3, 20)[0].options == ("--max-length", "40")
    assert advise_length([10] * 99 + [35], 20) == []


def test_small_batches_are_advised_for_few_rows():
    assert advise_batches(1000, 64)[0].options == ("--batch-size", "16")
    assert advise_batches(1000, 16) == advise_batches(5000, 64) == []


def test_words_of_validation_that_stand_too_seldom_in_train_are_unknown():
    rows = Rows({"train": ["a a b", "A c c"], "validation": ["a b c d"]})
    facts = describe_vocabulary(rows, min_count=2, most=100).facts
    assert facts == {"words": 6, "different": 3, "known": 2, "unknown": {"validation": 0.5}}


# --- labels and columns ------------------------------------------------------


def test_names_that_differ_by_case_and_signs_are_alike():
    names = ["Spam", "spam", "ham", "not_spam", "not spam", "+", "-"]
    assert find_alike_names(names) == [["Spam", "spam"], ["not_spam", "not spam"]]


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "posts.csv"
    lines = [f"{i};Text number {i} is here;{'ab'[i % 2]}" for i in range(12)]
    path.write_text("id;Body;kind\n" + "\n".join([*lines, "12;unfinished"]) + "\n")
    return read_table(str(path))


def test_a_table_is_read_whatever_is_wrong_with_a_row(table):
    assert (table.rows, table.unreadable) == (13, 1)
    assert table.problems == ["row 13: 2 fields where the header has 3"]
    assert {name: column.filled for name, column in table.columns.items()} == dict.fromkeys(
        ["id", "Body", "kind"], 12
    )


def test_columns_are_guessed_by_name_and_by_what_they_hold(table):
    table.unreadable, table.rows = 0, 12
    wanted = {"text_column": "text", "label_column": "label"}
    assert guess_columns(table, wanted) == {"text_column": "Body", "label_column": "kind"}
    assert guess_columns(table, {"text_column": "Body", "label_column": "kind"}) == {}


def test_labels_of_a_table_that_train_refuses_are_shown(table):
    (section,) = describe_labels(table, "kind")
    assert section.facts == {"labels": {"a": 6, "b": 6}, "alike": []}
    assert describe_labels(table, "nothing") == []


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (b"plain", "ASCII, which is UTF-8, too"),
        ("é".encode(), "UTF-8"),
        ("\ufeffé".encode(), "UTF-8 with a byte order mark"),
        ("é".encode("latin-1"), "not UTF-8 (Windows-1252 or Latin-1?)"),
        ("é".encode("utf-16"), "UTF-16 (little endian)"),
    ],
    ids=["ascii", "utf-8", "marked", "latin-1", "utf-16"],
)
def test_the_encoding_of_a_file_is_found(tmp_path, content, encoding):
    (tmp_path / "a.csv").write_bytes(content)
    assert find_encoding(tmp_path / "a.csv") == encoding

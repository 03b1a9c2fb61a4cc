import pytest

from data.errors import choose, did_you_mean


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("lstmm", ". Did you mean lstm?"),
        ("LSTM", ". Did you mean lstm?"),
        ("Text", ". Did you mean text?"),
        ("transformer", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_the_nearest_name_is_suggested_if_there_is_one(name, suggestion):
    assert did_you_mean(name, ["gru", "lstm", "peephole_lstm", "text"]) == suggestion


def test_an_unknown_name_in_a_table_comes_with_the_nearest_one():
    with pytest.raises(ValueError, match=r"csv, \.parquet\. Did you mean \.csv\?$"):
        choose("file format", ".cvs", {".csv": 1, ".parquet": 2})

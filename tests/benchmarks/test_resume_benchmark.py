from types import SimpleNamespace


def record(unfinished, equal):
    kills = [{"delay": 1.0, "unfinished_checkpoint": each} for each in unfinished]
    return {"kills": kills, "equal_weights": equal, "equal_history": True}


def test_a_training_that_ended_otherwise_is_seen_in_the_table():
    from resume import summary

    unbroken = SimpleNamespace(milliseconds=[10.0, 30.0, 20.0], bytes=3 << 19, share=0.0123)
    records = [record([False, True], True), record([False], False)]
    assert summary(records, unbroken) == ["3", "1", "1 of 2", "2 of 2", "20", "1.5", "1.2%"]


def test_an_unknown_option_is_refused_before_anything_is_trained(benchmark):
    assert benchmark("resume.py", "--kills", "0").returncode == 2

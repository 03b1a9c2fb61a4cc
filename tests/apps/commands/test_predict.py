"""What `predict` prints for texts that are given or typed; without a model and TensorFlow."""

import io

import pytest

from apps.commands import predict


class Lengths:
    """Answers how long a text is; it keeps how many texts came together."""

    def __init__(self):
        self.batches = []

    def serving(self):
        return self

    def serve(self, texts):
        self.batches.append(len(texts))
        return texts

    def output_rows(self, texts):
        return [{"length": len(text)} for text in texts]

    def empty_row(self):
        return {"length": None}

    def format_answer(self, text, row):
        return f"{text}: {row['length']}"


@pytest.fixture(autouse=True)
def plain_texts(monkeypatch):
    monkeypatch.setattr("apps.serving.answers.encode", lambda texts: texts)


def test_given_texts_are_answered_together_and_an_empty_one_is_reported(capsys):
    lengths = Lengths()
    predict._print_answers(lengths, ["one", " ", "three"])
    assert lengths.batches == [2]
    assert capsys.readouterr() == ("one: 3\nthree: 5\n", "text 2: an empty text\n")


def test_typed_lines_are_answered_one_by_one_until_the_end_of_the_input(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("one\n\nthree\n"))
    lengths = Lengths()
    predict._print_answers(lengths, predict._read_lines())
    assert lengths.batches == [1, 1]
    out, err = capsys.readouterr()
    assert (out.splitlines()[0], err) == ("a text a line; Ctrl-D to end", "")
    assert out.replace("> ", "").splitlines()[1:] == ["one: 3", "three: 5", ""]


def test_the_picture_of_an_answer_is_named_by_its_number(capsys):
    class Illustrated(Lengths):
        def draw_answer(self, row, number):
            return f"picture-{number}.png" if row["length"] > 3 else None

    predict._print_answers(Illustrated(), ["one", "three"])
    assert capsys.readouterr().out == "one: 3\nthree: 5\n  picture-2.png\n"

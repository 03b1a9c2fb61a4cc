import json
from dataclasses import dataclass

import pytest

from apps.config.options import Options, from_file, option, override, to_json
from apps.config.parser import add_fields, new_parser
from apps.tasks.classification.config import ClassificationConfig
from data.errors import UserError


@dataclass(frozen=True)
class Toy(Options):
    epochs: int = option(3, "passes", at_least=1)
    dropout: float = option(0.5, "share, 100 % is all", at_least=0.0, below=1.0)
    share: float = option(1.0, "at most one", at_most=1.0)
    cell: str = option("gru", "cell", ("lstm", "gru"))
    pooling: tuple[str, ...] = option(("max",), "poolings", ("max", "mean"))
    residual: bool = option(False, "add the input")
    vectors: str | None = option(None, "file", none=True)
    condition: str | None = option(None, "class")


def parse(*arguments, defaults=Toy()):
    parser = new_parser("toy", "A toy.")
    add_fields(parser, Toy, defaults)
    return vars(parser.parse_args(list(arguments)))


@pytest.mark.parametrize(
    ("arguments", "given"),
    [
        ([], {}),
        (["--epochs", "7"], {"epochs": 7}),
        (["--dropout", "0"], {"dropout": 0.0}),
        (["--residual"], {"residual": True}),
        (["--no-residual"], {"residual": False}),
        (["--pooling", "mean", "max"], {"pooling": ["mean", "max"]}),
        (["--vectors", "a.txt", "--cell", "lstm"], {"vectors": "a.txt", "cell": "lstm"}),
        (["--vectors", "none", "--condition", "none"], {"vectors": None, "condition": "none"}),
    ],
)
def test_only_what_was_given_is_returned(arguments, given):
    assert parse(*arguments) == given


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--cell", "lstmm"], ["--cell", "lstmm", "lstm", "gru"]),
        (["--epochs", "2.5"], ["--epochs", "2.5"]),
        (["--epoch", "2"], ["--epoch"]),
        (["--epochs"], ["--epochs"]),
        (["--pooling", "sum"], ["--pooling", "sum", "max", "mean"]),
        (["left over"], ["left over"]),
    ],
)
def test_a_wrong_option_is_one_line_and_status_2(capsys, arguments, words):
    with pytest.raises(SystemExit) as stop:
        parse(*arguments)
    out, err = capsys.readouterr()
    assert (stop.value.code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("error: ") and err.endswith("See toy --help\n")
    assert all(word in err for word in words)


def test_an_argument_of_two_lines_makes_an_error_of_one(capsys):
    with pytest.raises(SystemExit):
        parse("two\nlines")
    assert capsys.readouterr().err.count("\n") == 1


def test_the_help_shows_the_defaults_it_was_given(capsys):
    with pytest.raises(SystemExit):
        parse("--help", defaults=Toy(epochs=9, pooling=("max", "mean")))
    shown = " ".join(capsys.readouterr().out.split())
    assert "passes (default: 9)" in shown
    assert "poolings (default: max mean)" in shown
    assert "share, 100 % is all (default: 0.5)" in shown
    assert "--residual, --no-residual add the input (default: no)" in shown
    assert shown.endswith("--vectors TEXT file --condition TEXT class")


@pytest.mark.parametrize(
    ("defaults", "shown"),
    [(Toy(dropout=0.0), "% is all (default: 0.0)"), (Toy(epochs=1), "passes (default: 1)")],
)
def test_a_default_of_zero_or_one_is_shown_as_a_number(capsys, defaults, shown):
    with pytest.raises(SystemExit):
        parse("--help", defaults=defaults)
    assert shown in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"epochs": 0}, "--epochs must be at least 1. Received: 0"),
        ({"dropout": 1.0}, "--dropout must be below 1.0. Received: 1.0"),
        ({"dropout": -0.1}, "--dropout must be at least 0.0. Received: -0.1"),
        ({"dropout": float("nan")}, "--dropout must be finite. Received: nan"),
        ({"share": 1.5}, "--share must be at most 1.0. Received: 1.5"),
        ({"epochs": 2.0}, "--epochs takes int. Received: 2.0"),
        ({"epochs": True}, "--epochs takes int. Received: True"),
        ({"epochs": None}, "--epochs takes int. Received: None"),
        ({"residual": 1}, "--residual takes bool. Received: 1"),
        ({"cell": "lstmm"}, "unknown --cell 'lstmm'. Choose one of: lstm, gru"),
        ({"pooling": ["sum"]}, "unknown --pooling 'sum'. Choose one of: max, mean"),
        ({"unitz": 3}, "unknown option 'unitz'. Known: epochs, dropout, share, cell, pooling"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(given, message):
    with pytest.raises(UserError) as error:
        override(Toy(), given)
    assert str(error.value).startswith(message)


def test_given_values_stand_over_the_defaults():
    config = override(Toy(epochs=5), {"dropout": 0, "pooling": ["mean"], "vectors": None})
    assert config == Toy(epochs=5, dropout=0.0, pooling=("mean",), vectors=None)
    assert type(config.dropout) is float


def test_an_option_of_several_values_wants_one_at_least():
    with pytest.raises(UserError, match="--pooling"):
        override(Toy(), {"pooling": []})


@pytest.mark.parametrize("name", ["learning_rate", "warmup", "focal_gamma", "l2"])
def test_an_infinite_number_is_refused(name):
    with pytest.raises(UserError):
        override(ClassificationConfig(), {name: float("inf")})


@pytest.mark.parametrize("wrap", [lambda options: options, lambda o: {"config": o, "format": 1}])
def test_a_file_gives_back_what_was_written(tmp_path, wrap):
    config = ClassificationConfig(epochs=4, pooling=("last", "mean"), vectors="x.txt")
    path = tmp_path / "config.json"
    path.write_text(json.dumps(wrap(to_json(config))))
    assert override(ClassificationConfig(), from_file(str(path))) == config


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot read {path}: No such file or directory. Check --config"),
        ("{", "{path} is not JSON: "),
        ("\udcff", "{path} is not JSON: "),
        ("[1]", "{path} holds no object of options. Check --config"),
    ],
)
def test_a_file_that_holds_no_options_is_refused(tmp_path, content, message):
    path = tmp_path / "options.json"
    if content is not None:
        path.write_text(content, errors="surrogateescape")
    with pytest.raises(UserError) as error:
        from_file(str(path))
    assert str(error.value).startswith(message.format(path=path))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("epochs", 2**31, "--epochs must be at most 2147483647. Received: 2147483648"),
        ("dropout", 10**400, "--dropout must be finite. Received: inf"),
    ],
)
def test_numbers_that_nothing_can_hold_are_refused(name, value, message):
    with pytest.raises(UserError) as error:
        override(Toy(), {name: value})
    assert str(error.value) == message


def test_a_file_of_options_that_is_nested_too_deeply_is_refused(tmp_path):
    path = tmp_path / "deep.json"
    path.write_text("[" * 100_000)
    with pytest.raises(UserError, match="nested too deeply"):
        from_file(str(path))


@dataclass(frozen=True)
class Reading(Options):
    tokenizer: str = option("characters", "what a text is split into", ("characters", "words"))


def test_an_option_is_taken_under_its_former_name_which_the_help_does_not_show(capsys):
    parser = new_parser("toy", "A toy.")
    add_fields(parser, Reading)
    assert vars(parser.parse_args(["--unit", "words"])) == {"tokenizer": "words"}
    assert vars(parser.parse_args(["--unit", "words", "--tokenizer", "characters"])) == {
        "tokenizer": "characters"
    }
    with pytest.raises(SystemExit):
        parser.parse_args(["--help"])
    shown = capsys.readouterr().out
    assert "--tokenizer" in shown and "unit" not in shown


def test_a_file_and_a_run_may_have_the_former_name_of_an_option(tmp_path):
    path = tmp_path / "config.json"
    path.write_text('{"config": {"unit": "words"}}')
    assert from_file(str(path)) == {"tokenizer": "words"}
    assert override(Reading(), {"unit": "words"}) == Reading("words")


def test_an_option_under_both_names_is_refused():
    with pytest.raises(UserError, match=r"^'unit' is the former name of 'tokenizer', and both"):
        override(Reading(), {"unit": "words", "tokenizer": "words"})

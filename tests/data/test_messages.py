import logging

import pytest

from data.messages import LOGGER, TerminalHandler, is_watched, say, show_messages, warn


class Kept(logging.Handler):
    """A handler of a library user: it keeps levels and texts."""

    def __init__(self):
        super().__init__()
        self.records = []

    def emit(self, record):
        self.records.append((record.levelname, record.getMessage()))


@pytest.fixture
def kept(monkeypatch):
    """What a program that has a handler of its own, and no command line, gets to see."""
    handler = Kept()
    monkeypatch.setattr(LOGGER, "handlers", [handler])
    return handler


def test_the_command_line_shows_messages_on_one_stream_and_warnings_on_the_other(capsys):
    say("trained")
    warn("a row is empty")
    assert capsys.readouterr() == ("trained\n", "a row is empty\n")


def test_a_handler_of_ones_own_gets_messages_and_the_terminal_nothing(kept, capsys):
    say("100 % trained")
    warn("a row is empty")
    assert kept.records == [("INFO", "100 % trained"), ("WARNING", "a row is empty")]
    assert capsys.readouterr() == ("", "")


def test_no_handler_gets_what_a_terminal_would_obey(kept):
    say("\x1b[2J")
    assert kept.records == [("INFO", "\\x1b[2J")]


def test_after_a_command_messages_go_where_they_went_before(kept, capsys):
    with show_messages():
        say("shown")
    say("kept")
    assert capsys.readouterr().out == "shown\n"
    assert kept.records == [("INFO", "kept")]


def test_a_stream_that_nobody_reads_is_an_error_of_whoever_logs(monkeypatch):
    class Closed:
        def write(self, text):
            raise BrokenPipeError

    monkeypatch.setattr("sys.stdout", Closed())
    with pytest.raises(BrokenPipeError):
        say("hello")


@pytest.mark.parametrize(
    ("terminal", "handler", "watched"),
    [(True, TerminalHandler, True), (False, TerminalHandler, False), (True, Kept, False)],
)
def test_a_bar_grows_only_where_the_command_line_shows_messages_on_a_terminal(
    monkeypatch, terminal, handler, watched
):
    monkeypatch.setattr(LOGGER, "handlers", [handler()])
    monkeypatch.setattr("sys.stdout.isatty", lambda: terminal, raising=False)
    assert is_watched() == watched

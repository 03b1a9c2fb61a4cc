import os
import subprocess
import sys

import numpy as np
import pytest

from apps.tasks.classification import explanation
from apps.tasks.classification.explanation_output import format_explanation
from apps.tasks.tagging import spans_on_screen
from data.messages import printable

ESCAPE = "\x1b]0;owned\x07"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain\ttext\n", "plain\ttext\n"),
        (ESCAPE, r"\x1b]0;owned\x07"),
        ("over\rwritten", r"over\rwritten"),
        ("\x9b31m", r"\x9b31m"),
        ("left\u202eto right", r"left\u202eto right"),
        ("caf\udce9", r"caf\udce9"),
        (
            "été, 日本, 👩\u200d🚀, שלום\u200f, a\u00a0b",
            "été, 日本, 👩\u200d🚀, שלום\u200f, a\u00a0b",
        ),
    ],
)
def test_a_terminal_is_shown_what_it_would_obey(text, shown):
    assert printable(text) == shown


def test_marked_spans_keep_the_colours_and_lose_the_escapes_of_the_text():
    entity = {"start": 2, "end": 2 + len(ESCAPE), "type": f"P{ESCAPE}", "score": 0.5}
    shown = spans_on_screen.mark_spans(f"a {ESCAPE} {ESCAPE}", [entity], coloured=False)
    assert shown == r"a [\x1b]0;owned\x07](P\x1b]0;owned\x07 50 %) \x1b]0;owned\x07"
    coloured = spans_on_screen.mark_spans(f"a {ESCAPE}", [entity], coloured=True)
    assert "\x1b]" not in coloured and "\x1b[1;" in coloured


def test_explanations_keep_their_colours_and_lose_the_escapes_of_the_words():
    found = explanation.Explanation(
        class_name=f"c{ESCAPE}",
        answer=f"spam{ESCAPE}",
        words=[f"win{ESCAPE}", "now"],
        weights=np.array([1.0, -0.5], np.float32),
        drops=np.array([0.9, -0.4], np.float32),
        figure=1.0,
        baseline=0.0,
    )
    shown = format_explanation(found, colours=True)
    assert "\x1b]" not in shown and "\x07" not in shown and "\x1b[38;5;" in shown


def python_with(closed: str, code: str):
    """Runs code in an interpreter that starts with a standard stream closed."""
    return subprocess.run(
        ["bash", "-c", f'"$0" -c "$1" {closed}', sys.executable, code],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_no_file_gets_the_number_of_a_closed_stream(closed):
    code = """
import os, sys
from apps.terminal.streams import prepare_streams
prepare_streams()
number = os.open("/dev/null", os.O_RDONLY)
print(sys.stdin.read())
print("out")
print("err", file=sys.stderr)
sys.exit(number if number > 2 else 1)
"""
    assert python_with(closed, code).returncode == 3


@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_characters_that_the_encoding_lacks_are_escaped(name):
    code = f"""
import sys
from apps.terminal.streams import prepare_streams
prepare_streams()
print("Gr\\u00fc\\u00dfe \\udce9", file=sys.{name})
"""
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
        check=False,
    )
    assert (done.returncode, getattr(done, name)) == (0, "Gr\\xfc\\xdfe \\udce9\n")

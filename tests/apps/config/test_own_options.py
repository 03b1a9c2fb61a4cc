"""Options of `predict` and `export` that belong to one application."""

import json
from dataclasses import dataclass, replace

import pytest

from apps.config.options import option
from apps.config.verbs import PredictOptions
from apps.hate_speech import APPLICATION
from data.errors import UserError


@dataclass(frozen=True)
class Beams(PredictOptions):
    beam_width: int = option(4, "hypotheses", at_least=1)
    greedy: bool = option(False, "take the best token each time")

    def __post_init__(self):
        if self.greedy and self.beam_width > 4:
            raise UserError("--greedy and --beam-width exclude each other. Leave one out")


class Task:
    """Stands for a trained task: keeps what it is told."""

    told = None

    @classmethod
    def load(cls, config, description, folder):
        return cls()

    def set_options(self, options):
        Task.told = options
        raise UserError("told")


OWN = replace(APPLICATION, load_task=lambda: Task, options={"predict": Beams, "export": Beams})


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A folder that looks like a run."""
    folder = tmp_path_factory.mktemp("run")
    description = {"format": 1, "application": "hate_speech", "config": {}, "checksum": ""}
    (folder / "config.json").write_text(json.dumps(description))
    (folder / "model.keras").write_text("")
    return folder


@pytest.mark.parametrize("verb", [["predict", "a text"], ["export", "--output", "none"]])
@pytest.mark.parametrize(
    ("given", "told"),
    [
        ([], Beams()),
        (["--beam-width", "7"], Beams(beam_width=7)),
        (["--greedy"], Beams(greedy=True)),
    ],
)
def test_the_task_is_told_the_options_given_and_the_defaults(command_of, run, verb, given, told):
    answer = command_of(OWN, *verb, "--run", run, *given)
    assert (answer.status, answer.err) == (2, "error: told\n")
    assert Task.told == told


@pytest.mark.parametrize("verb", ["predict", "export"])
def test_the_help_shows_them_with_their_defaults(command_of, verb):
    assert "hypotheses (default: 4)" in command_of(OWN, verb, "--help").out


def test_other_applications_do_not_have_them(command_of, run):
    answer = command_of(APPLICATION, "predict", "a text", "--run", run, "--beam-width", "7")
    assert answer.status == 2 and "--beam-width" in answer.err


WITHOUT_TENSORFLOW = """
import sys
sys.path.insert(0, sys.argv.pop(1))
from test_own_options import OWN
from apps.commands.main import main
try:
    main(OWN, sys.argv[1:])
finally:
    assert not {"tensorflow", "keras"} & sys.modules.keys()
"""


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--beam-width", "0"], "--beam-width must be at least 1"),
        (["--greedy", "--beam-width", "5"], "exclude each other"),
    ],
)
def test_what_does_not_fit_is_refused_without_tensorflow(python_process, run, given, words):
    here = __file__.rpartition("/")[0]
    done = python_process(WITHOUT_TENSORFLOW, here, "predict", "a text", "--run", run, *given)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert words in done.stderr

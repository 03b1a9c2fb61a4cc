import configparser
import re
import shlex
from pathlib import Path

import pytest

from apps.config.parser import add_fields, new_parser
from apps.config.serving import ServeOptions

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"


def instructions():
    text = (DEPLOY / "Dockerfile").read_text()
    text = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)
    lines = re.sub(r"\\\n", " ", text).splitlines()
    return [tuple(line.split(maxsplit=1)) for line in lines if line.strip()]


def test_what_the_image_copies_is_there_and_not_ignored():
    kept = [
        line.removeprefix("!")
        for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
        if line.startswith("!")
    ]
    copied = [
        name
        for kind, rest in instructions()
        if kind == "COPY" and "--from" not in rest
        for name in shlex.split(rest)[:-1]
    ]
    assert len(copied) == 8
    for name in copied:
        assert (ROOT / name).exists(), name
        assert name in kept, name


def test_the_image_does_not_run_as_root_and_has_a_health_check():
    found = instructions()
    kinds = [kind for kind, _ in found]
    last = len(kinds) - 1 - kinds[::-1].index("FROM")
    user = next(rest for kind, rest in found[last:] if kind == "USER")
    assert user.isdecimal() and int(user) > 0
    assert kinds.index("USER", last) < kinds.index("ENTRYPOINT", last)
    assert "/v2/health/live" in dict(found[last:])["HEALTHCHECK"]


def test_the_image_installs_what_the_extra_names():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    extra = setup["options.extras_require"]["serve"].splitlines()
    names = {re.split(r"[>=<]", line)[0] for line in extra if line and not line.startswith("#")}
    (command,) = (rest for kind, rest in instructions() if kind == "RUN" and "else" in rest)
    assert names <= set(command.partition("else")[2].replace(";", " ").split())


@pytest.mark.parametrize("name", ["Dockerfile", "compose.yaml", "recurrent-text.service"])
def test_the_options_of_the_files_are_those_of_serve(name):
    parser = new_parser("serve", "")
    add_fields(parser, ServeOptions)
    known = {flag for action in parser._actions for flag in action.option_strings}
    text = (DEPLOY / name).read_text()
    lines = [line for line in text.splitlines() if re.search(r"serve\b.*--|command:", line)]
    used = {flag for line in lines for flag in re.findall(r"--[a-z-]+(?=[\s\",\]])", line)}
    assert lines and used <= known

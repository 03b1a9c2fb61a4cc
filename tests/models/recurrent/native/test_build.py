import threading

import pytest

from models.recurrent.native import build
from models.recurrent.native.build import NotBuiltError

SECONDS = 60


@pytest.fixture
def compiler(monkeypatch, tmp_path):
    """Takes a script for the compiler, and an empty folder for the cache; returns a list of the
    script's calls as a function."""
    calls = tmp_path / "calls"
    calls.touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def use(script):
        path = tmp_path / "compiler"
        path.write_text(f"#!/bin/sh\necho called >> {calls}\n{script}\n")
        path.chmod(0o755)
        monkeypatch.setenv("CXX", str(path))

    use.calls = lambda: len(calls.read_text().splitlines())
    return use


def accept(library):
    assert library.read_text() == "library\n"


def test_the_operator_is_compiled_once_and_found_again(compiler):
    compiler('echo library > "$2"')
    library = build.build(accept)
    assert build.build(accept) == library
    assert library.read_text() == "library\n"
    assert library.parent == build.cache_folder()
    assert compiler.calls() == 1


def test_those_that_need_it_at_the_same_time_wait_for_one(compiler):
    compiler('sleep 0.2; echo library > "$2"')
    found = []
    threads = [threading.Thread(target=lambda: found.append(build.build(accept))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    assert len(found) == 3 and len(set(found)) == 1
    assert compiler.calls() == 1


def test_a_library_that_fails_its_test_is_not_kept_and_not_tried_again(compiler):
    compiler('echo library > "$2"')

    def refuse(library):
        raise NotBuiltError("its outputs are wrong")

    for test in (refuse, accept):
        with pytest.raises(NotBuiltError, match="its outputs are wrong"):
            build.build(test)
    assert compiler.calls() == 1
    assert not list(build.cache_folder().glob("*.so"))


def test_what_the_compiler_says_is_the_reason(compiler):
    compiler("echo 'x.cc:1: error: no such header' >&2; exit 1")
    with pytest.raises(NotBuiltError, match=r"compiler failed: x.cc:1: error: no such header"):
        build.build(accept)


def test_a_compiler_that_is_ended_is_tried_again(compiler):
    compiler("kill -9 $$")
    for _ in range(2):
        with pytest.raises(NotBuiltError, match="was ended by signal 9"):
            build.build(accept)
    assert compiler.calls() == 2


def test_without_a_compiler_there_is_no_operator(monkeypatch, tmp_path):
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotBuiltError, match=r"no C\+\+ compiler \(g\+\+, c\+\+, clang\+\+\)"):
        build.build(accept)


def test_a_cache_that_cannot_be_written_is_a_reason(compiler, tmp_path):
    compiler('echo library > "$2"')
    (tmp_path / "cache").write_text("a file, no folder")
    with pytest.raises(NotBuiltError, match=r"Not a directory|File exists"):
        build.build(accept)


def test_another_compiler_means_another_library(compiler):
    compiler('echo library > "$2"')
    first = build.build(accept)
    compiler('echo library > "$2" # a newer version')
    assert build.build(accept) != first

"""The Python that the README shows."""

import ast
import builtins
import re
from pathlib import Path

import pytest

TEXT = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


def unknown_names(code):
    """The names that code uses before it has them, whoever pastes it into a fresh interpreter."""
    known, unknown = set(vars(builtins)), []
    for statement in ast.parse(code).body:
        names = [node for node in ast.walk(statement) if isinstance(node, ast.Name)]
        unknown += [
            name.id for name in names if isinstance(name.ctx, ast.Load) and name.id not in known
        ]
        known |= {name.id for name in names if isinstance(name.ctx, ast.Store)}
        if isinstance(statement, ast.Import | ast.ImportFrom):
            known |= {alias.asname or alias.name.split(".")[0] for alias in statement.names}
    return unknown


def test_a_name_without_an_import_is_found():
    assert unknown_names("import a.b\nx = a.f(len('c'))\ny = x + z\nz = 1\n") == ["z"]


def test_the_readme_has_python():
    assert len(BLOCKS) >= 8


@pytest.mark.parametrize("code", BLOCKS, ids=lambda code: code.splitlines()[-1][:40])
def test_each_block_imports_all_that_it_uses(code):
    assert unknown_names(code) == []

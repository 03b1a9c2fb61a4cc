"""The notebooks: sources and executed pairs are in step, and every one runs from top to bottom."""

import os
from pathlib import Path

import jupytext
import nbformat
import pytest
from jupyter_client import KernelManager
from nbclient import NotebookClient

# What the notebook before it named must not help this one. To compile by XLA and to optimise graphs
# would take most of the time, for shapes that are read once. Pictures are made, but blank: the
# executed pair shows them.
BEFORE = """
%reset -f
from apps.commands.startup import import_tensorflow
import_tensorflow()
import functools, gc
gc.freeze()
gc.set_threshold(100_000, 50, 100)
import keras, tensorflow
keras.Model.compile = functools.partialmethod(keras.Model.compile, jit_compile=False)
tensorflow.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
from models.compilation import stock_operations
from models.recurrent.native.operator import is_available
stock = stock_operations()
if not is_available():
    stock.__enter__()
import matplotlib.pyplot as plt
def blank(figure, path, *arguments, **options):
    plt.imsave(path, [[0.0]], format="png")
plt.Figure.savefig = blank
%config InlineBackend.figure_formats = []
"""
FOLDER = Path(__file__).parents[2] / "notebooks"
SOURCES = sorted(FOLDER.glob("[0-9][0-9]_*.py"))


def cells_of(notebook):
    return [(cell.cell_type, cell.source) for cell in notebook.cells]


def named(source):
    return source.stem


@pytest.fixture(scope="module")
def kernel():
    """One for all notebooks: each would import TensorFlow anew."""
    manager = KernelManager(kernel_name="python3")
    # A notebook may change the folder: the next one finds `diagrams` all the same.
    path = os.pathsep.join(filter(None, [str(FOLDER), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "NOTEBOOK_SETTING": "tiny", "PYTHONPATH": path}
    manager.start_kernel(cwd=FOLDER, env=environment)
    yield manager
    manager.shutdown_kernel(now=True)


def test_the_map_of_the_course_names_every_notebook():
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert SOURCES
    links = [f"[{source.stem}]({source.stem}.ipynb)" for source in SOURCES]
    assert not [link for link in links if link not in text]
    assert sorted(path.stem for path in FOLDER.glob("*.ipynb")) == [s.stem for s in SOURCES]


@pytest.mark.parametrize("source", SOURCES, ids=named)
def test_an_executed_notebook_says_what_its_source_says(source):
    executed = nbformat.read(source.with_suffix(".ipynb"), as_version=4)
    assert cells_of(executed) == cells_of(jupytext.read(source)), (
        f"run: jupytext --to ipynb --execute notebooks/{source.name}"
    )
    assert all(text for _, text in cells_of(executed))


@pytest.mark.parametrize("source", SOURCES, ids=named)
def test_a_notebook_was_executed_once_from_top_to_bottom_without_an_error(source):
    executed = nbformat.read(source.with_suffix(".ipynb"), as_version=4)
    code = [cell for cell in executed.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == [*range(1, len(code) + 1)]
    outputs = [output for cell in code for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    assert not [output for output in outputs if output.get("name") == "stderr"]
    assert any("image/png" in output.get("data", {}) for output in outputs)


@pytest.mark.parametrize("source", SOURCES, ids=named)
def test_a_notebook_runs_on_a_tiny_setting(source, kernel, on_small_samples):
    notebook = jupytext.read(source)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(on_small_samples + BEFORE))
    NotebookClient(notebook, km=kernel, timeout=120).execute()
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in code)


@pytest.mark.parametrize("source", SOURCES, ids=named)
def test_a_notebook_defines_no_layer(source):
    notebook = jupytext.read(source)
    classes = [line for _, text in cells_of(notebook) for line in text.splitlines()]
    assert not [line for line in classes if line.lstrip().startswith("class ")]

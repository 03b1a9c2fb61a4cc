"""The floors of the house: imports go down, never in a circle, and no folder is a crowd."""

import ast
from collections import Counter
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MOST_MODULES = 12

# A line is a floor: what stands on it imports what stands on the lines above it, and its own
# modules, but nothing beside it. A name is a package without its sub-packages, or a module.
FLOORS = """
data data.errors data.graphs data.messages data.registry data.text.characters
data.files data.text_steps
data.images data.text data.vectors
data.examples
data.batches data.formats
data.identity_terms data.scenes data.transcription data.user_files
data.user_files.tagged data.corpora
data.corpora.captions data.corpora.dialogues data.corpora.documents data.corpora.labelled
data.corpora.parallel data.corpora.tagged
data.datasets
models models.copies models.half_precision models.portable models.registry
models.attention models.compilation models.decoding models.evaluation models.members
models.portable.decoding
models.precision
models.evaluation.captions models.recurrent.native
models.crf models.optimization models.recurrent
models.layers
models.classification models.language_model models.seq2seq models.tagging
models.captioning
models.model_archive models.serving models.transfer
models.onnx
apps.commands.startup apps.config apps.pretrained apps.terminal apps.tracking.listener
apps.pages apps.plots apps.runs
apps.inspection.texts apps.reports
apps.inspection
apps.training.workers
apps.training
apps.tracking
apps.cluster apps.serving
apps.tasks
apps.tasks.captioning
apps.tasks.classification apps.tasks.generation apps.tasks.seq2seq apps.tasks.tagging
apps.tasks.chat
apps.tasks.loading apps.tasks.onnx_engine
apps.tasks.portable
apps.tasks.quantization
apps.search
apps.commands.application
apps.commands.prediction
apps.commands
apps.hate_speech apps.ner apps.sentiment apps.spam apps.text_generation
apps.chat apps.summarization apps.translation
apps.captioning
apps.catalog apps.runs.__main__
apps.python
apps.server.errors apps.server.metrics
apps.server.protocols
apps.server.models
apps.server
apps.__main__
apps apps.serve
"""


def modules_in(root: Path) -> dict[str, Path]:
    """Returns the files of the three packages by their dotted names."""
    paths = [path for top in ("data", "models", "apps") for path in (root / top).rglob("*.py")]
    names = [".".join(path.relative_to(root).with_suffix("").parts) for path in paths]
    return {n.removesuffix(".__init__"): path for n, path in zip(names, paths, strict=True)}


def imports_in(modules: dict[str, Path]) -> dict[str, set[str]]:
    """Returns the modules that each module imports, those inside of functions included."""
    found = {}
    for name, path in modules.items():
        imported = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                inner = {f"{node.module}.{alias.name}" for alias in node.names}
                imported |= inner & modules.keys()
                # A name that a package hands on comes from the package itself.
                imported |= {node.module} if inner - modules.keys() else set()
        found[name] = imported & modules.keys() - {name}
    return found


def faults_of(root: Path, floors: str) -> list[str]:
    """Returns what is wrong with the imports and folders under a root, a line each."""
    modules = modules_in(root)
    imports = imports_in(modules)
    floor_of = {
        name: number
        for number, line in enumerate(floors.strip().splitlines())
        for name in line.split()
    }

    def home_of(module: str) -> str | None:
        package = module if modules[module].name == "__init__.py" else module.rpartition(".")[0]
        return next((name for name in (module, package) if name in floor_of), None)

    faults = [f"{name} stands on no floor" for name in modules if home_of(name) is None]
    if faults:
        return faults
    for name, imported in imports.items():
        home = home_of(name)
        for other in sorted(imported):
            if home_of(other) != home and floor_of[home_of(other)] >= floor_of[home]:
                faults.append(f"{name} imports {other}, which is not below it")
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        faults.append("circle: " + " -> ".join(error.args[1]))
    folders = Counter(path.parent for path in modules.values() if path.name != "__init__.py")
    for folder, count in folders.items():
        if count > MOST_MODULES:
            faults.append(f"{folder.relative_to(root)} has {count} modules")
    return faults


def test_imports_go_down_and_folders_are_small():
    assert faults_of(ROOT, FLOORS) == []


@pytest.mark.parametrize(
    ("files", "fault"),
    [
        ({"data/low.py": "from data.high import x"}, "data.low imports data.high"),
        ({"data/low.py": "def f():\n    import data.high"}, "data.low imports data.high"),
        (
            {"apps/a.py": "from apps.b import x", "apps/b.py": "from apps import a"},
            "circle: apps.a -> apps.b -> apps.a",
        ),
        ({"apps/sub/__init__.py": ""}, "apps.sub stands on no floor"),
        ({f"apps/m{i}.py": "" for i in range(13)}, "apps has 13 modules"),
    ],
    ids=["upward", "upward-in-a-function", "circle", "unknown", "crowd"],
)
def test_what_is_wrong_is_found(tmp_path, files, fault):
    house = {"data/__init__.py": "", "data/low.py": "", "data/high.py": ""}
    for name, text in {**house, "apps/__init__.py": "", **files}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    floors = "data data.low\ndata.high\napps"
    (found,) = faults_of(tmp_path, floors)
    assert found.startswith(fault)


def test_a_sound_house_has_no_faults(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "low.py").write_text("import os")
    (tmp_path / "data" / "high.py").write_text("from data.low import x\nfrom data import low")
    assert faults_of(tmp_path, "data\ndata.low\ndata.high") == []

"""Every option of `train` is read by the task that has it.

The code is read, not run: from a task and its verbs, through the functions and classes
that they name, all attributes of a config are collected.
"""

import ast
import dataclasses
import functools
from dataclasses import dataclass
from pathlib import Path

import pytest

from apps.config.groups import VectorOptions
from apps.config.options import Options, option
from apps.tasks.chat.config import ChatConfig
from apps.tasks.classification.config import ClassificationConfig
from apps.tasks.generation.config import GenerationConfig
from apps.tasks.seq2seq.config import TranslationConfig
from apps.tasks.tagging.config import TaggingConfig

ROOT = Path(__file__).parents[3]
TRAIN = ("apps.commands.train", "run")
# Of a run's options it reads the column with the texts.
PREDICT = ("apps.commands.predict", "run")
TASKS = {
    ClassificationConfig: ("apps.tasks.classification.task", "TextClassification"),
    TaggingConfig: ("apps.tasks.tagging.task", "TextTagging"),
    GenerationConfig: ("apps.tasks.generation.task", "TextGeneration"),
    ChatConfig: ("apps.tasks.chat.task", "Chat"),
    TranslationConfig: ("apps.tasks.seq2seq.task", "Seq2Seq"),
}
# To refuse an option is not to read it.
CHECKS = {"check", "check_data", "split_files", "__post_init__"}


@functools.cache
def definitions(module):
    """The statements of a module by the names they define, and the modules or (module, name) that
    its imports mean; None for a module that is not of the applications."""
    path = ROOT / (module.replace(".", "/") + ".py")
    if not module.startswith(("apps.", "models.registry")) or not path.exists():
        return None
    tree, defined, imported = ast.parse(path.read_text(encoding="utf-8")), {}, {}
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            defined[statement.name] = statement
        elif isinstance(statement, ast.Assign):
            defined |= {t.id: statement for t in statement.targets if isinstance(t, ast.Name)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            for name in node.names:
                imported[name.asname or name.name] = (node.module, name.name)
    return defined, imported


def reached(roots):
    """The definitions that are named from the roots on, those of imported modules included."""
    found, waiting = {}, list(roots)
    while waiting:
        module, name = waiting.pop()
        if (module, name) in found or (here := definitions(module)) is None:
            continue
        defined, imported = here
        if name in imported:
            waiting.append(imported[name])
        if name not in defined:
            continue
        found[module, name] = defined[name]
        for node in ast.walk(defined[name]):
            if isinstance(node, ast.Name):
                waiting.append((module, node.id))
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                package, base = imported.get(node.value.id, (None, None))
                waiting.append((f"{package}.{base}", node.attr))
    return found


def is_config(node):
    return (isinstance(node, ast.Name) and node.id == "config") or (
        isinstance(node, ast.Attribute) and node.attr == "config"
    )


def attributes_read(module, node):
    """The attributes of configs, and what `getattr` reads of them by names in the node and in the
    tables that it names."""
    for part in ast.walk(node):
        if isinstance(part, ast.Attribute) and is_config(part.value):
            yield part.attr
        elif is_getattr(part) and is_config(part.args[0]):
            for near in (node, *tables_named(module, node)):
                yield from (c.value for c in ast.walk(near) if isinstance(c, ast.Constant))


def tables_named(module, node):
    names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
    found = (reached_one(module, name) for name in names)
    return [table for table in found if isinstance(table, ast.Assign)]


def reached_one(module, name):
    """The definition of a name in a module or where it is imported from; None without one."""
    defined, imported = definitions(module) or ({}, {})
    return defined.get(name) or (reached_one(*imported[name]) if name in imported else None)


def is_getattr(node):
    return isinstance(node, ast.Call) and getattr(node.func, "id", "") == "getattr"


def is_self(node):
    return isinstance(node, ast.Name) and node.id == "self"


def methods_read(config):
    """What a config's own methods read of it, but those that only refuse."""
    for group in config.__mro__:
        here = definitions(group.__module__)
        if here is None or group.__name__ not in here[0]:
            continue
        for method in here[0][group.__name__].body:
            if isinstance(method, ast.FunctionDef) and method.name not in CHECKS:
                parts = (p for p in ast.walk(method) if isinstance(p, ast.Attribute))
                yield from (part.attr for part in parts if is_self(part.value))


def unread(config, task):
    """The options of a config that neither its task nor a verb reads."""
    read = {
        *methods_read(config),
        *attributes_read(PREDICT[0], definitions(PREDICT[0])[0][PREDICT[1]]),
    }
    for (module, _), node in reached([TRAIN, task]).items():
        # Transfer compares options by name, which reads none of them.
        if module != "apps.runs.init_from":
            read.update(attributes_read(module, node))
    return {field.name for field in dataclasses.fields(config)} - read


@pytest.mark.parametrize("config", TASKS, ids=lambda config: config.__name__)
def test_every_option_of_train_is_read_by_its_task(config):
    assert unread(config, TASKS[config]) == set()


@dataclass(frozen=True)
class UnreadOptions(Options):
    colour: str = option("red", "colour of the model")


@dataclass(frozen=True)
class Coloured(UnreadOptions, VectorOptions, TranslationConfig):
    """A translator has no use for vectors, though other tasks read them by the same function."""


def test_an_option_that_nothing_reads_is_found():
    assert unread(Coloured, TASKS[TranslationConfig]) == {
        "colour",
        "vectors",
        "freeze_vectors",
        "open_vocabulary",
    }


def test_the_task_and_the_training_are_reached():
    found = reached([TRAIN, TASKS[TranslationConfig]])
    assert ("apps.tasks.seq2seq.builder", "build_translator") in found
    assert ("apps.training.fit", "optimizer") in found
    assert ("apps.tasks.builder", "recurrent_options") in found
    assert ("apps.tasks.builder", "set_vectors") not in found

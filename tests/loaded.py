"""Runs that stay loaded: most tests read what a command says of one run."""

import contextlib
import copy
import functools
from dataclasses import is_dataclass
from unittest import mock

# By their files and options: the loaded task, and its serving models by the options of answers.
_LOADED, _MOST_LOADED = {}, 4


@contextlib.contextmanager
def loaded_once():
    """Whoever loads a run inside gets what was loaded from the same files before, with the graphs
    that have been traced."""
    from apps.commands.application import Application

    load = Application.load

    def load_once(application, files, config=None):
        config = config or application.config_of(files)
        key = files.description.fingerprint, repr(config)
        if key[0] is None:
            return load(application, files, config)
        if key not in _LOADED:
            while len(_LOADED) >= _MOST_LOADED:
                _LOADED.pop(next(iter(_LOADED)))
            _LOADED[key] = load(application, files, config), {}
        task, graphs = _LOADED[key]
        # Options are set on copies.
        task = copy.copy(task)
        task.__class__ = _served_once(type(task))
        task.kept_graphs = graphs
        return task

    with mock.patch.object(Application, "load", load_once):
        yield


@functools.cache
def _served_once(task_class):
    """Returns a class of tasks that make a serving model once for each choice of options."""

    class ServedOnce(task_class):
        def serving(self):
            state = {name: value for name, value in vars(self).items() if name != "kept_graphs"}
            key = repr(
                {name: value if is_dataclass(value) else id(value) for name, value in state.items()}
            )
            if key not in self.kept_graphs:
                # The state is kept, lest another has its place in memory.
                self.kept_graphs[key] = super().serving(), state
            return self.kept_graphs[key][0]

    ServedOnce.__name__ = task_class.__name__
    return ServedOnce


@contextlib.contextmanager
def attributed_once():
    """Whoever explains answers inside traces the graph of a loaded model once."""
    from apps.tasks.classification import explanation

    once = {
        name: functools.lru_cache(maxsize=4)(getattr(explanation, name))
        for name in ("split", "Attribution")
    }
    with mock.patch.multiple(explanation, **once):
        yield

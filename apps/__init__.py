"""Applications of recurrent networks for text: from Python and from the command line.

>>> import apps
>>> apps.applications()["ner"]
'Find names of persons, places, organisations and others in texts.'

TensorFlow is imported when a model is loaded or trained, not before.
"""

import importlib
import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from apps.catalog import applications as applications
    from apps.commands.evaluate import Evaluation as Evaluation
    from apps.python.loading import load as load
    from apps.python.model import Model as Model
    from apps.python.training import train as train
    from apps.terminal.program import VERSION as __version__
    from data.errors import UserError as Error

# The public names, each imported when it is asked for: `import apps` takes no time.
_HOMES = {
    "applications": ("apps.catalog", "applications"),
    "load": ("apps.python.loading", "load"),
    "train": ("apps.python.training", "train"),
    "Model": ("apps.python.model", "Model"),
    "Evaluation": ("apps.commands.evaluate", "Evaluation"),
    "Error": ("data.errors", "UserError"),
    "__version__": ("apps.terminal.program", "VERSION"),
}
__all__ = ["Error", "Evaluation", "Model", "__version__", "applications", "load", "train"]

_HIDDEN = (
    "{found} hides the package {name!r} of recurrent-text-suite. Use the command recurrent-text "
    "in place of python -m, rename the one or leave its folder"
)


def _check_packages() -> None:
    """Refuses a `data` or `models` of somebody else, which is what Python finds first in its
    working folder, before an import fails deep inside.

    Raises:
        ImportError: there is one. A command says so in one line and exits with status 2.
    """
    home = Path(__file__).resolve().parents[1]
    for name in ("data", "models"):
        module = sys.modules.get(name)
        spec = module.__spec__ if module else importlib.util.find_spec(name)
        places = (spec and spec.submodule_search_locations) or ()
        if any(Path(place).resolve().parent == home for place in places):
            continue
        found = next(iter(places), spec.origin if spec else None)
        if found is None:
            continue
        message = _HIDDEN.format(found=found, name=name)
        # Python has put the module's path here if it is more than looking for it.
        if Path(sys.argv[0] if sys.argv else "").name in ("-m", "recurrent-text"):
            print(f"error: {message}", file=sys.stderr)
            sys.exit(2)
        raise ImportError(message)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'apps' has no attribute {name!r}")
    module, attribute = _HOMES[name]
    return getattr(importlib.import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


_check_packages()

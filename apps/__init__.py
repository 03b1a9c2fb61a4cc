"""Applications of recurrent networks for text: from Python and from the command line.

>>> import apps
>>> apps.applications()["ner"]
'Find names of persons, places, organisations and others in texts.'

TensorFlow is imported when a model is loaded or trained, not before.
"""

import importlib.util
import sys
from pathlib import Path

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


_check_packages()

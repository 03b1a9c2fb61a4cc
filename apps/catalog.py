"""The applications of the suite by name."""

import importlib

from apps.commands.application import Application
from data.errors import UserError, did_you_mean

# Modules of `apps`, each with an `APPLICATION`; in the order in which they are listed.
NAMES = (
    "hate_speech",
    "sentiment",
    "spam",
    "ner",
    "text_generation",
    "translation",
    "summarization",
    "captioning",
    "chat",
)


def find_application(name: str) -> Application:
    """Returns the application of a name, without importing TensorFlow.

    Raises:
        UserError: there is none.
    """
    if name not in NAMES:
        raise UserError(
            f"unknown application {name!r}. Choose one of: {', '.join(NAMES)}"
            f"{did_you_mean(name, NAMES)}"
        )
    return importlib.import_module(f"apps.{name}").APPLICATION


def applications() -> dict[str, str]:
    """Returns what each application does, by its name.

    >>> import apps
    >>> apps.applications()["spam"]
    'Classify short messages as spam or ham (wanted).'
    """
    return {name: find_application(name).summary for name in NAMES}

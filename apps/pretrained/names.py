"""The names by which commands find the trained models that ship."""

from pathlib import Path

from data.errors import UserError, did_you_mean

NAME = "pretrained"
FOLDER = Path(__file__).parent


def shipped() -> tuple[str, ...]:
    """Returns the applications of which a trained model ships."""
    return tuple(sorted(path.parent.name for path in FOLDER.glob("*/config.json")))


def is_shipped(run: Path) -> bool:
    """Returns whether a run folder is one that ships: nothing is written there."""
    return run.parent == FOLDER


def find_run(run: str | Path, application: str = "") -> Path:
    """Returns the folder that the name of a run means.

    `pretrained` is the model that ships for an application, and `pretrained/spam` that of spam,
    unless the working folder holds a run of this name.

    Args:
        run: a folder, or one of these names.
        application: whose model `pretrained` is; empty where nothing says.

    Raises:
        UserError: no model ships for the application.
    """
    path = Path(run)
    if path.parts[:1] != (NAME,) or len(path.parts) > 2 or (path / "config.json").is_file():
        return path
    wanted = path.parts[1] if len(path.parts) == 2 else application
    names = shipped()
    if wanted in names:
        return FOLDER / wanted
    if not wanted:
        raise UserError(f"which model that ships? Name it: {NAME}/{f', {NAME}/'.join(names)}")
    raise UserError(
        f"no trained model ships for {wanted!r}, but for {', '.join(names)}. Train one, or check "
        f"--run{did_you_mean(wanted, names)}"
    )


def hint(application: str) -> str:
    """Returns what an error says of the model that ships for an application, or nothing."""
    return f". One ships: --run {NAME}" if application in shipped() else ""

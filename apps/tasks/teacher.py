"""The trained model that another one learns from: `--teacher`."""

from typing import Any

from apps.config.options import override, without_dropped
from apps.pretrained.names import find_run
from apps.runs.files import RunFiles, read_run
from apps.runs.folder import RunFolder
from apps.runs.init_from import kind_of
from apps.tasks.task import Task
from data.errors import UserError, list_values


def read_teacher(student: Any) -> RunFiles:
    """Reads the run of the model that another one learns from.

    Args:
        student: a task with classes, whose options name the teacher.

    Raises:
        UserError: it holds another kind of model, or one of other classes.
    """
    name, kind = student.config.teacher or "", student.config.kind
    files = read_run(RunFolder(find_run(name), "--teacher"))
    description = files.description
    if kind_of(description) != kind:
        raise UserError(
            f"{name} holds a run of {description.application!r}, not of a {kind}. Check --teacher"
        )
    several = description.details.get("multi_label")
    same = several == getattr(student, "multi_label", None)
    if description.class_names != student.class_names or not same:
        raise UserError(
            f"{name} answers with {list_values(description.class_names, 4)}, the data have "
            f"{list_values(student.class_names, 4)}. Check --teacher"
        )
    return files


def load_teacher(student: Any) -> Task:
    """Returns the task that another one learns from.

    Raises:
        UserError: see `read_teacher`.
    """
    files = read_teacher(student)
    options = type(student.config)
    stored = without_dropped(options, files.description.config)
    with files.copied() as folder:
        return type(student).load(override(options(), stored), files.description, folder)

"""What rounded weights cost: the metrics of a run's ONNX forms on its validation split."""

import tempfile
from pathlib import Path
from typing import Any

from apps.runs.files import RunFiles
from apps.tasks.portable import load_exported, write_form_of


def describe_cost(task: Any, files: RunFiles, rounded: Path, examples: Any) -> str:
    """Measures a form with rounded weights beside one without.

    Args:
        task: the trained task, a `apps.tasks.task.Roundable`.
        files: of its run.
        rounded: the folder of the form with rounded weights.
        examples: the validation split.

    Returns:
        A table of the main metrics and the sizes of the networks.
    """
    with tempfile.TemporaryDirectory() as name:
        exact = Path(name)
        write_form_of(task, exact, files)
        columns = []
        for folder in (exact, rounded):
            rows = load_exported(folder, task.config).answer(examples.texts)
            columns.append(task.report_rows(rows, examples).main_metrics())
        sizes = [(folder / "model.onnx").stat().st_size / 1024 for folder in (exact, rounded)]
    lines = [f"{'validation':22}{'float32':>10}{'rounded':>10}"]
    lines += [
        f"{title:22}{value:10.4f}{columns[1][title]:10.4f}" for title, value in columns[0].items()
    ]
    lines.append(f"{'model.onnx, KiB':22}{sizes[0]:10,.0f}{sizes[1]:10,.0f}")
    return "\n".join(lines)

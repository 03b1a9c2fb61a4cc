"""`runs`: lists the runs in a folder, or compares some of them; TensorFlow is not imported."""

import csv
import json
import sys
from pathlib import Path

from apps.config.parser import OneLineParser, new_parser
from apps.pages.page import Page
from apps.pages.parts import Paragraph, Section
from apps.reports.comparison import compare, read_compared
from apps.reports.run_list import Run, find_runs, table_of
from data.messages import printable, say

SUMMARY = "List the runs in a folder, or compare some of them."
_FIELDS = ("path", "state", "application", "dataset", "size", "seconds", "date", "problem")


def run(arguments: list[str], program: str = "recurrent-text runs") -> None:
    """Lists or compares runs as a command line says.

    Args:
        arguments: of the command line, without the name of the command.
        program: what the help calls the command.

    Raises:
        UserError: there is no such folder, or no such run to compare.
    """
    parser = new_parser(program, SUMMARY)
    add_options(parser)
    options = parser.parse_args(arguments)
    if options.compare:
        _compare([*map(Path, options.compare)], options.json, options.csv)
        return
    folder = Path(options.folder)
    runs = find_runs(folder)
    if options.json:
        say(json.dumps([each.to_json() for each in runs], indent=2, ensure_ascii=False))
    elif options.csv:
        _write_csv(runs)
    else:
        problems = [Paragraph(each.problem, "warning") for each in runs if each.problem]
        section = Section("runs", f"{len(runs)} run(s)", [table_of(runs, folder), *problems])
        Page(str(folder), "", [section]).show()


def add_options(parser: OneLineParser) -> None:
    """Adds the options of the command to its parser."""
    parser.add_argument(
        "folder", nargs="?", default="runs", metavar="DIR", help="folder (default: %(default)s)"
    )
    parser.add_argument("--compare", nargs="+", metavar="RUN", help="run folders to compare")
    forms = parser.add_mutually_exclusive_group()
    forms.add_argument("--json", action="store_true", help="JSON instead of a table")
    forms.add_argument("--csv", action="store_true", help="CSV instead of a table: all metrics")


def _compare(paths: list[Path], as_json: bool, as_csv: bool) -> None:
    runs = read_compared(paths)
    if as_csv:
        _write_csv(runs)
        return
    page = Page("Comparison", ", ".join(map(str, paths)), compare(runs))
    if as_json:
        say(json.dumps(page.to_json(), indent=2, ensure_ascii=False))
    else:
        page.show()


def _write_csv(runs: list[Run]) -> None:
    """Writes a row a run, with a column for each metric of each split."""
    rows = []
    for each in runs:
        row = {name: getattr(each, name) for name in _FIELDS}
        for split, found in each.metrics.items():
            row |= {f"{split} {metric.name}": metric.value for metric in found}
        rows.append({printable(name): _cell(value) for name, value in row.items()})
    columns = dict.fromkeys(name for row in rows for name in row)
    writer = csv.DictWriter(sys.stdout, list(columns) or list(_FIELDS), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)


def _cell(value: object) -> object:
    return value if isinstance(value, int | float) or value is None else printable(value)

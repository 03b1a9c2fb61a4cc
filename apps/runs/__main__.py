"""`python -m apps.runs`: lists the runs in a folder, or compares some of them."""

import sys

from apps.commands.main import one_line_errors
from apps.reports import runs_command
from apps.terminal.streams import prepare_streams
from data.messages import show_messages


def main(arguments: list[str] | None = None) -> None:
    """Runs the command; exits with one line on a mistake."""
    prepare_streams()
    with show_messages(), one_line_errors():
        runs_command.run(sys.argv[1:] if arguments is None else arguments, "python -m apps.runs")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

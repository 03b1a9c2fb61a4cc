"""Files to answer, one or many: what is written of each, and how far all of them are."""

import glob
import os
import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from apps.config.verbs import PredictOptions
from apps.serving.files import READABLE, TIMED_SUFFIXES, is_subtitled
from apps.terminal.duration import format_duration
from apps.terminal.errors import describe_error
from data.errors import UserError, list_values
from data.messages import say, warn

# In the name of an output: the name of the input without folder and suffix.
NAME = "{name}"


@dataclass(frozen=True)
class Job:
    """A file to answer.

    Attributes:
        source: the file, or `-`.
        output: a file, `-`, or None.
        own: the options of `predict`; what they write is of this file alone.
    """

    source: str
    output: str | None
    own: PredictOptions

    @property
    def places(self) -> list[str]:
        """The files that are written."""
        return [each for each in (self.output, *self.own.files().values()) if each]


def is_many(source: str) -> bool:
    """Returns whether an input is a folder, or a pattern such as `talks/*.mp3`, and no file."""
    return os.path.isdir(source) or (glob.has_magic(source) and not os.path.exists(source))


def find_jobs(source: str, output: str | None, own: PredictOptions) -> list[Job]:
    """Finds the files that an input means: one, those of a folder, or those of a pattern.

    Args:
        source: the input.
        output: where answers are written; `{name}` stands for the name of each file.
        own: the options of `predict`, whose files may have `{name}`, too.

    Raises:
        UserError: there is no file, or several would be written to one place.
    """
    if not is_many(source):
        return [_job(source, output, own)]
    own_places = {f"--{name.replace('_', '-')}": place for name, place in own.files().items()}
    places = {"--output": output, **own_places}
    if not any(places.values()):
        raise UserError(f"{source} is several files. Pass --output 'FOLDER/{NAME}.csv'")
    for option, place in places.items():
        if place and NAME not in place:
            raise UserError(
                f"{source} is several files, and {option} {place} one. Write {NAME} where the "
                "name of each shall stand"
            )
    timed = own.page_file or is_subtitled(output, own.suffixes())
    jobs = [
        _job(each, output, own) for each in _find(source, TIMED_SUFFIXES if timed else READABLE)
    ]
    # What was written into the same folder before is no input.
    written = {os.path.realpath(place) for job in jobs for place in job.places}
    jobs = [job for job in jobs if os.path.realpath(job.source) not in written]
    if not jobs:
        raise UserError(f"{source} holds nothing but outputs of this command. Check --input")
    counts = Counter(place for job in jobs for place in job.places)
    for place, count in counts.items():
        if count > 1:
            some = list_values(job.source for job in jobs if place in job.places)
            raise UserError(
                f"{some} would all be written to {place}. Name some of them by a pattern"
            )
    return jobs


def _job(source: str, output: str | None, own: PredictOptions) -> Job:
    name = Path(source).stem
    return Job(source, output and output.replace(NAME, name), own.of_file(NAME, name))


def _find(source: str, suffixes: Collection[str]) -> list[str]:
    """Returns the files of a folder or a pattern that can be read, in the order of their names."""
    pattern = os.path.join(glob.escape(source), "*") if os.path.isdir(source) else source
    found = [each for each in sorted(glob.glob(pattern, recursive=True)) if os.path.isfile(each)]
    readable = [each for each in found if Path(each).suffix.lower() in suffixes]
    if not readable:
        raise UserError(
            f"{source}: none of {len(found)} file(s) is one of {', '.join(suffixes)}. Check --input"
        )
    return readable


def answer_all_files(
    jobs: Sequence[Job],
    answer: Callable[[Job], object],
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Answers files one after the other, but those of which everything is written already; says how
    far it is. A file that cannot be answered does not keep the others from it.

    Args:
        jobs: the files.
        answer: answers one.
        clock: returns the time in seconds.

    Raises:
        UserError: some could not be answered; the others are.
    """
    waiting = [job for job in jobs if not all(map(os.path.exists, job.places))]
    if len(waiting) < len(jobs):
        say(f"{len(jobs) - len(waiting)} of {len(jobs)} files are done: their outputs are there")
    failed, begun = [], clock()
    sizes = [max(1, os.path.getsize(job.source)) for job in waiting]
    for number, job in enumerate(waiting, 1):
        try:
            answer(job)
        except Exception as error:
            line = describe_error(error)
            if not line:
                raise
            failed.append(job.source)
            warn(line if job.source in line else f"{job.source}: {line}")
        left = (clock() - begun) * sum(sizes[number:]) / sum(sizes[:number])
        rest = f", about {format_duration(left)} left" if number < len(waiting) else ""
        say(f"{number} of {len(waiting)}{rest}: {job.source}")
    if failed:
        raise UserError(
            f"{len(failed)} of {len(waiting)} file(s) have no answers: {list_values(failed)}. "
            "Repair or remove them; the others are done"
        )

"""`inspect`: says what a data set holds and what `train` would do with it, and trains nothing."""

import json
import logging
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from apps.config.groups import DataOptions
from apps.config.options import names_in, override, own_options
from apps.config.parser import OneLineParser, add_fields
from apps.config.training import TrainingConfig
from apps.config.verbs import InspectOptions
from data.errors import UserError
from data.messages import LOGGER, say

HELP = "say what a data set holds, and what a training would do with it"

# Options of `train` besides those of the data by which the answer differs.
_OTHERS = (
    *("standardize", "max_length", "truncate", "min_count", "max_tokens"),
    *("tokenizer", "vocabulary_size", "sequence_length", "source", "target", "conditioned"),
    *("batch_size", "epochs"),
)

# Options whose columns can be guessed.
_COLUMNS = ("text_column", "label_column")


class Inspectable(Protocol):
    """What `inspect` needs of an application."""

    name: str
    config: type[TrainingConfig]
    sample: str
    corpora: tuple[str, ...]

    def recipe(self, dataset: str) -> TrainingConfig:
        """Returns the options with the defaults of a data set."""


def add_options(parser: OneLineParser, application: Inspectable, arguments: list[str]) -> None:
    """Adds the options to the parser; see `apps.commands.main`."""
    parser.add_argument(
        "data", nargs="?", metavar="FILE|CORPUS", help="data set, as --dataset names it"
    )
    names = (*names_in(application.config, DataOptions), *_OTHERS)
    add_fields(parser, application.config, only=names)
    add_fields(parser, InspectOptions, InspectOptions())


def run(application: Inspectable, options: dict) -> None:
    """Prints what is found in a data set."""
    from apps.inspection.advice import Advice, describe_command
    from apps.inspection.columns import guess_columns
    from apps.inspection.file import describe_file
    from apps.inspection.labels import describe_labels
    from apps.pages.page import Page
    from apps.pages.parts import Paragraph, Section

    given = _given(application.config, options)
    config = override(application.recipe(given.get("dataset", "sample")), given)
    config.check_data(application.corpora)
    sections: list[Section] = []
    guessed: dict[str, str] = {}
    columns: dict[str, str | None] = {}
    table, problem, notes = None, "", list[str]()
    path = config.data_file(application.corpora, application.sample)
    with _gathered_messages(notes):
        if path is not None and path.is_file():
            found, table = describe_file(str(path))
            sections.append(found)
        if table is not None and config.dataset != "sample":
            columns = {name: vars(config).get(name) for name in _COLUMNS}
            guessed = guess_columns(table, {k: v for k, v in columns.items() if v is not None})
            config = override(config, guessed)
        try:
            corpus = config.read_corpus(application.sample, (), True)
        except UserError as mistake:
            if not sections:
                raise
            problem = str(mistake)
    if notes:
        said = [*map(Paragraph, dict.fromkeys(notes))]
        sections.append(Section("reader", "What the reader says", said, {"notes": notes}))
    advice = [
        Advice((f"--{name.replace('_', '-')}", column), f"the file has no column {columns[name]!r}")
        for name, column in guessed.items()
    ]
    if problem:
        lead = "train refuses it as it is; the reason stands at the end."
        if table is not None:
            sections += describe_labels(table, vars(config).get("label_column", ""))
    else:
        lead = f"{corpus.name}: " + ", ".join(
            f"{len(part):,} {name}" for name, part in corpus.splits.items()
        )
        more, further = _choose(corpus)(corpus, config)
        sections += more
        advice += further
    command = _command(options["command"], given, advice, config.dataset)
    sections.append(describe_command(command, advice, problem))
    page = Page(f"{application.name}: {config.dataset}", lead, sections)
    own = own_options(InspectOptions, options)
    if own.json:
        say(json.dumps(page.to_json(), indent=2, ensure_ascii=False))
    else:
        page.show()
    if own.html:
        page.write(Path(own.html))


def _given(config_class: type[TrainingConfig], options: dict) -> dict:
    """Returns the options of the data that were given.

    Raises:
        UserError: the data set is named twice.
    """
    names = (*names_in(config_class, DataOptions), *_OTHERS)
    given = {name: options[name] for name in names if name in options}
    if options["data"] is not None:
        if given.get("dataset", options["data"]) != options["data"]:
            raise UserError(
                f"two data sets: {options['data']!r} and --dataset {given['dataset']!r}. Leave one "
                "out"
            )
        given["dataset"] = options["data"]
    return given


@contextmanager
def _gathered_messages(messages: list[str]) -> Iterator[None]:
    """Gathers what the readers say, instead of showing it at once."""

    class Gather(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            messages.append(record.getMessage().removeprefix("warning: "))

    handlers = LOGGER.handlers
    LOGGER.handlers = [Gather()]
    try:
        yield
    finally:
        LOGGER.handlers = handlers


def _choose(corpus: Any) -> Callable:
    """Returns what inspects a corpus of this kind.

    Raises:
        UserError: nothing does.
    """
    from apps.inspection.captioning import inspect_captions
    from apps.inspection.classification import inspect_labelled
    from apps.inspection.generation import inspect_documents
    from apps.inspection.seq2seq import inspect_parallel
    from apps.inspection.tagging import inspect_tagged
    from data.examples.captions import CaptionCorpus
    from data.examples.documents import DocumentCorpus
    from data.examples.labelled import LabelledCorpus
    from data.examples.parallel import ParallelCorpus
    from data.examples.tagged import TaggedCorpus

    inspections: dict[type, Callable] = {
        LabelledCorpus: inspect_labelled,
        TaggedCorpus: inspect_tagged,
        ParallelCorpus: inspect_parallel,
        DocumentCorpus: inspect_documents,
        CaptionCorpus: inspect_captions,
    }
    for kind, inspect in inspections.items():
        if isinstance(corpus, kind):
            return inspect
    raise UserError(f"inspect does not know {type(corpus).__name__}. Train on it as it is")


def _command(command: str, given: dict, advice: list, dataset: str) -> str:
    """Returns the command that trains on the data, with what was given and what is advised."""
    prog = command.split(" inspect")[0]
    words = [*shlex.split(prog), "train"]
    advised = {each.options[0] for each in advice}
    for name, value in given.items():
        flag = f"--{name.replace('_', '-')}"
        if flag in advised:
            continue
        if isinstance(value, bool):
            words.append(flag if value else f"--no-{flag[2:]}")
        else:
            values = value if isinstance(value, tuple | list) else [value]
            words += [flag, *map(str, values)]
    for each in advice:
        words += each.options
    name = Path(dataset).stem or "run"
    return shlex.join([*words, "--run", f"runs/{name}"])

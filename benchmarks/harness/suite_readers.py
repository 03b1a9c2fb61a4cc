"""Every reader of the suite, as `robustness.py` calls it: what it takes and what it imports."""

import contextlib
import json
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from data.errors import UserError
from harness import hostile_inputs as inputs


@dataclass(frozen=True)
class Reader:
    """What reads files of some formats.

    Attributes:
        formats: pairs of a file's name and what makes its content; of a name with a second suffix
            (`.tsv.gz`) the content is packed.
        read: of the path and the generator of the input.
        modules: what it imports. They are imported before the processes are made, whose time and
            memory is then that of reading.
    """

    formats: tuple[tuple[str, Callable[[random.Random], bytes]], ...]
    read: Callable[[Path, random.Random], object]
    modules: tuple[str, ...] = ()


def _answer_rows(path: Path, generator: random.Random) -> None:
    """What `predict --input --output` does but for the answers."""
    from data.formats.readers import read_records
    from data.formats.writers import record_writer

    output = path.with_name("out" + generator.choice([".csv", ".tsv", ".jsonl", ".parquet"]))
    with record_writer(str(output), like=str(path), csv_safe=generator.random() < 0.5) as write:
        for record in read_records(str(path)):
            write({"text": None, **record.values, "predicted_label": "a"})
    if output.suffix != ".csv":
        # What was written can be read again.
        for record in read_records(str(output)):
            assert not record.problem, record.problem


def _read_labelled(path: Path, generator: random.Random) -> None:
    from data.user_files.columns import LabelledColumns
    from data.user_files.labelled import read_labelled_file

    read_labelled_file(str(path), LabelledColumns(label_separator=generator.choice(["", "|"])))


def _read_documents(path: Path, generator: random.Random) -> None:
    from data.user_files.columns import LabelledColumns
    from data.user_files.documents import read_document_files

    read_document_files(str(path), LabelledColumns())


def _read_tagged(path: Path, generator: random.Random) -> None:
    from data.user_files.columns import TaggedColumns
    from data.user_files.tagged.files import read_tagged_files

    read_tagged_files(str(path), TaggedColumns(tag=generator.choice([-1, 1, 7])))


def _read_pairs(path: Path, generator: random.Random) -> None:
    from data.user_files.columns import ParallelFiles
    from data.user_files.parallel import read_parallel_files

    column = generator.choice([None, None, 0, 3])
    read_parallel_files(str(path), ParallelFiles("en", "fr", source_column=column))


def _read_vectors(path: Path, generator: random.Random) -> None:
    from data.vectors import read_first_words, read_vectors

    read_vectors(str(path), ["w1", "w4", "text"])
    read_first_words(str(path), 3)


def _read_terms(path: Path, generator: random.Random) -> None:
    from data.identity_terms.files import read_identity_terms

    read_identity_terms(path)


def _read_archive(path: Path, generator: random.Random) -> None:
    from data.files.archives import read_tar

    for _ in read_tar(path, lambda name: True):
        pass


def _read_options(path: Path, generator: random.Random) -> None:
    from apps.config.options import from_file, override
    from apps.spam import APPLICATION

    given = from_file(str(path))
    override(APPLICATION.recipe(given.get("dataset", "sample")), given)


def _read_run(path: Path, generator: random.Random) -> None:
    from apps.runs.files import read_run
    from apps.runs.folder import RunFolder
    from apps.runs.unfinished import UnfinishedTraining
    from apps.spam import APPLICATION

    (path.parent / "model.keras").touch()
    shutil.copy(path, path.with_name("metrics.json"))
    run = RunFolder(path.parent)
    (path.parent / "checkpoints").mkdir(exist_ok=True)
    (path.parent / "checkpoints" / "checkpoint").touch()
    unfinished = UnfinishedTraining(path.parent / "other")
    shutil.rmtree(unfinished.path, ignore_errors=True)
    ignored = shutil.ignore_patterns(".*", "out*")
    shutil.copytree(path.parent, unfinished.path, ignore=ignored)
    for read in (
        lambda: APPLICATION.config_of(read_run(run)),
        lambda: run.add_metrics("test", {"accuracy": 0.5}),
        lambda: unfinished.describe("spam"),
    ):
        with contextlib.suppress(UserError):
            read()


def _read_history(path: Path, generator: random.Random) -> None:
    from apps.runs.folder import RunFolder

    RunFolder(path.parent).history()


def _read_tokenizer(path: Path, generator: random.Random) -> None:
    from data.text.tokenizer_vocabulary import TokenizerVocabulary

    TokenizerVocabulary.load(path.parent)


def _read_vocabulary(path: Path, generator: random.Random) -> None:
    from data.text.vocabulary import Vocabularies

    path.with_name("characters.txt").write_text("a\nb\n")
    Vocabularies.load(path.parent)


def _read_decision(path: Path, generator: random.Random) -> None:
    from models.classification.decision import Decision

    try:
        values = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        # Whoever reads the file has refused it.
        return
    with contextlib.suppress(KeyError, TypeError, ValueError):
        Decision.read(values, ("a", "b"), False)


_TABLES = (
    ("in.csv", inputs.delimited),
    ("in.tsv", inputs.delimited),
    ("in.jsonl", inputs.json_lines),
    ("in.parquet", inputs.parquet),
)
READERS = {
    "tables to tables": Reader(
        (*_TABLES, ("in.txt", inputs.plain)),
        _answer_rows,
        ("data.formats.writers", "data.formats.readers", "pyarrow.parquet"),
    ),
    "transcripts": Reader(
        (("in.srt", inputs.subtitles), ("in.vtt", inputs.subtitles)),
        _answer_rows,
        ("data.formats.writers", "data.formats.readers", "pyarrow.parquet"),
    ),
    "labelled texts": Reader(
        _TABLES, _read_labelled, ("data.user_files.labelled", "pyarrow.parquet")
    ),
    "documents": Reader(
        (*_TABLES, ("in.txt", inputs.plain)),
        _read_documents,
        ("data.user_files.documents", "pyarrow.parquet"),
    ),
    "tagged texts": Reader(
        (
            ("in.conll", inputs.tagged),
            ("in.jsonl", inputs.json_lines),
            ("in.parquet", inputs.parquet),
        ),
        _read_tagged,
        ("data.user_files.tagged.files", "pyarrow.parquet"),
    ),
    "pairs": Reader(
        (
            *((f"in.{suffix}", inputs.pairs) for suffix in ("csv", "tsv", "tsv.gz", "tsv.zip")),
            *((f"in.{suffix}", inputs.memory) for suffix in ("tmx", "tmx", "tmx.gz", "tmx.xz")),
        ),
        _read_pairs,
        ("data.user_files.parallel",),
    ),
    "vectors": Reader(
        tuple((f"in.txt{packing}", inputs.vectors) for packing in ("", ".gz", ".xz", ".zip")),
        _read_vectors,
        ("data.vectors",),
    ),
    "identity terms": Reader(
        (("terms.csv", inputs.terms),), _read_terms, ("data.identity_terms.files",)
    ),
    "archives": Reader(
        tuple((f"in{s}", inputs.plain) for s in (".tar", ".tar.gz", ".tar.xz", ".tar.bz2")),
        _read_archive,
        ("data.files.archives",),
    ),
    "files of options": Reader(
        (("options.json", inputs.options),), _read_options, ("apps.config.options", "apps.spam")
    ),
    "run folders": Reader(
        (("config.json", inputs.options),), _read_run, ("apps.spam", "apps.runs.unfinished")
    ),
    "histories": Reader((("history.csv", inputs.history),), _read_history, ("apps.runs.folder",)),
    "tokenizers": Reader(
        (("tokenizer.json", inputs.tokenizer),),
        _read_tokenizer,
        ("data.text.tokenizer_vocabulary",),
    ),
    "vocabularies": Reader(
        (("vocabulary.txt", inputs.vocabulary),), _read_vocabulary, ("data.text.preprocessor",)
    ),
    "decisions": Reader(
        (("decision.json", inputs.decision),), _read_decision, ("models.classification.decision",)
    ),
}

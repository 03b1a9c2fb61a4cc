"""The verbs of every application: train, evaluate, predict, export."""

import shlex
import sys
import time
from pathlib import Path

from apps.application import Application
from apps.options import add_options, from_file, new_parser, override, to_json
from apps.quiet import import_tensorflow
from apps.run_folder import CONFIG, FORMAT, MODEL, RunFolder, versions
from data.errors import UserError

_EXAMPLE_BATCH = 512


def main(application: Application, arguments: list[str] | None = None) -> None:
    """Runs the command line; exits with 2 and one line on a user's mistake."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        options = _parse(application, arguments)
        VERBS[options.pop("verb")](application, options)
    except UserError as error:
        _fail(str(error), 2)
    except KeyboardInterrupt:
        _fail("interrupted", 130)
    except BrokenPipeError:
        # Whoever read the output (head, less) has left; nothing more can be said there.
        sys.stderr.close()
        sys.exit(1)


def _fail(message: str, status: int) -> None:
    print("error: " + " ".join(message.split()), file=sys.stderr)
    sys.exit(status)


def _parse(application: Application, arguments: list[str]) -> dict:
    """The verb and its options; for `train`, those that were given on the command line."""
    prog = f"python -m apps.{application.name}"
    parser = new_parser(prog, application.summary)
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for name, (help, add) in _OPTIONS.items():
        verb = verbs.add_parser(
            name, help=help, description=help, formatter_class=parser.formatter_class
        )
        verb.add_argument(
            "--run",
            metavar="DIR",
            default=f"runs/{application.name}",
            help="the run folder (default: %(default)s)",
        )
        add(verb, application, arguments)
    return vars(parser.parse_args(arguments))


def _add_train(parser, application: Application, arguments: list[str]) -> None:
    parser.add_argument(
        "--config", metavar="FILE", help="options from a JSON file, such as a run's config.json"
    )
    add_options(parser, application.config, application.recipe(_dataset_in(arguments)))


def _dataset_in(arguments: list[str]) -> str:
    """The data set on a command line, before it is parsed: the defaults in the help follow it."""
    scout = new_parser("", "")
    scout.add_argument("--dataset", default="sample", nargs="?")
    scout.error = lambda message: None
    return vars(scout.parse_known_args([a for a in arguments if a not in ("-h", "--help")])[0])[
        "dataset"
    ]


def _add_data(parser) -> None:
    parser.add_argument("--dataset", metavar="TEXT", help="another data set than in training")
    parser.add_argument("--data-dir", metavar="DIR", help="folder with original files")


def _add_evaluate(parser, application: Application, arguments: list[str]) -> None:
    _add_data(parser)
    parser.add_argument("--text-column", metavar="TEXT", help="of a user's file")
    parser.add_argument("--label-column", metavar="TEXT", help="of a user's file")
    parser.add_argument(
        "--split",
        default="test",
        choices=("train", "validation", "test", "all"),
        help="which examples (default: %(default)s)",
    )
    parser.add_argument(
        "--baseline", action="store_true", help="train and evaluate linear models beside it"
    )


def _add_predict(parser, application: Application, arguments: list[str]) -> None:
    parser.add_argument("texts", nargs="*", metavar="TEXT", help="texts to answer")
    parser.add_argument(
        "--input", metavar="FILE", help=".csv, .tsv, .jsonl, .txt or .parquet; -: standard input"
    )
    parser.add_argument(
        "--output", metavar="FILE", help=".csv, .tsv, .jsonl or .parquet; -: standard output"
    )
    parser.add_argument(
        "--text-column", metavar="TEXT", help="column of the input (default: as in training)"
    )


def _add_export(parser, application: Application, arguments: list[str]) -> None:
    parser.add_argument(
        "--output",
        metavar="DIR",
        default=f"exported/{application.name}",
        help="the SavedModel's folder (default: %(default)s)",
    )


_OPTIONS = {
    "train": ("train a model", _add_train),
    "evaluate": ("measure a trained model on labelled examples", _add_evaluate),
    "predict": ("answer texts", _add_predict),
    "export": ("write a SavedModel that takes raw strings", _add_export),
}


def train(application: Application, options: dict) -> None:
    """Trains into a folder beside the run, which takes the run's place when all is written."""
    run = RunFolder(Path(options.pop("run")))
    config_file = options.pop("config", None)
    from_config = from_file(config_file) if config_file else {}
    dataset = options.get("dataset", from_config.get("dataset", "sample"))
    config = override(application.recipe(dataset), {**from_config, **options})
    run.check_replaceable()
    import_tensorflow()
    from apps import pictures, training

    task_class = application.load_task()
    training.seed_everything(config)
    corpus = task_class.read(application, config)
    sizes = ", ".join(f"{len(rows)} {name}" for name, rows in corpus.splits.items())
    print(f"{corpus.name}: {sizes}; classes {', '.join(corpus.class_names)}")
    corpus.split("train"), corpus.split("validation")
    started = time.monotonic()
    with run.replacement() as new:
        task = task_class.build(config, corpus)
        interrupted = task.fit(corpus, new.path)
        seconds = round(time.monotonic() - started, 1)
        new.write_json(
            CONFIG,
            {
                "format": FORMAT,
                "application": application.name,
                "config": to_json(config),
                **task.describe(),
                **_origin(corpus, config),
                "training_seconds": seconds,
                "interrupted": interrupted,
            },
        )
        task.save(new.path)
        if history := new.history():
            pictures.training_curves(history, new.path / "training_curves.png")
        report = task.evaluate(corpus.split("validation"))
        new.add_metrics("validation", {**report, **_origin(corpus, config)})
        task.draw("validation", report, new.path)
    if interrupted:
        print("interrupted: the best weights so far are kept")
    print(f"\nvalidation\n{task.table(report)}\n\ntrained in {seconds:.0f} s: {run.path}")


def _origin(corpus, config) -> dict:
    """What a figure came from, so that it can be had again."""
    command = shlex.join(["python", "-m", f"apps.{Path(sys.argv[0]).stem}", *sys.argv[1:]])
    return {
        "command": command,
        "dataset": corpus.name,
        "checksum": corpus.checksum,
        "seed": config.seed,
        "versions": versions(),
    }


def _load(application: Application, options: dict):
    """The trained task and its run folder, checked before TensorFlow is imported."""
    run = RunFolder(Path(options["run"]))
    description = run.describe()
    if description.get("application") != application.name:
        raise UserError(
            f"{run.path} holds a run of {description.get('application')!r}, not of "
            f"{application.name!r}. Check --run"
        )
    config = override(application.config(), description["config"])
    return run, description, config


def evaluate(application: Application, options: dict) -> None:
    """Prints the figures of a split and adds them to the run's `metrics.json`."""
    run, description, config = _load(application, options)
    names = ("dataset", "data_dir", "text_column", "label_column")
    given = {name: options[name] for name in names if options.get(name) is not None}
    config = override(config, given)
    import_tensorflow()
    task_class = application.load_task()
    task = task_class.load(config, description, run.path)
    same = config.dataset == description["config"]["dataset"]
    corpus = task_class.read(application, config, task.class_names)
    if same and corpus.checksum != description["checksum"]:
        print(f"warning: {config.dataset} has changed since the training", file=sys.stderr)
    split = options["split"]
    examples = corpus.everything() if split == "all" else corpus.split(split)
    report = task.evaluate(examples)
    print(f"{corpus.name}, {split}\n{task.table(report)}")
    name = split if same else f"{corpus.name} {split}"
    if options["baseline"]:
        report["baseline"] = task.evaluate_baseline(corpus, examples)
        for title, baseline in report["baseline"].items():
            print(f"\n{title}\n{task.table(baseline)}")
    run.add_metrics(name, {**report, **_origin(corpus, config)})
    task.draw(name.replace(" ", "_"), report, run.path)


def predict(application: Application, options: dict) -> None:
    """Answers texts, or the rows of a file, through the serving model."""
    run, description, config = _load(application, options)
    texts, source, output = options["texts"], options["input"], options["output"]
    if bool(texts) == bool(source):
        raise UserError("predict takes either texts or --input FILE. See predict --help")
    from apps import prediction

    prediction.check_files(source, output)
    import_tensorflow()
    task = application.load_task().load(config, description, run.path)
    column = options["text_column"] or config.text_column
    if source:
        bad = prediction.answer_file(task, source, output or "-", column)
        if bad:
            print(f"{bad} row(s) were left without an answer", file=sys.stderr)
    elif output:
        prediction.answer_to_file(task, texts, output, config.text_column)
    else:
        for text, row in zip(texts, prediction.answer(task, texts), strict=True):
            print(f"{text}\n    {task.describe_row(row)}")


def export(application: Application, options: dict) -> None:
    """Writes the serving model as a SavedModel, with the run's files beside it."""
    run, description, config = _load(application, options)
    output = Path(options["output"])
    if output.exists() and not (output / "saved_model.pb").is_file():
        raise UserError(f"{output} exists and is no SavedModel. Choose another --output")
    import_tensorflow()
    from models.serving import export as write

    task = application.load_task().load(config, description, run.path)
    write(task.serving(), output, [run.path / CONFIG, run.path / MODEL, *task.files(run.path)])
    print(f"SavedModel: {output}")


VERBS = {"train": train, "evaluate": evaluate, "predict": predict, "export": export}

"""What the verbs of every application do: train, evaluate, predict, export.

TensorFlow is imported after everything that can be refused without it.
"""

import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

from apps.commands.application import DATA_OPTIONS, SPLIT_FILES, Application
from apps.commands.startup import import_tensorflow
from apps.config.options import from_file, override, own_options, to_json
from apps.runs.contents import CONFIG, MODEL
from apps.runs.description import RunDescription
from apps.runs.export_folder import next_version
from apps.runs.files import RunFiles, read_run
from apps.runs.folder import RunFolder
from apps.runs.init_from import options_from_pretrained, read_pretrained
from apps.runs.provenance import Provenance
from apps.runs.resumption import check_checksum, check_surroundings, resumed
from apps.runs.unfinished import UnfinishedTraining
from apps.training.signals import Signals, Terminated
from data.errors import UserError
from data.messages import say


def train(application: Application, options: dict) -> None:
    """Trains in a folder beside the run, which takes the run's place when all is written."""
    run, command = RunFolder(Path(options.pop("run"))), options.pop("command")
    resume, restart = options.pop("resume"), options.pop("restart")
    find = options.pop("find_lr")
    config_file = options.pop("config", None)
    given = {**(from_file(config_file) if config_file else {}), **options}
    run.check_replaceable()
    unfinished = UnfinishedTraining(run.path)
    begun = pretrained = None
    if resume:
        begun = unfinished.describe(application.name)
        command = begun.provenance.command
        config = resumed(override(application.config(), begun.config), given)
    else:
        config = override(application.recipe(given.get("dataset", "sample")), given)
        pretrained = read_pretrained(config)
        if pretrained is not None:
            config = options_from_pretrained(config, given, pretrained.description)
    application.check_data(config)
    application.check_vectors(config)
    application.check_step(config)
    application.check_seeds(config)
    if find:
        import_tensorflow()
        _find_learning_rate(application, config, command, run.path, pretrained)
        return
    with unfinished.locked(), Signals():
        if resume:
            check_surroundings(begun, application.data_file(config))
        else:
            unfinished.begin(restart)
        try:
            _train(application, config, command, unfinished, begun, pretrained=pretrained)
        except (KeyboardInterrupt, Terminated) as stop:
            what = "terminated" if isinstance(stop, Terminated) else "interrupted"
            raise type(stop)(f"{what}. {unfinished.way_on(application.name)}") from None
        except UserError as mistake:
            if not unfinished.resumable:
                raise
            raise UserError(f"{mistake}. {unfinished.way_on(application.name)}") from mistake


def _train(
    application: Application,
    config,
    command: str,
    unfinished,
    begun: RunDescription | None,
    corpus=None,
    pretrained: RunFiles | None = None,
) -> None:
    """Trains, or goes on with what has `begun`, and puts the run in its place; with several seeds
    it calls itself for each, with the `corpus` that they share."""
    import_tensorflow()
    from apps.commands import refit, seeds
    from apps.plots import training as pictures
    from apps.training import devices, fit
    from apps.training.divergence import Diverged

    task_class = application.load_task()
    fit.seed_everything(config)
    if corpus is None:
        corpus = task_class.read(config, application.sample)
        sizes = ", ".join(f"{len(rows)} {name}" for name, rows in corpus.splits.items())
        labels = corpus.describe_labels()
        say(f"{corpus.name}: {sizes}{f'; {labels}' if labels else ''}")
    description = RunDescription(
        application.name,
        to_json(config),
        provenance=Provenance.collect(command, corpus, config, devices.names(config.devices)),
    )
    if begun:
        if not corpus.is_known_as(begun.provenance.checksum):
            check_checksum(begun, corpus.checksum)
    else:
        RunFolder(unfinished.path).write_json(CONFIG, description.to_json())
    pretrained = read_pretrained(config, pretrained)
    if config.seeds > 1:
        train_member = partial(
            _train, application, command=command, corpus=corpus, pretrained=pretrained
        )
        seeds.train(application, corpus, config, description, unfinished, train_member)
        return
    with devices.distribution_scope(config):
        task = task_class.build(config, corpus, pretrained)
    try:
        task, ending, report = refit.trained(task, corpus, unfinished, pretrained)
    except Diverged:
        # It would go the same way again.
        unfinished.discard()
        raise
    with unfinished.publishing() as new:
        task.save(new.path)
        new.write_description(
            replace(
                description,
                config=to_json(task.config),
                details=task.describe(),
                training_seconds=round(ending.seconds, 1),
                stopped_early=ending.stopped,
            )
        )
        if history := new.history():
            pictures.training_curves(history, new.path / "training_curves.png")
        if norms := new.gradient_norms():
            pictures.gradient_norms(norms, config.clip_norm, new.path / "gradient_norms.png")
        new.add_metrics("validation", {**report, **description.provenance.to_json()})
        task.draw("validation", report, new.path)
    if not ending.resumable:
        unfinished.discard()
    if ending.stopped:
        way_on = f". {unfinished.way_on(application.name)}" if ending.resumable else ""
        say(f"{ending.stopped}. The best weights so far are kept{way_on}", file=sys.stderr)
    say(
        f"\nvalidation\n{task.table(report)}\n\n"
        f"trained in {ending.seconds:.0f} s: {unfinished.name}"
    )


def _find_learning_rate(
    application: Application, config, command: str, run: Path, pretrained: RunFiles | None
) -> None:
    from apps.training import devices, fit
    from apps.training.learning_rate_finder import find_learning_rate

    task_class = application.load_task()
    fit.seed_everything(config)
    corpus = task_class.read(config, application.sample)
    with devices.distribution_scope(config):
        task = task_class.build(config, corpus, pretrained)
    find_learning_rate(task.model, *task.training_data(corpus), config, command, run)


def _check_unlearned(split: str | None, learned: bool) -> None:
    """Refuses to measure on the validation split a model that has `learned` from it.

    Raises:
        UserError: it has, and that is the split.
    """
    if learned and split == "validation":
        raise UserError(
            "the model has learned from the validation split, too (--refit). metrics.json has its "
            "figures from before that; choose another --split"
        )


def evaluate(application: Application, options: dict) -> None:
    """Prints the figures of a split and adds them to the run's `metrics.json`."""
    run = RunFolder(Path(options["run"]))
    files = read_run(run)
    description, trained = files.description, application.config_of(files)
    split = options["split"]
    if options["baseline"] and split not in (None, "validation", "test"):
        raise UserError("--baseline trains on the training split. Choose another --split")
    from apps.tasks.classification import bias

    asked = bias.bias_request(options, description)
    given = {name: options[name] for name in DATA_OPTIONS if name in options}
    if "dataset" in given:
        # The files that stood beside the training's are of another data set.
        given = {**{name: None for name in SPLIT_FILES if hasattr(trained, name)}, **given}
    config = override(trained, given)
    application.check_data(config)
    same = config.dataset == trained.dataset
    learned = same and description.refit_epochs > 0
    _check_unlearned(split, learned)
    import_tensorflow()
    task_class = application.load_task()
    task = application.load(files, config)
    corpus = task_class.read(config, application.sample, task)
    if same and not corpus.is_known_as(description.provenance.checksum):
        say(f"warning: {config.dataset} has changed since the training", file=sys.stderr)
    if split is None:
        split = corpus.measured_split()
        _check_unlearned(split, learned)
        if split != "test":
            say(f"{corpus.name} has no test split: measured on {split}", file=sys.stderr)
    examples = corpus.everything() if split == "all" else corpus.split(split)
    if members := run.members():
        from apps.commands import seeds

        report = seeds.evaluate(application, task, files, members, examples)
        table = f"{task.table(report)}\n\n{seeds.table(task, report['seeds'])}"
    else:
        report = task.evaluate(examples)
        table = task.table(report)
    say(f"{corpus.name}, {split}\n{table}")
    name = split if same else f"{corpus.name} {split}"
    if options["baseline"]:
        report["baseline"] = task.evaluate_baselines(corpus, examples)
        if not report["baseline"]:
            raise UserError(f"{application.name} has no baseline. Leave --baseline out")
        for title, baseline in report["baseline"].items():
            say(f"\n{title}\n{task.table(baseline)}")
    if asked:
        report["bias"] = bias.bias_report(task, examples, asked)
        say(f"\n{bias.describe(report['bias'])}")
    devices = description.provenance.devices or []
    provenance = Provenance.collect(options["command"], corpus, config, devices)
    with files.unreplaced():
        run.put_metrics(name, {**report, **provenance.to_json()})
        task.draw(name.replace(" ", "_"), report, run.path)
        if asked:
            bias.draw(report["bias"], run.path / f"bias_{name.replace(' ', '_')}.png")


def predict(application: Application, options: dict) -> None:
    """Answers texts, or the rows of a file, through the serving model."""
    files = read_run(RunFolder(Path(options["run"])))
    config = application.config_of(files)
    texts, source, output = options["texts"], options["input"], options["output"]
    own = own_options(application.predict_options, options)
    needed = source or not getattr(own, "needs_no_text", False)
    if bool(texts) == bool(source) and needed:
        raise UserError("predict takes either texts or --input FILE. See predict --help")
    from apps.serving import files as prediction
    from apps.tasks.classification import explanation_output

    # Only applications that can explain have the option.
    explain = options.get("explain", False)
    if explain:
        explanation_output.check_output(output)
        formats = explanation_output.OUTPUTS
    else:
        formats = prediction.output_formats(application, options)
    prediction.check_csv_safe(options)
    prediction.check_files(source, output, formats)
    import_tensorflow()
    task = application.load(files, config)
    if own is not None:
        task.set_options(own)
    del files  # a large model shall be in memory once
    if application.converses and not (source or output):
        task.run_interactively(texts)
        return
    column = config.text_column
    if source:
        # A column may have the empty name.
        given = options["text_column"]
        column = given if given is not None else prediction.column_of(source) or column
    if not explain:
        if options.get("format"):
            output = output or "-"
        writer = prediction.writer(application, options, column)
        prediction.answer_all(task, texts, source, output, column, writer)
        return
    from apps.tasks.classification.explanation import Explained

    task = Explained(task, explanation_output.wants_colours())
    writer = explanation_output.writer_of(column, task.empty_row())
    prediction.answer_all(task, texts, source, output, column, writer, explanation_output.ROWS)
    if source or output:
        print(task.summary(), file=sys.stderr)


def export(application: Application, options: dict) -> None:
    """Writes the serving model as a SavedModel, the next version in its folder, with the run's
    files in it."""
    files = read_run(RunFolder(Path(options["run"])))
    config = application.config_of(files)
    folder = next_version(Path(options["output"]))
    own = own_options(application.export_options, options)
    import_tensorflow()
    from apps.runs.tensorflow_files import tensorflow_writing
    from models.serving.classifier import export as write

    with files.copied() as copy:
        task = application.load_task().load(config, files.description, copy)
        if own is not None:
            task.set_options(own)
        with tensorflow_writing(folder):
            write(task.serving(), folder, [copy / CONFIG, copy / MODEL, *task.files(copy)])
    say(f"SavedModel: {folder}")


VERBS = {"train": train, "evaluate": evaluate, "predict": predict, "export": export}

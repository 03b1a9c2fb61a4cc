"""What the translator does with its sample and with users' files: all verbs."""

import json

import numpy as np
import pytest
import tensorflow as tf

from apps.commands.main import main
from apps.runs.folder import RunFolder
from apps.tasks.seq2seq.alignment import align_words
from apps.tasks.seq2seq.config import TranslationConfig
from apps.tasks.seq2seq.task import Seq2Seq
from apps.translation import APPLICATION
from data.examples.parallel import Pair, ParallelCorpus, ParallelTexts
from models.evaluation import translation as translation_report
from models.evaluation.translation_memory import memory_translations

TINY = ["--epochs", "1", "--units", "4", "--embedding-dim", "6", "--vocabulary-size", "80"]
# One batch of one shape: each is compiled for itself.
TINY += ["--batch-size", "500", "--max-length", "16", "--beam-width", "2"]
TINY += ["--tokenizer", "subwords"]
TEXT = "The kettle is boiling."


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The run folder of one tiny training on the sample; read only."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    drawn = ["--subword-dropout", "0.1", "--made-up-names", "0.5"]
    main(APPLICATION, ["train", *TINY, *drawn, "--run", str(folder)])
    return folder


@pytest.fixture
def translation(command_of, run):
    """Calls a verb with the tiny run."""
    return lambda verb, *rest: command_of(APPLICATION, verb, "--run", run, *rest)


def test_a_run_knows_its_languages_tokens_and_figures(run):
    description = json.loads((run / "config.json").read_text())
    assert description["class_names"] == ["en", "fr"]
    assert "sacrebleu" in description["versions"]
    assert len(json.loads((run / "tokenizer.json").read_text())["tokens"]) == 80
    report = json.loads((run / "metrics.json").read_text())["validation"]
    assert 0.0 <= report["bleu"] <= 100.0
    assert "tok:13a" in report["signatures"]["bleu"] and "chrF2" in report["signatures"]["chrf"]
    assert (run / "bleu_by_length_validation.png").is_file()
    RunFolder(run).check_replaceable()
    assert "val_bleu" in (run / "history.csv").read_text()


def test_the_test_split_is_measured_beside_a_translation_memory(translation, run):
    answer = translation("evaluate", "--split", "test", "--baseline")
    assert (answer.status, answer.err) == (0, "")
    assert "BLEU" in answer.out and "translation memory" in answer.out
    report = json.loads((run / "metrics.json").read_text())["test"]
    assert sum(row["sentences"] for row in report["by_length"]) == report["sentences"]
    assert report["baseline"].keys() == {"copy", "translation memory"}


def test_users_files_of_the_same_languages_are_measured(translation, tmp_path):
    (tmp_path / "a.en").write_text("A dog.\nTwo cats.\n")
    (tmp_path / "a.fr").write_text("Un chien.\nDeux chats.\n")
    files = ["--dataset", tmp_path / "a.en", "--target-file", tmp_path / "a.fr", "--split", "all"]
    answer = translation("evaluate", *files)
    assert (answer.status, answer.err) == (0, "")
    assert "2 sentences" in answer.out
    answer = translation("evaluate", "--dataset", tmp_path / "a.en", "--target-file", "none")
    assert answer.status == 2 and "Check --target-file" in answer.err


def test_texts_are_translated_with_their_alignment(translation, tmp_path):
    picture = tmp_path / "map.png"
    answer = translation("predict", TEXT, "Who?", "--alignment", "--heat-map", picture)
    assert (answer.status, answer.err) == (0, "")
    assert str(picture) in answer.out and picture.is_file()
    assert (tmp_path / "map-2.png").is_file()


def test_the_n_best_are_written(translation, tmp_path):
    output = tmp_path / "out.jsonl"
    assert translation("predict", TEXT, "--n-best", "2", "--output", output).status == 0
    row = json.loads(output.read_text())
    assert row.keys() == {"text", "translation", "score", "translation_2", "score_2"}
    assert row["score"] >= row["score_2"]


def test_a_file_is_translated_in_its_order(translation, tmp_path):
    texts = ["A much longer sentence that comes first.", TEXT, "", "Who?"]
    (tmp_path / "in.txt").write_text("\n".join(texts) + "\n")
    output = tmp_path / "out.csv"
    answer = translation("predict", "--input", tmp_path / "in.txt", "--output", output)
    assert answer.status == 0 and "row 3: an empty text" in answer.err
    lines = output.read_text().splitlines()
    assert lines[0] == "text,translation,score" and lines[1].startswith("A much longer")
    assert lines[3] == ",,"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--n-best", "3"], "--n-best 3 needs a beam as wide. Received: --beam-width 2"),
        (["--n-best", "3", "--beam-width", "2"], "needs a beam as wide"),
        (["--n-best", "2", "--alignment"], "--n-best is for beam search alone"),
        (["--highlights"], "--highlights needs a model that copies. Train one with --copy"),
    ],
)
def test_options_that_do_not_fit_are_refused(options, words, translation):
    answer = translation("predict", TEXT, *options)
    assert answer.status == 2 and words in answer.err


def test_an_export_answers_as_the_run_does(translation, tmp_path):
    folder, output = tmp_path / "model", tmp_path / "out.jsonl"
    assert translation("export", "--output", folder).status == 0
    translation("predict", TEXT, "--output", output)
    row = json.loads(output.read_text())
    signatures = tf.saved_model.load(str(folder / "1")).signatures
    answer = signatures["serving_default"](texts=tf.constant([TEXT]))
    assert answer["translations"].numpy()[0].decode() == row["translation"]
    np.testing.assert_allclose(answer["scores"][0], row["score"], atol=1e-4)
    assert (folder / "1" / "assets.extra" / "tokenizer.json").is_file()
    assert signatures["with_attention"](texts=tf.constant([TEXT]))["attention"].shape[0] == 1


def test_words_step_by_step_with_scheduled_sampling_and_r_drop_train(command_of, tmp_path):
    options = ["--tokenizer", "words", "--attention", "additive", "--input-feeding", "context"]
    options += ["--scheduled-sampling", "0.3", "--source", "fr", "--target", "en"]
    options += ["--encoder-self-attention", "--cell", "gru", "--coverage-penalty", "0.1"]
    options += ["--r-drop", "2"]
    run = tmp_path / "run"
    answer = command_of(APPLICATION, "train", *TINY, *options, "--run", run)
    assert answer.status == 0, answer.err
    assert "languages fr, en" in answer.out and (run / "source_tokenizer.json").is_file()
    answer = command_of(APPLICATION, "predict", "Qui ?", "--run", run)
    assert (answer.status, answer.err) == (0, "")


def test_texts_that_are_all_too_long_are_refused(command_of, tmp_path):
    (tmp_path / "a.tsv").write_text("".join(f"{i} one two\t{i} un deux\n" for i in range(20)))
    options = ["--tokenizer", "bytes", "--max-length", "8", "--dataset", tmp_path / "a.tsv"]
    answer = command_of(APPLICATION, "train", *TINY, *options, "--run", tmp_path / "run")
    assert answer.status == 2 and "no pair has at most 8 tokens" in answer.err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--source", "fr"], "--source and --target are both 'fr'"),
        (
            ["--attention", "none", "--input-feeding", "context"],
            "--input-feeding context needs an --attention",
        ),
        (["--attention", "dto"], "invalid choice: 'dto'"),
        (["--tokenizer", "words", "--subword-dropout", "0.1"], "needs --tokenizer subwords"),
        (["--tokenizer", "words", "--made-up-names", "0.5"], "Choose --tokenizer subwords"),
        (["--made-up-names", "1.5"], "--made-up-names must be at most 1.0"),
    ],
)
def test_trainings_that_cannot_be_are_refused(options, words, command_of, tmp_path):
    answer = command_of(APPLICATION, "train", *options, "--run", tmp_path / "run")
    assert answer.status == 2 and words in answer.err


def test_each_epoch_has_other_made_up_names():
    pairs = [Pair("Mary is reading.", "Mary lit."), Pair("Yesterday evening.", "Hier soir.")]
    corpus = ParallelCorpus.from_splits("names", ("en", "fr"), {"train": ParallelTexts(pairs)})
    config = TranslationConfig(units=4, embedding_dim=6, vocabulary_size=60, made_up_names=1.0)
    task = Seq2Seq.build(config, corpus)
    batches, _ = task.training_data(corpus)
    drawn = []
    for epoch in (0, 1):
        batches.order(epoch)
        source, target = task.tokenizers
        drawn.append([*source.decode(batches.ids["token_ids"]), *target.decode(batches.targets)])
    for texts in drawn:
        first, second, *targets = [text.numpy().decode() for text in texts]
        name = first.removesuffix(" is reading.")
        assert name not in ("Mary", first) and second == "Yesterday evening."
        assert targets == [f"{name} lit.", "Hier soir."]
    assert drawn[0][0] != drawn[1][0]


HELP = """
import sys
from apps.translation import APPLICATION
from apps.commands.main import main
try:
    main(APPLICATION, [sys.argv[1], "--help"])
finally:
    assert not {"tensorflow", "keras", "pandas", "sklearn", "sacrebleu"} & sys.modules.keys()
"""


@pytest.mark.parametrize("verb", ["train", "predict"])
def test_help_does_not_wait_for_tensorflow(verb, python_process):
    done = python_process(HELP, verb)
    assert (done.returncode, done.stderr) == (0, "")


def test_tokens_are_joined_to_words():
    source = ["A", " ri", "der", ".", "<end>"]
    target = [" Un", " cav", "alier", "<end>"]
    weights = np.array([[0.9, 0.1, 0, 0, 0], [0, 0.6, 0.4, 0, 0], [0, 0.2, 0, 0.8, 0], [0] * 5])
    found = align_words(source, target, weights)
    assert found.source == ["A", "rider", ".", "<end>"] and found.target == ["Un", "cavalier"]
    np.testing.assert_allclose(found.weights, [[0.9, 0.1, 0, 0], [0, 0.6, 0.4, 0]], atol=1e-6)
    assert found.pairs() == [("Un", "A"), ("cavalier", "rider")]
    assert found.format() == "  Un        A\n  cavalier  rider"
    found = align_words(source, target, weights, np.array([0.1, 0.9, 0.7, 0.0]))
    assert found.format() == "  Un        A      copied  10%\n  cavalier  rider  copied  80%"
    assert found.to_json()["copied"] == [0.1, 0.8]


def test_figures_are_those_of_sacrebleu_and_groups_hold_every_sentence():
    references = ["Un chien court dans l'herbe .", "Deux chats dorment sur le tapis rouge ."]
    sources = ["A dog runs on the grass.", "x " * 40]
    report = translation_report.translation_report(references, references, sources)
    assert (round(report["bleu"]), round(report["chrf"])) == (100, 100)
    assert [(row["from"], row["to"]) for row in report["by_length"]] == [(1, 6), (25, 40)]
    assert "BLEU  100.00" in translation_report.translation_table(report)


def test_a_translation_memory_answers_with_the_most_similar_text():
    rows = [Pair("a red door", "une porte rouge"), Pair("two dogs", "deux chiens")]
    assert memory_translations(ParallelTexts(rows), ["the red doors", "dogs"]) == [
        "une porte rouge",
        "deux chiens",
    ]

"""What the chatbot does with its sample and with users' files: all verbs."""

import contextlib
import io
import json
import shutil
from dataclasses import replace

import pytest
import tensorflow as tf

from apps.chat import APPLICATION
from apps.commands.main import main
from apps.runs.checksums import fingerprint
from apps.tasks.chat.config import ChatConfig
from apps.tasks.chat.moderation import choose_unflagged
from apps.tasks.chat.task import answers_alone
from apps.tasks.chat.terminal import ChatTerminal
from data.examples.parallel import Pair, ParallelTexts

TINY = ["--epochs", "1", "--units", "4", "--embedding-dim", "6", "--vocabulary-size", "80"]
# One batch of one shape: each is compiled for itself.
TINY += ["--batch-size", "1000", "--max-source-length", "12", "--max-length", "12"]
TINY += ["--candidates", "3", "--information", "0.5", "--no-repeat-ngram", "2"]
TINY += ["--memory", "0.999"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The run folder of one tiny training, and what it said; read only."""
    folder, out = tmp_path_factory.mktemp("trained") / "run", io.StringIO()
    with contextlib.redirect_stdout(out):
        main(APPLICATION, ["train", *TINY, "--run", str(folder)])
    return folder, out.getvalue()


@pytest.fixture
def chat(command_of, trained):
    """Calls a verb with the tiny run."""
    return lambda verb, *rest: command_of(APPLICATION, verb, "--run", trained[0], *rest)


@pytest.fixture(scope="module")
def reversed_run(trained, tmp_path_factory):
    """The run folder of a model that counts as reversed: the same weights, by another name."""
    folder = tmp_path_factory.mktemp("reversed") / "run"
    shutil.copytree(trained[0], folder)
    description = json.loads((folder / "config.json").read_text())
    description["config"]["reversed"] = True
    description["fingerprint"] = fingerprint(description)
    (folder / "config.json").write_text(json.dumps(description))
    return folder


def test_a_training_reads_the_last_tokens_of_long_turns(trained):
    folder, out = trained
    assert "columns turns, answer" in out and "their last 12 are read" in out
    description = json.loads((folder / "config.json").read_text())
    assert description["kind"] == "chatbot" and description["config"]["cell"] == "gru"
    assert "val_log_likelihood" in (folder / "history.csv").read_text()
    assert 'pipeline_tag: "text-generation"' in (folder / "README.md").read_text()


def test_answers_are_measured_beside_the_nearest_training_turns(chat, trained):
    answer = chat("evaluate", "--split", "test", "--baseline")
    assert (answer.status, answer.err) == (0, "")
    assert "per word" in answer.out and "nearest training turns\nBLEU-2" in answer.out
    report = json.loads((trained[0] / "metrics.json").read_text())["test"]
    # Words are longer than the tokens of so small a vocabulary.
    assert report["perplexity_word"] > report["perplexity"] > 1
    assert report["baseline"]["nearest training turns"]["bleu_2"] > 3


def test_dialogues_of_a_file_are_answered_row_by_row(chat, tmp_path):
    source, output = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    rows = [{"turns": ["Hello!", "Hi!", "How are you?"]}, {"turns": ["Hello!"]}]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    answer = chat("predict", "--input", source, "--output", output, "--n-best", "2")
    assert (answer.status, answer.err) == (0, "")
    found = [json.loads(line) for line in output.read_text().splitlines()]
    assert [row["text"] for row in found] == ["Hello!\nHi!\nHow are you?", "Hello!"]
    assert {*found[0]} == {"text", "answer", "score", "answer_2", "score_2"}
    assert all(row["answer"] != row["answer_2"] for row in found)


def test_an_export_answers_as_the_run_does_with_a_reversed_model(chat, reversed_run, tmp_path):
    folder, output = tmp_path / "model", tmp_path / "out.jsonl"
    given = ("--reversed-run", reversed_run)
    assert chat("export", "--output", folder, *given).status == 0
    chat("predict", "Hello!\nHi!", "--output", output, *given)
    row = json.loads(output.read_text())
    signatures = tf.saved_model.load(str(folder / "1")).signatures
    answer = signatures["serving_default"](texts=tf.constant(["Hello!\nHi!"]))
    assert answer["answers"].numpy()[0].decode() == row["answer"]
    assert float(answer["scores"][0]) == pytest.approx(row["score"], abs=1e-3)
    counts = tf.constant([2], tf.int64)
    again = signatures["with_turns"](turns=tf.constant(["Hello!", "Hi!"]), counts=counts)
    assert again["answers"].numpy()[0] == answer["answers"].numpy()[0]


def test_turns_of_the_training_have_the_answers_of_the_training(chat, trained, tmp_path):
    train = APPLICATION.read_data(APPLICATION.trained(trained[0]).config).split("train")
    turns, wanted = train.rows[7].source, train.rows[7].target
    (row,) = predicted(chat, tmp_path, turns)
    assert row["answer"] == wanted and row["score"] == pytest.approx(1.0, abs=1e-5)
    several = predicted(chat, tmp_path, turns, "--n-best", "2")[0]
    assert several["answer"] == wanted and several["answer_2"] not in (wanted, "")
    (drawn,) = predicted(chat, tmp_path, turns, "--memory", "0")
    assert drawn["answer"] == several["answer_2"] and drawn["score"] < 0
    assert predicted(chat, tmp_path, f"{turns} zzz")[0]["score"] < 0
    assert 0 < predicted(chat, tmp_path, f"{turns} zzz", "--memory", "0.2")[0]["score"] < 0.999

    folder = tmp_path / "model"
    assert chat("export", "--output", folder).status == 0
    signature = tf.saved_model.load(str(folder / "1")).signatures["serving_default"]
    assert signature(texts=tf.constant([turns]))["answers"].numpy()[0].decode() == wanted


def predicted(chat, folder, *arguments):
    output = folder / "out.jsonl"
    answer = chat("predict", *arguments, "--output", output)
    assert answer.status == 0, answer.err
    return [json.loads(line) for line in output.read_text().splitlines()]


def test_a_run_without_a_memory_cannot_use_one(trained, command_of, tmp_path):
    description = json.loads((trained[0] / "config.json").read_text())
    assert "memory.npz" in description["files"]
    shutil.copytree(trained[0], tmp_path / "run")
    (tmp_path / "run" / "memory.npz").unlink()
    del description["files"]["memory.npz"]
    description["config"]["memory"] = 0.0
    description["fingerprint"] = fingerprint(description)
    (tmp_path / "run" / "config.json").write_text(json.dumps(description))
    call = ("predict", "--run", tmp_path / "run", "Hello!")
    assert command_of(APPLICATION, *call).status == 0
    answer = command_of(APPLICATION, *call, "--memory", "0.5")
    assert answer.status == 2
    assert answer.err.endswith("--memory 0.5 needs a run with a memory. Train one with --memory\n")


@pytest.mark.parametrize(
    ("verb", "options", "words"),
    [
        ("train", ["--copy"], "--copy reads a text as one line"),
        ("predict", ["Hi", "--n-best", "4"], "needs as many candidates. Received: --candidates 3"),
        ("predict", ["Hi", "--moderate", "nowhere"], "no run folder 'nowhere'. Check --moderate"),
        ("predict", ["Hi", "--reversed-run", "x"], "no run folder 'x'. Check --reversed-run"),
        ("evaluate", ["--candidates", "4"], "is for --reversed-run RUN. Add it"),
        ("predict", ["Hi", "--moderate-class", "rude"], "is for --moderate RUN. Add it"),
        ("predict", ["--interactive", "--output", "a.csv"], "--output has no effect. Drop it"),
    ],
)
def test_what_cannot_be_is_refused(verb, options, words, chat):
    answer = chat(verb, *options)
    assert answer.status == 2 and words in answer.err


def test_a_reversed_model_learns_the_one_turn_before_an_answer():
    config = ChatConfig(turns=3)
    forward, backward = (
        replace(config, reversed=each).read_corpus("chat.jsonl") for each in (False, True)
    )
    assert (forward.languages, backward.languages) == (("turns", "answer"), ("answer", "turns"))
    pairs = [corpus.split("validation").rows for corpus in (forward, backward)]
    last = [(pair.source.split("\n")[-1], pair.target) for pair in pairs[0]]
    assert last == [(pair.target, pair.source) for pair in pairs[1]]


def test_a_reversed_model_chooses_among_the_candidates(chat, reversed_run, tmp_path):
    def predict(*options):
        output = tmp_path / "out.jsonl"
        given = ("Hello!\nHi!", "--n-best", "3", "--output", output, *options)
        assert chat("predict", *given).status == 0
        [row] = [json.loads(line) for line in output.read_text().splitlines()]
        return {row[f"answer{end}"]: row[f"score{end}"] for end in ("", "_2", "_3")}

    plain = predict()
    some = predict("--reversed-run", reversed_run)
    # The same answers, each with less than before: the turn has a probability, too.
    assert {*some} == {*plain} and all(some[text] < plain[text] for text in plain)


def test_answers_that_a_reversed_model_chooses_are_measured_beside_the_others(
    chat, trained, reversed_run
):
    given = ("--reversed-run", reversed_run, "--reversed-weight", "5")
    answer = chat("evaluate", "--split", "validation", *given)
    assert (answer.status, answer.err) == (0, "")
    assert "chosen by the reversed model\nBLEU-2" in answer.out
    metrics = json.loads((trained[0] / "metrics.json").read_text())["validation"]
    assert {*metrics["reversed model"]} < {*metrics}


def test_only_a_reversed_chatbot_chooses_among_several_answers(
    chat, command_of, trained, reversed_run
):
    answer = chat("predict", "Hi", "--reversed-run", trained[0])
    assert answer.status == 2 and "run of train --reversed." in answer.err
    assert "holds a chatbot that answers" in answer.err
    answer = chat("predict", "Hi", "--reversed-run", reversed_run, "--candidates", "1")
    assert answer.status == 2 and "--candidates is 1. Add --candidates 16" in answer.err
    given = ("Hi", "--reversed-run", reversed_run)
    answer = command_of(APPLICATION, "predict", "--run", reversed_run, *given)
    assert answer.status == 2 and "this model predicts turns" in answer.err


def test_only_a_classifier_moderates(chat, trained):
    answer = chat("predict", "Hi", "--moderate", trained[0])
    assert answer.status == 2 and "takes the run of a classifier. Received:" in answer.err


def test_the_next_candidate_replaces_a_flagged_answer(caplog):
    flags = {"You fool.": {"rude": 0.93}, "Fool!": {"rude": 0.7}}
    asked = []

    def flag(texts):
        asked.extend(texts)
        return [flags.get(text, {}) for text in texts]

    candidates = [["You fool.", "Hello."], ["Hello."], ["Fool!", "You fool."]]
    assert choose_unflagged(candidates, flag) == [1, 0, None]
    # Each text is scored once.
    assert asked == ["Fool!", "Hello.", "You fool."]
    assert caplog.messages[0] == "moderated, rude 0.93: You fool."


def converse(lines, monkeypatch, turns=()):
    """Has a dialogue with what answers by the number of turns; returns the terminal."""
    waiting = iter(lines)

    def read(prompt):
        line = next(waiting, None)
        if line is None:
            raise EOFError
        return line

    monkeypatch.setattr("builtins.input", read)
    terminal = ChatTerminal(lambda turns: f"{len(turns)} turns", list(turns))
    terminal.run()
    return terminal


def test_the_terminal_remembers_what_was_said_until_it_shall_not(monkeypatch, capsys, tmp_path):
    file = tmp_path / "said.jsonl"
    lines = ["Hello!", "  And  you? ", "", f"/save {file}", "/reset", "Again"]
    terminal = converse(lines, monkeypatch)
    said = [line for line in capsys.readouterr().out.splitlines() if "written" not in line]
    assert said == ["1 turns", "3 turns", "1 turns"]
    assert json.loads(file.read_text()) == {"turns": ["Hello!", "1 turns", "And you?", "3 turns"]}
    assert terminal.turns == ["Again", "1 turns"]


def test_the_terminal_begins_with_turns_and_explains_itself(monkeypatch, capsys):
    assert converse(["/what", "/quit", "never read"], monkeypatch, ["a", "b"]).turns == [
        "a",
        "b",
        "2 turns",
    ]
    assert "/save FILE" in capsys.readouterr().out


def test_a_share_of_the_answers_is_learned_alone():
    train = ParallelTexts([Pair(f"Question {n}", f"Answer {n}") for n in range(50)])
    alone = answers_alone(train, 0.1)
    assert len(alone) == 5 and set(alone.texts) == {""}
    assert set(alone.translations) < set(train.translations)
    assert len(answers_alone(train, 0.0)) == 0

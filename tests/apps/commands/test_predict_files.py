"""`predict` for files with times: subtitles; without a model and TensorFlow."""

import json

import pytest

from apps import hate_speech, ner, text_generation, translation
from apps.config.verbs import PredictOptions

TALK = """WEBVTT

00:01.000 --> 00:02.000
You are all scum

00:03.000 --> 00:04.500
Good morning, Lyon

broken -->
what?
"""
CLASSES = ("hate_speech", "offensive_language", "neither")


class Classifier:
    """Answers by a word."""

    def answer(self, texts):
        return [self.row("hate_speech" if "scum" in text else "neither") for text in texts]

    def row(self, label):
        scores = {f"score_{name}": 0.93 if name == label else 0.035 for name in CLASSES}
        return {"predicted_label": label, "predicted_score": 0.93, **scores}

    def empty_row(self):
        return dict.fromkeys(self.row(""))

    def format_answer(self, text, row):
        return text


class Tagger(Classifier):
    """Knows one city."""

    def row(self, text):
        at = text.find("Lyon")
        city = {"start": at, "end": at + 4, "type": "LOC", "score": 0.97, "text": "Lyon"}
        return {"entities": [city] if at >= 0 else [], "tagged_tokens": []}

    def answer(self, texts):
        return [self.row(text) for text in texts]

    def empty_row(self):
        return {"entities": None, "tagged_tokens": []}


class Translator(Tagger):
    """Translates all texts alike."""

    def row(self, text):
        return {"translation": "Bonjour, <Lyon>", "score": -0.5}

    def empty_row(self):
        return {"translation": None, "score": None}


@pytest.fixture
def predict(command_of, monkeypatch, tmp_path):
    """Runs `predict` of an application whose model is made by hand, in a folder with a talk."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "talk.vtt").write_text(TALK)

    def run(*arguments, application=hate_speech, model=None):
        run = tmp_path / application.APPLICATION.name
        run.mkdir(exist_ok=True)
        description = {"format": 1, "application": run.name, "config": {}, "checksum": ""}
        (run / "config.json").write_text(json.dumps(description))
        (run / "model.keras").write_text("")
        monkeypatch.setattr("apps.commands.predict._find_engine", lambda *_: model or Classifier())
        return command_of(application.APPLICATION, "predict", "--run", run, *arguments)

    return run


def captions(path):
    """The last line of each cue."""
    blocks = path.read_text(encoding="utf-8").strip().split("\n\n")
    return [block.splitlines()[-1] for block in blocks if "-->" in block]


def test_flagged_cues_carry_their_class_and_score_and_others_stay_as_they_are(predict, tmp_path):
    answer = predict("--input", "talk.vtt", "--output", "scored.vtt")
    assert answer.status == 0, answer.err
    assert (tmp_path / "scored.vtt").read_text() == (
        "WEBVTT\n\n1\n00:00:01.000 --> 00:00:02.000\n[hate_speech 0.93] You are all scum\n\n"
        "2\n00:00:03.000 --> 00:00:04.500\nGood morning, Lyon\n\n"
    )
    assert "row 3: a broken time line" in answer.err


def test_a_person_says_which_classes_are_flagged(predict, tmp_path):
    predict("--input", "talk.vtt", "--output", "a.srt", "--flag", "neither", "offensive_language")
    assert captions(tmp_path / "a.srt") == [
        "You are all scum",
        "[neither 0.93] Good morning, Lyon",
    ]
    answer = predict("--input", "talk.vtt", "--output", "b.srt", "--flag", "hate")
    assert (answer.status, answer.err.count("\n")) == (2, 1)
    assert "no class 'hate'" in answer.err and "neither" in answer.err


@pytest.mark.parametrize(
    ("application", "model", "lines"),
    [
        (ner, Tagger(), ["You are all scum", "Good morning, [Lyon](LOC 97 %)"]),
        (translation, Translator(), ["Bonjour, &lt;Lyon&gt;"] * 2),
    ],
)
def test_a_cue_says_what_a_tagger_and_a_translator_answer(
    predict, tmp_path, application, model, lines
):
    output = ["--output", "told.vtt"]
    answer = predict("--input", "talk.vtt", *output, application=application, model=model)
    assert answer.status == 0, answer.err
    assert captions(tmp_path / "told.vtt") == lines


def test_a_continuation_follows_its_text_and_another_task_names_its_columns():
    caption = text_generation.APPLICATION.options_of("predict", {}).caption(None)
    assert caption("Once", {"continuation": " upon"}) == "Once upon"
    assert caption("Once", {"continuation": None}) == "Once"
    row = {"text": "Once", "predicted_label": "ham", "predicted_score": 0.5, "score_neither": None}
    caption = PredictOptions().caption(Classifier())
    row = {**Classifier().empty_row(), **row}
    assert caption("Once", row) == "Once\npredicted_label ham, predicted_score 0.5"


@pytest.mark.parametrize("source", [["a text"], ["--input", "posts.csv"], ["--input", "-"]])
def test_what_has_no_times_becomes_no_subtitles(predict, tmp_path, source):
    (tmp_path / "posts.csv").write_text("text\nhello\n")
    answer = predict(*source, "--output", "a.vtt")
    assert (answer.status, answer.err.count("\n")) == (2, 1)
    assert "a.vtt: subtitles need texts with a start and an end" in answer.err
    assert not (tmp_path / "a.vtt").exists()


def test_entities_keep_the_format_that_is_asked_for(predict, tmp_path):
    options = ["--format", "conll", "--output", "a.vtt"]
    assert predict("--input", "talk.vtt", *options, application=ner, model=Tagger()).status == 0
    assert "-->" not in (tmp_path / "a.vtt").read_text()

"""`predict` for files with times: subtitles; without a model and TensorFlow."""

import json

import pytest

from apps import hate_speech, ner, text_generation, translation
from apps.config.verbs import PredictOptions
from data.errors import UserError
from data.formats.record import Record
from data.transcription.options import Transcription

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
        made = model or Classifier()
        monkeypatch.setattr("apps.commands.prediction.loader._find_engine", lambda *_: made)
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
    assert "a.vtt is for texts with a start and an end" in answer.err
    assert not (tmp_path / "a.vtt").exists()


def test_entities_keep_the_format_that_is_asked_for(predict, tmp_path):
    options = ["--format", "conll", "--output", "a.vtt"]
    assert predict("--input", "talk.vtt", *options, application=ner, model=Tagger()).status == 0
    assert "-->" not in (tmp_path / "a.vtt").read_text()


def test_a_report_has_each_row_and_stands_alone_or_beside_an_output(predict, tmp_path):
    answer = predict("--input", "talk.vtt", "--report", "report.html")
    assert (answer.status, answer.out) == (0, "")
    page = (tmp_path / "report.html").read_text()
    assert "3 segments, 1 of them flagged: hate_speech 1." in page
    answer = predict("--input", "talk.vtt", "--report", "both.html", "--output", "a.csv")
    assert (tmp_path / "both.html").read_text() == page
    assert len((tmp_path / "a.csv").read_text().splitlines()) == 4


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (["--input", "talk.vtt", "--report", "a.csv"], "--report writes FILE.html"),
        (["--input", "posts.csv", "--report", "a.html"], "a.html is for texts with a start"),
        (["a text", "--report", "a.html"], "a.html is for texts with a start"),
        (
            ["--input", "talk.vtt", "--report", "a.html", "--output", "./a.html"],
            "./a.html is the report, too",
        ),
    ],
)
def test_a_report_that_cannot_be_is_refused_in_one_line(predict, tmp_path, given, problem):
    (tmp_path / "posts.csv").write_text("text\nhello\n")
    answer = predict(*given)
    assert (answer.status, answer.err.count("\n")) == (2, 1)
    assert problem in answer.err


@pytest.fixture
def talks(tmp_path):
    """A folder of three talks, of which the second is no transcript, and a picture."""
    folder = tmp_path / "talks"
    folder.mkdir()
    for name, content in {"a.vtt": TALK, "b.vtt": "WEBVTT\n", "c.srt": TALK, "d.png": ""}.items():
        (folder / name).write_text(content)
    return folder


def test_each_file_of_a_folder_is_answered_though_one_is_bad(predict, tmp_path, talks):
    answer = predict("--input", "talks", "--output", "scored/{name}.csv", "--report", "{name}.html")
    assert answer.status == 2
    assert sorted(path.name for path in (tmp_path / "scored").iterdir()) == ["a.csv", "c.csv"]
    assert sorted(path.name for path in tmp_path.glob("*.html")) == ["a.html", "c.html"]
    lines = answer.err.splitlines()
    assert any(line.startswith("talks/b.vtt has no cue") for line in lines)
    assert lines[-1].startswith("error: 1 of 3 file(s) have no answers: talks/b.vtt. ")
    assert [line.partition(": ")[2] for line in answer.out.splitlines()] == [
        "talks/a.vtt",
        "talks/b.vtt",
        "talks/c.srt",
    ]


def test_what_is_written_is_not_written_again(predict, tmp_path, talks):
    (tmp_path / "scored").mkdir()
    (tmp_path / "scored" / "c.csv").write_text("mine")
    answer = predict("--input", "talks/[a-c].*t", "--output", "scored/{name}.csv")
    assert answer.out.splitlines()[0] == "1 of 3 files are done: their outputs are there"
    assert (tmp_path / "scored" / "c.csv").read_text() == "mine"
    assert (tmp_path / "scored" / "a.csv").exists()


def test_outputs_in_the_folder_of_the_inputs_are_no_inputs(predict, talks):
    (talks / "b.vtt").unlink()
    for _ in range(2):
        answer = predict("--input", "talks", "--output", "talks/{name}.flagged.vtt")
        assert answer.status == 0, answer.err
    names = sorted(path.name for path in talks.glob("*.vtt"))
    assert names == ["a.flagged.vtt", "a.vtt", "c.flagged.vtt"]


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (["talks"], "Pass --output 'FOLDER/{name}.csv'"),
        (["talks", "--output", "a.csv"], "--output a.csv one. Write {name} where"),
        (["talks", "--output", "{name}.csv", "--report", "a.html"], "--report a.html one."),
        (["talks/*.mp7", "--output", "{name}.csv"], "none of 0 file(s) is one of .csv, .tsv"),
        (["talks/?.[v-]*", "--output", "{name}.html"], "Unknown file format '.html'"),
        (["two/*", "--output", "{name}.csv"], "two/a.srt, two/a.vtt would all be written to a.csv"),
    ],
)
def test_several_files_that_would_not_fit_are_refused_in_one_line(
    predict, tmp_path, talks, given, problem
):
    (tmp_path / "two").mkdir()
    for name in ("a.vtt", "a.srt"):
        (tmp_path / "two" / name).write_text(TALK)
    answer = predict("--input", *given)
    assert (answer.status, answer.err.count("\n")) == (2, 1)
    assert problem in answer.err


def test_one_file_has_its_name_in_its_output(predict, tmp_path):
    predict("--input", "talk.vtt", "--output", "{name}.csv")
    assert (tmp_path / "talk.csv").exists()


@pytest.fixture
def heard(monkeypatch, tmp_path):
    """What recordings say, without a recogniser; the list gets how each was asked for."""
    asked = []

    def read_recording(path, transcription):
        asked.append(transcription)
        if path.startswith("broken"):
            raise UserError(f"{path} cannot be decoded. Check the file")
        row = {"start": "00:00:01.000", "end": "00:00:02.000", "recognition_confidence": 0.5}
        yield Record(1, {**row, "text": "hm"}, "no speech")
        yield Record(2, {**row, "text": "You are all scum"})

    monkeypatch.setattr("data.transcription.reader.read_recording", read_recording)
    for name in ("talk.mp4", "broken.wav"):
        (tmp_path / name).touch()
    return asked


def test_a_recording_is_rows_of_what_is_said(predict, heard, tmp_path):
    options = ["--segment", "cue", "--hot-words", "Lyon", "Pelloi", "--transcript", "{name}.en.vtt"]
    answer = predict("--input", "talk.mp4", "--output", "a.csv", *options)
    assert answer.status == 0
    assert answer.err.splitlines() == ["row 1: no speech", "1 row(s) were left without an answer"]
    lines = (tmp_path / "a.csv").read_text().splitlines()
    assert lines[0].startswith("start,end,recognition_confidence,text,predicted_label,")
    assert lines[2].startswith("00:00:01.000,00:00:02.000,0.5,You are all scum,hate_speech,0.93")
    wanted = {"segment": "cue", "hot_words": ("Lyon", "Pelloi"), "transcript": "talk.en.vtt"}
    assert heard == [Transcription(**wanted)]


def test_recordings_of_a_folder_are_answered_and_their_pages_play_them(predict, heard, tmp_path):
    answer = predict("--input", "*.[mw][pa]*", "--output", "{name}.flagged.vtt")
    assert (answer.status, answer.err.splitlines()[0]) == (
        2,
        "broken.wav cannot be decoded. Check the file",
    )
    assert captions(tmp_path / "talk.flagged.vtt") == ["hm", "[hate_speech 0.93] You are all scum"]
    assert predict("--input", "talk.mp4", "--report", "talk.html").status == 0
    assert 'src="talk.mp4"' in (tmp_path / "talk.html").read_text()


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (["talk.vtt", "--output", "a.csv", "--transcribe"], "--transcribe is for recordings (.wav"),
        (
            ["talk.mp4", "--output", "a.csv", "--transcript", "a.txt"],
            "--transcript writes FILE.vtt",
        ),
        (["talk.mp4", "--output", "a.csv", "--audio-track", "0"], "--audio-track must be at least"),
        (["none.mp4", "--output", "a.csv"], "no file 'none.mp4'"),
    ],
)
def test_options_of_recordings_that_do_not_fit_are_one_line(predict, heard, given, problem):
    answer = predict("--input", *given)
    assert (answer.status, answer.err.count("\n"), heard) == (2, 1, [])
    assert problem in answer.err


@pytest.mark.parametrize("verb", ["train", "inspect"])
@pytest.mark.parametrize("option", ["--dataset", "--validation-file"])
def test_no_training_listens_to_a_recording(command_of, heard, tmp_path, verb, option):
    data = ["--dataset", tmp_path / "talk.vtt"] if option != "--dataset" else []
    (tmp_path / "talk.vtt").touch()
    answer = command_of(ner.APPLICATION, verb, *data, option, tmp_path / "talk.mp4")
    assert (answer.status, answer.err.count("\n"), heard) == (2, 1, [])
    assert "talk.mp4 is a recording, and only predict listens to one. Transcribe it" in answer.err


def test_the_help_says_how_outputs_are_named(command_of):
    assert "{name}" in command_of(ner.APPLICATION, "predict", "--help").out


def test_an_application_that_reads_no_texts_has_no_recordings():
    with pytest.raises(UserError, match=r"talk\.mp4 is a recording, and no text is read here"):
        PredictOptions().check_recordings(["a.csv", "talk.mp4"])
    assert PredictOptions().transcription() is None

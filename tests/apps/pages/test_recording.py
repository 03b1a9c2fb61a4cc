"""The page of a recording: a lane of bars a class, a row a segment, a player of the file itself."""

import base64
import hashlib
import html.parser
import re
from pathlib import Path

import pytest

from apps.pages.recording import PLAYERS, Segment, find_media, recording_page, recording_report
from data.transcription.options import RECORDINGS

SEGMENTS = [
    Segment(0.0, 5.0, "good <evening>", "neither", {"hate": 0.1}, [], 0.9),
    Segment(5.0, 20.0, "go home", "hate", {"hate": 0.75}, ["hate"], 0.5),
    Segment(None, None, "when?", None, {"hate": None}, []),
]


class Reader(html.parser.HTMLParser):
    """The tags of a page with their attributes, and its script."""

    def __init__(self, content):
        super().__init__()
        self.tags, self.script = [], ""
        self.feed(content)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        if self.lasttag == "script":
            self.script += data if data.strip() else ""

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def read(source="talk.mp4", segments=SEGMENTS, path="report.html"):
    return Reader(recording_page(path, source, ["hate"], segments).to_html())


def test_bars_stand_where_and_as_high_as_their_segments():
    bars = [
        (bar["data-row"], bar.get("class"), float(bar["x"]), float(bar["width"]))
        for bar in read().all("rect")
    ]
    assert bars == [("0", None, 0, 250), ("1", "flagged", 250, 750)]
    heights = [(float(bar["y"]), float(bar["height"])) for bar in read().all("rect")]
    assert heights == [(36, 4), (10, 30)]


def test_a_row_has_its_start_and_one_without_times_has_no_button():
    starts = [row["data-start"] for row in read().all("tr") if "data-start" in row]
    assert starts == ["0.000", "5.000", ""]
    labels = [each.get("aria-label") for each in read().all("button")]
    assert labels == [None, None, "play from 00:00", "play from 00:05"]
    content = recording_page("r.html", "a.vtt", ["hate"], SEGMENTS).to_html()
    assert "<td class=classes>no answer</td>" in content and "good &lt;evening&gt;" in content
    assert "<td class=classes>neither</td><td class=number></td>" in content
    assert "<td class=classes>hate</td><td class=number>0.75</td>" in content
    assert "3 segments, 1 of them flagged: hate 1." in content


def test_the_browser_runs_the_script_of_the_page_alone_and_loads_the_recording_alone():
    page = read()
    policy = next(each["content"] for each in page.all("meta") if "http-equiv" in each)
    digest = base64.b64encode(hashlib.sha256(page.script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy and "media-src 'self' file:" in policy
    assert [each["src"] for _, each in page.tags if "src" in each] == ["talk.mp4"]
    assert not re.search(r"\bon\w+=|https?:", page.script)


def test_every_element_that_the_script_asks_for_is_there():
    page = read()
    ids = {each["id"] for _, each in page.tags if "id" in each}
    assert set(re.findall(r'getElementById\("(\w+)"\)', page.script)) <= ids


@pytest.mark.parametrize(
    ("source", "path", "address"),
    [
        ("talks/a b?.mp3", "report.html", "talks/a%20b%3F.mp3"),
        ("a:b.webm", "out/report.html", "../a%3Ab.webm"),
        ("/x/talk.wav", "/x/y/report.html", "../talk.wav"),
    ],
)
def test_the_address_of_a_recording_is_relative_to_the_page(source, path, address):
    (player,) = read(source, path=path).all(PLAYERS[Path(source).suffix])
    assert player["src"] == address


def test_a_transcript_plays_the_recording_of_its_name(tmp_path):
    transcript, recording = tmp_path / "talk.en.vtt", tmp_path / "talk.en.mp4"
    assert find_media(str(transcript)) is None
    page = read(str(transcript))
    assert not page.all("video") and not page.all("audio")
    assert "media-src" not in page.all("meta")[1]["content"]
    recording.touch()
    assert find_media(str(transcript)) == str(recording)


def test_a_recording_without_segments_is_a_page_too(tmp_path):
    with recording_report(str(tmp_path / "a.html"), "talk.ogg", ["hate"], lambda row: row):
        pass
    assert "0 segments, 0 of them flagged." in (tmp_path / "a.html").read_text()


def test_nothing_is_written_of_a_recording_whose_answers_fail(tmp_path):
    with (
        pytest.raises(ValueError, match="stop"),
        recording_report(str(tmp_path / "a.html"), "talk.ogg", ["hate"], lambda row: row),
    ):
        raise ValueError("stop")
    assert not (tmp_path / "a.html").exists()


def test_a_segment_of_no_class_has_an_answer():
    segment = Segment(0.0, 1.0, "hello", "", {"hate": 0.1}, [])
    assert "<td class=classes>none</td>" in recording_page("r", "a.vtt", [], [segment]).to_html()


def test_there_is_a_player_for_every_recording_that_can_be_answered():
    assert set(RECORDINGS) <= set(PLAYERS)

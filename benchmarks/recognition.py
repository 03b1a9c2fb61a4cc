"""What recognisers of speech understand, what it costs, and what it costs the classifier behind.

    python benchmarks/recognition.py clips clips/clips.tsv --recognizers sphinx whisper
    python benchmarks/recognition.py tweets --run runs/davidson --data-dir data --split test
    python benchmarks/recognition.py noise clips/noise/*.wav --hot-words

`clips` reads a table (columns `file`, a path beside the table, and `text`) and measures the word
error rate and the real-time factor. `tweets` lets espeak-ng speak tweets of Davidson et al., and
compares what a run answers to them as typed, as a voice can say them, and as recognised. `noise`
counts the rows, and the hot words in them, where nobody speaks. A recogniser is `sphinx`,
`whisper`, or `whisper=FOLDER` for another model. What was heard of a tweet is kept in a file, and
not recognised again.
"""

import argparse
import csv
import html
import json
import os
import re
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
from harness.report import count, markdown, plain, run

from data.errors import UserError
from data.formats.readers import read_records
from data.identity_terms.files import read_identity_terms
from data.registry import IDENTITY_TERMS
from data.transcription.decoding import BLOCK, RATE, Sound
from data.transcription.options import Transcription
from data.transcription.reader import read_recording
from data.transcription.recognizers import load_recognizer

_UNITS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen"),
    "nineteen",
)
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
# What nobody says: links, names of users, the mark of a repeated tweet, and signs.
_UNSPOKEN = re.compile(r"https?:\S*|www\.\S+|@\w+|\bRT\b|[^\w\s.,?!'%$-]|_")
_LEVEL = (2.5, 97.5)
# Tweets that are one recording, and the seconds of silence behind each.
_TOGETHER, _SILENCE = 20, 1.5


def normalize(text: str) -> str:
    """Returns the words of a text in lower case, numbers as words, without punctuation."""
    text = re.sub(r"\bmr\b\.?", "mister", text.lower().replace("’", "'"))
    text = re.sub(r"\d+", lambda found: f" {spell(int(found[0]))} ", text)
    return " ".join(re.sub(r"[^\w\s']", " ", text).split())


def spell(number: int) -> str:
    """Returns a number as somebody says it; years by their hundreds."""
    if number < 20:
        return _UNITS[number]
    if number < 100:
        rest = number % 10
        return _TENS[number // 10] + (f" {_UNITS[rest]}" if rest else "")
    if 1000 < number < 10_000 and number % 100 and number % 1000 > 100:
        return f"{spell(number // 100)} {spell(number % 100)}"
    for size, name in ((1000, "thousand"), (100, "hundred")):
        if number >= size:
            rest = number % size
            return f"{spell(number // size)} {name}" + (f" {spell(rest)}" if rest else "")
    raise ValueError(number)


def transcription(name: str, hot_words: tuple[str, ...] = ()) -> Transcription:
    """Returns the options of a recogniser, `NAME` or `NAME=FOLDER`."""
    recognizer, _, model = name.partition("=")
    return Transcription(recognizer, model, transcribe=True, hot_words=hot_words)


def hear(path: str, options: Transcription) -> str:
    """Returns what is understood of a recording, without what was probably invented."""
    records = read_recording(path, options)
    return " ".join(record.values["text"] for record in records if not record.problem)


def measure_clips(options: argparse.Namespace) -> None:
    """Prints word error rate, real-time factor and loading time of each recogniser."""
    import jiwer

    table = Path(options.table)
    with table.open(encoding="utf-8", newline="") as file:
        rows = [
            (table.parent / row["file"], row["text"])
            for row in csv.DictReader(file, dialect="excel-tab")
        ]
    seconds = 0.0
    for path, _ in rows:
        sound = Sound(str(path), 1)
        seconds += sum(len(block) for block in sound.blocks()) / RATE
    texts = [normalize(text) for _, text in rows]
    words = sum(len(text.split()) for text in texts)
    print(
        f"{len(rows)} clips, {seconds:.1f} s, {words} words, {len(os.sched_getaffinity(0))} cores"
    )
    results = []
    for name in options.recognizers:
        chosen = transcription(name)
        started = time.perf_counter()
        load_recognizer(chosen)
        hear(str(rows[0][0]), chosen)
        loading = time.perf_counter() - started
        rounds = []
        for _ in range(options.rounds):
            wall, processor = time.perf_counter(), time.process_time()
            heard = [normalize(hear(str(path), chosen)) for path, _ in rows]
            rounds.append((time.perf_counter() - wall, time.process_time() - processor))
        for (path, _), text, understood in zip(rows, texts, heard, strict=True):
            if text != understood:
                print(f"{name}, {path.name}: {text!r} -> {understood!r}")
        wall, processor = (statistics.median(column) for column in zip(*rounds, strict=True))
        rate = jiwer.wer(texts, heard)
        results.append(
            [
                name,
                f"{rate:.3f}",
                f"{wall / seconds:.2f}",
                f"{processor / seconds:.2f}",
                f"{loading:.1f}",
            ]
        )
    titles = (
        "recogniser",
        "word error rate",
        "real-time factor",
        "processor time a second",
        "loading (s)",
    )
    show(options, titles, results)


def speakable(text: str) -> str:
    """Returns what a voice can say of a tweet."""
    # Users' names go, and the signs around them.
    return " ".join(_UNSPOKEN.sub(" ", html.unescape(html.unescape(text))).split()).lstrip(" .,?!-")


class Ear:
    """Speaks texts by espeak-ng and recognises them; what was heard is kept in a file.

    So many texts are one recording, with pauses, as in a talk: Whisper looks at 30 s at a time,
    whatever it hears.
    """

    def __init__(self, path: str, espeak: str):
        self._path, self._espeak = Path(path), espeak
        self._heard = {}
        if self._path.exists():
            lines = self._path.read_text(encoding="utf-8").splitlines()
            self._heard = {tuple(key): text for key, text in map(json.loads, lines)}

    def hear(self, texts: list[str], name: str, hot_words: tuple[str, ...]) -> list[str]:
        """Returns what a recogniser understands of texts."""
        keys = [(name, " ".join(hot_words), text) for text in texts]
        missing = [key for key in dict.fromkeys(keys) if key not in self._heard]
        for start in range(0, len(missing), _TOGETHER):
            part = missing[start : start + _TOGETHER]
            heard = self._recognise([text for *_, text in part], transcription(name, hot_words))
            with self._path.open("a", encoding="utf-8") as file:
                for key, text in zip(part, heard, strict=True):
                    self._heard[key] = text
                    print(json.dumps([key, text]), file=file)
        return [self._heard[key] for key in keys]

    def _recognise(self, texts: list[str], options: Transcription) -> list[str]:
        """Returns what is heard of each text in a recording of all; a word is of the text in which
        its middle is."""
        pause = np.zeros(round(_SILENCE * RATE), np.float32)
        spoken = [np.concatenate([self._speak(text), pause]) for text in texts]
        ends = np.cumsum([len(samples) for samples in spoken]) / RATE
        words: list[list[str]] = [[] for _ in texts]
        sound = np.concatenate(spoken)
        blocks = [sound[place : place + BLOCK] for place in range(0, len(sound), BLOCK)]
        for cue in load_recognizer(options)(blocks):
            for word in () if cue.is_invented else cue.words:
                place = int(np.searchsorted(ends, (word.start + word.end) / 2))
                words[min(place, len(texts) - 1)].append(word.text)
        return [" ".join(each) for each in words]

    def _speak(self, text: str) -> np.ndarray:
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder, "spoken.wav"))
            command = [self._espeak, "-v", "en-us", "-w", path]
            try:
                subprocess.run(command, input=text.encode(), check=True, timeout=60)
            except OSError as error:
                raise UserError(
                    f"cannot run {self._espeak}: {error.strerror}. Check --espeak"
                ) from None
            return np.concatenate(list(Sound(path, 1).blocks()))


def find_hot_words() -> tuple[str, ...]:
    """Returns the shipped terms of identity, each once, without plurals."""
    rows = [record.values for record in read_records(str(IDENTITY_TERMS))]
    written = [row["term"] for row in rows if not row["form"].endswith("plural")]
    return tuple(dict.fromkeys(written))


def measure_tweets(options: argparse.Namespace) -> None:
    """Prints the macro F1 of a run on tweets as typed, as spoken, and as recognised."""
    import jiwer

    import apps
    from data.datasets import read_labelled_texts

    corpus = read_labelled_texts("davidson", "hate_speech.csv", options.data_dir, original=True)
    split = corpus.splits[options.split]
    order = np.random.default_rng(0).permutation(len(split.texts))
    said = [(place, speakable(split.texts[place])) for place in order]
    said = [(place, text) for place, text in said if normalize(text)][: options.rows]
    typed, spoken = [split.texts[place] for place, _ in said], [text for _, text in said]
    labels = [split.class_names[split.targets[place].argmax()] for place, _ in said]
    answer = apps.load(options.run).answerer()
    ear = Ear(options.heard, options.espeak)
    hot_words = find_hot_words()
    variants = {"typed": typed, "what can be said of it": spoken}
    for name in options.recognizers:
        for words in ((), hot_words) if options.hot_words and name != "sphinx" else ((),):
            title = f"{name}{' with hot words' if words else ''}"
            variants[title] = ear.hear(spoken, name, words)
    generator = np.random.default_rng(0)
    drawn = [generator.integers(0, len(labels), len(labels)) for _ in range(1000)]
    terms, results = read_identity_terms(IDENTITY_TERMS), []
    first = None
    for title, texts in variants.items():
        found = answer([text or "." for text in texts])
        # What is not understood has no answer.
        answers = [
            row["predicted_label"] if text else "" for row, text in zip(found, texts, strict=True)
        ]
        right = np.array(labels), np.array(answers)
        scores = np.array([macro_f1(right[0][i], right[1][i], split.class_names) for i in drawn])
        first = scores if first is None else first
        low, high = np.percentile(scores - first, _LEVEL)
        rate = jiwer.wer([normalize(t) for t in spoken], [normalize(t) for t in texts])
        kept, groups = 0, 0
        for text, understood in zip(spoken, texts, strict=True):
            expected = terms.find_groups(text)
            groups += len(expected)
            kept += len(expected & terms.find_groups(understood))
        results.append(
            [
                title,
                "" if title == "typed" else f"{rate:.3f}",
                f"{kept} of {groups}",
                f"{np.mean(right[0] == right[1]):.3f}",
                f"{macro_f1(*right, split.class_names):.3f}",
                "" if title == "typed" else f"{low:+.3f} to {high:+.3f}",
            ]
        )
    counts = ", ".join(f"{labels.count(name)} {name}" for name in split.class_names)
    print(f"{len(labels)} tweets of the {options.split} split: {counts}")
    titles = (
        "text",
        "word error rate",
        "groups kept",
        "accuracy",
        "macro F1",
        "difference, 95 % interval",
    )
    show(options, titles, results)


def macro_f1(labels: np.ndarray, answers: np.ndarray, class_names: tuple[str, ...]) -> float:
    """Returns the mean F1 of the classes."""
    scores = []
    for name in class_names:
        right = np.sum((labels == name) & (answers == name))
        scores.append(2 * right / max(1, np.sum(labels == name) + np.sum(answers == name)))
    return float(np.mean(scores))


def measure_noise(options: argparse.Namespace) -> None:
    """Prints how many sounds without speech get a text, and how many a hot word."""
    from data.transcription import whisper
    from data.transcription.voice import Speech

    hot_words = find_hot_words()
    found = {word.lower() for word in hot_words}
    results, cut = [], whisper.cut_speech
    for listens, cutting in (
        ("yes", cut),
        ("no", lambda sound, _: [Speech(0.0, join(sound), np.ones(1, bool))]),
    ):
        whisper.cut_speech = cutting
        for name in options.recognizers:
            for words in ((), hot_words):
                heard = [hear(path, transcription(name, words)) for path in options.files]
                leaked = sum(any(word in text.lower() for word in found) for text in heard)
                named = f"{name}{' with hot words' if words else ''}"
                results.append([named, listens, sum(map(bool, heard)), leaked])
                print(named, listens, list(filter(None, heard)))
    titles = (
        "recogniser",
        "voice activity",
        f"texts in {len(options.files)} sounds",
        "with a hot word",
    )
    show(options, titles, results)


def join(sound) -> np.ndarray:
    """Returns all samples of a short sound."""
    return np.concatenate(list(sound))[: 30 * RATE]


def show(options: argparse.Namespace, titles: tuple[str, ...], rows: list) -> None:
    print((markdown if options.markdown else plain)(titles, rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--recognizers", nargs="+", default=["whisper"], metavar="NAME[=FOLDER]")
    common.add_argument("--hot-words", action="store_true", help="terms of identity, as well")
    common.add_argument("--markdown", action="store_true", help="print the table of docs/guides")
    verbs = parser.add_subparsers(required=True)
    clips = verbs.add_parser("clips", parents=[common], help="real recordings with known texts")
    clips.add_argument("table", help="a .tsv with the columns file and text")
    clips.add_argument("--rounds", type=count, default=1, help="timings; their median is shown")
    clips.set_defaults(measure=measure_clips)
    tweets = verbs.add_parser("tweets", parents=[common], help="tweets that espeak-ng speaks")
    tweets.add_argument("--run", required=True, help="a run of hate_speech on davidson")
    tweets.add_argument("--data-dir", required=True, help="the folder of davidson/")
    tweets.add_argument("--split", choices=("validation", "test"), default="validation")
    tweets.add_argument("--rows", type=count, default=500)
    tweets.add_argument("--espeak", default="espeak-ng", help="the program")
    tweets.add_argument("--heard", default="heard.jsonl", help="keeps what was recognised")
    tweets.set_defaults(measure=measure_tweets)
    noise = verbs.add_parser("noise", parents=[common], help="sounds in which nobody speaks")
    noise.add_argument("files", nargs="+")
    noise.set_defaults(measure=measure_noise)
    options = parser.parse_args()
    options.measure(options)


if __name__ == "__main__":
    run(main)

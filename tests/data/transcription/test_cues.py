import pytest

from data.errors import UserError
from data.transcription.cues import Cue, Word, ends_sentence, join_cues
from data.transcription.options import Transcription


def joined(cues, segment="sentence"):
    rows = join_cues(cues, Transcription(segment=segment))
    return [(cue.start, cue.end, cue.text) for cue in rows]


def test_fragments_are_joined_up_to_the_end_of_a_sentence():
    cues = [Cue(0, 2, "What is in"), Cue(2, 3, "his power?"), Cue(3, 4, "Nothing.")]
    assert joined(cues) == [(0, 3, "What is in his power?"), (3, 4, "Nothing.")]


def test_a_silence_of_eight_tenths_ends_a_sentence_and_a_shorter_one_does_not():
    assert len(joined([Cue(0, 1, "so"), Cue(1.75, 2, "what")])) == 1
    assert len(joined([Cue(0, 1, "so"), Cue(1.8125, 2, "what")])) == 2


def test_a_sentence_ends_inside_of_a_cue_whose_words_have_times():
    words = (Word(0, 1, "Yes."), Word(1, 2, "I"), Word(2, 3, "do,"))
    cues = [Cue(0, 3, "Yes. I do,", words=words), Cue(3, 4, "Anna.")]
    assert joined(cues) == [(0, 1, "Yes."), (1, 4, "I do, Anna.")]


@pytest.mark.parametrize(
    "text", ["Mr.", "said Dr.", "the U.S.", "(e.g.", "J.", "at 5 p.m.", "and", "3.5", "wait,"]
)
def test_abbreviations_and_initials_end_no_sentence(text):
    assert not ends_sentence(text)


@pytest.mark.parametrize("text", ["No.", "It is I.", 'He said "go!"', "Well…", "Why?)", "3.5."])
def test_sentences_end(text):
    assert ends_sentence(text)


def test_cues_stay_as_they_are_where_they_shall():
    cues = [Cue(0, 1, "so"), Cue(1, 2, "what.")]
    assert joined(cues, "cue") == [(0, 1, "so"), (1, 2, "what.")]


def test_rows_of_so_many_seconds_are_filled_and_never_longer():
    words = tuple(Word(i, i + 1, f"w{i}.") for i in range(5))
    assert joined([Cue(0, 5, "", words=words)], "2.5") == [
        (0, 2, "w0. w1."),
        (2, 4, "w2. w3."),
        (4, 5, "w4."),
    ]


def test_speech_without_punctuation_is_cut_after_thirty_seconds():
    words = tuple(Word(i, i + 1, "w") for i in range(40))
    assert [row[:2] for row in joined([Cue(0, 40, "", words=words)])] == [(0, 30), (30, 40)]


def test_the_confidence_is_the_mean_by_the_lengths_of_the_texts():
    cues = [Cue(0, 1, "abc", 0.5), Cue(1, 2, "de.", 1.0), Cue(2, 3, "e")]
    first, second = join_cues(cues, Transcription())
    assert first.confidence == pytest.approx(0.75)
    assert second.confidence is None


def test_what_was_invented_in_silence_is_joined_to_nothing():
    cues = [Cue(0, 1, "so", no_speech=0.1), Cue(1, 2, "you", no_speech=0.9), Cue(2, 3, "what")]
    rows = list(join_cues(cues, Transcription()))
    assert [(row.text, row.is_invented) for row in rows] == [
        ("so", False),
        ("you", True),
        ("what", False),
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"recognizer": "wisper"}, r"unknown recogniser 'wisper'.*Did you mean whisper\?"),
        ({"recognizer": "command: "}, "unknown recogniser 'command: '"),
        ({"segment": "sentences"}, "Received: 'sentences'. Did you mean sentence"),
        ({"segment": "0"}, "Received: '0'"),
        ({"segment": "nan"}, "Received: 'nan'"),
        ({"segment": "inf"}, "Received: 'inf'"),
        ({"audio_track": 0}, "counts from 1. Received: 0"),
        ({"transcript": "a.txt"}, "--transcript writes FILE.vtt. Received: a.txt"),
    ],
)
def test_options_that_are_not_possible_are_refused_in_one_line(options, message):
    with pytest.raises(UserError, match=message) as caught:
        Transcription(**options)
    assert "\n" not in str(caught.value)

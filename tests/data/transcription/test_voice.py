import itertools

import numpy as np
import pytest

from data.transcription.decoding import RATE
from data.transcription.voice import Speech, SpeechFinder, cut_speech

# Frames of a tenth of a second: a pause has 20, a padding 2, the longest span 300.
FRAME = 0.1


def spans(*runs):
    """The spans of probabilities that are given as runs of (frames, probability)."""
    finder = SpeechFinder(FRAME)
    found = [finder.add(p) for frames, p in runs for _ in range(frames)]
    return [span for span in [*found, finder.end()] if span]


def test_silence_holds_no_speech():
    assert spans((1000, 0.3)) == []


def test_speech_has_a_padding_on_both_sides():
    assert spans((10, 0.0), (30, 0.9), (40, 0.0)) == [(8, 42)]


def test_the_padding_ends_with_the_file():
    assert spans((1, 0.0), (30, 0.9), (1, 0.0)) == [(0, 32)]


def test_speech_begins_at_a_half_and_goes_on_down_to_a_third():
    assert spans((10, 0.4), (1, 0.6), (30, 0.4), (40, 0.3)) == [(8, 43)]


def test_a_pause_of_two_seconds_ends_speech_and_a_shorter_one_does_not():
    assert spans((10, 0.9), (19, 0.0), (10, 0.9)) == [(0, 39)]
    assert spans((10, 0.9), (20, 0.0), (10, 0.9)) == [(0, 12), (28, 40)]


def test_long_speech_is_cut_in_the_middle_of_the_longest_pause_of_its_second_half():
    # Pauses at 100 (too early), at 200 and, shorter, at 250.
    runs = ((100, 0.9), (15, 0.0), (85, 0.9), (10, 0.0), (40, 0.9), (4, 0.0), (96, 0.9))
    assert spans(*runs) == [(0, 205), (205, 350)]


def test_long_speech_without_a_pause_is_cut_where_it_is_least_probable():
    assert spans((220, 0.9), (1, 0.5), (129, 0.9)) == [(0, 220), (220, 350)]


def test_no_frame_is_in_two_spans_and_no_span_is_longer_than_thirty_seconds():
    generator = np.random.default_rng(1)
    finder = SpeechFinder(FRAME)
    # Seconds that are loud or silent, at random.
    found = [finder.add(p) for p in np.repeat(generator.random(600) > 0.25, 10)]
    found = [span for span in [*found, finder.end()] if span]
    assert len(found) > 10
    assert max(end - start for start, end in found) <= 300
    assert all(a[1] <= b[0] for a, b in itertools.pairwise(found))


class LoudDetector:
    frame = 1600

    def __call__(self, block):
        return (np.abs(block.reshape(-1, self.frame)).max(1) > 0.1).astype(float)


def test_stretches_have_their_place_in_the_file_and_memory_keeps_no_silence():
    blocks = [np.zeros(16_000, np.float32) for _ in range(20)]
    blocks[7][:] = np.arange(16_000) / 16_000
    blocks[19] = np.full(1000, 0.5, np.float32)
    first, second = cut_speech(iter(blocks), LoudDetector())
    # The first 0.1 s of the rising block are silent: 7.1 s less the padding.
    assert first.start == pytest.approx(6.9)
    assert len(first.samples) == round(1.3 * RATE)
    assert first.samples[round(0.2 * RATE)] == pytest.approx(0.1)
    assert second.start == pytest.approx(18.8)
    assert first.voiced.sum() == 9
    assert not first.voiced[:2].any()


def fit(voiced, *words):
    """Of a stretch with a frame for each tenth of a second, `#` where somebody speaks."""
    frames = np.array([each == "#" for each in voiced])
    speech = Speech(5.0, np.zeros(len(voiced) * RATE // 10, np.float32), frames)
    return [pytest.approx(each) for each in speech.fit(words)]


def test_words_do_not_begin_or_end_in_the_silence_beside_them():
    # Detectors hear the first sound late: a frame more at each side.
    assert fit("...###....", (0.0, 1.0)) == [(0.2, 0.7)]
    # In silence alone nothing is known.
    assert fit(".....", (0.0, 0.5)) == [(0.0, 0.5)]
    assert fit("#####", (0.1, 0.4)) == [(0.1, 0.4)]


def test_a_word_that_is_heard_late_begins_with_the_voice_and_ends_with_it():
    assert fit("...######...", (0.5, 0.7)) == [(0.2, 1.0)]


def test_a_silence_between_two_words_is_where_one_ends_and_the_other_begins():
    assert fit("######...#####", (0.0, 1.0), (1.0, 1.4)) == [(0.0, 0.7), (0.8, 1.4)]
    # Words without a silence between them stay where the recogniser has found them.
    assert fit("##########", (0.0, 0.4), (0.4, 1.0)) == [(0.0, 0.4), (0.4, 1.0)]


def test_a_click_is_no_speech():
    finder = SpeechFinder(0.032)
    assert not any(finder.add(p) for p in [0.0] * 50 + [1.0] * 2 + [0.0] * 100)


def test_silero_hears_no_voice_in_a_tone_and_the_same_in_blocks_as_in_one_piece():
    pytest.importorskip("faster_whisper")
    from data.transcription.silero import SileroDetector

    samples = np.random.default_rng(0).normal(0, 0.1, 512 * 200).astype(np.float32)
    whole = SileroDetector()(samples)
    detector = SileroDetector()
    parts = np.concatenate([detector(samples[: 512 * 120]), detector(samples[512 * 120 :])])
    assert whole.shape == parts.shape == (200,)
    np.testing.assert_allclose(parts, whole, atol=0.05)
    assert whole.max() < 0.5

import math

import pytest
from sacrebleu.metrics import BLEU

from models.evaluation.captions.metrics import caption_metrics, caption_table, main_metrics
from models.evaluation.captions.words import compared_words

CAPTIONS = [
    "A dog runs on the green grass .",
    "Two people walk on a street.",
    "A man in a red shirt rides a bicycle",
]
REFERENCES = [
    ["A brown dog runs over the grass .", "a dog is running on green grass"],
    ["Two people are walking down a street", "People walk on a street", "Two men cross"],
    ["A man rides a bicycle", "The man in the red t-shirt is on his bicycle"],
]


def test_case_and_punctuation_are_not_compared():
    assert compared_words('The dog\'s "T-Shirt", 3.5 m !') == [
        "the",
        "dog's",
        "t-shirt",
        "3.5",
        "m",
    ]
    same = caption_metrics(["a DOG runs , fast!", "cats"], [["A dog runs fast."], ["Cats"]])
    assert same["bleu_1"] == same["bleu_4"] == same["rouge_l"] == same["chrf"] == 100


def test_bleu_is_that_of_sacrebleu_for_each_length_of_n_grams():
    report = caption_metrics(CAPTIONS, REFERENCES)
    said = [" ".join(compared_words(caption)) for caption in CAPTIONS]
    streams = [
        [" ".join(compared_words(group[i])) if i < len(group) else None for group in REFERENCES]
        for i in range(3)
    ]
    for length in range(1, 5):
        bleu = BLEU(tokenize="none", max_ngram_order=length, smooth_method="none")
        assert report[f"bleu_{length}"] == pytest.approx(bleu.corpus_score(said, streams).score)


def test_bleu_by_hand_is_of_the_corpus_and_counts_the_nearest_length():
    # 5 of 6 words are right, 3 of 4 pairs; 6 words, the nearest references have 4 and 3.
    report = caption_metrics(
        ["a dog runs here", "two cats"],
        [["a dog runs fast", "a dog is running here now"], ["two cats sleep"]],
    )
    penalty = math.exp(1 - 7 / 6)
    assert report["bleu_1"] == pytest.approx(100 * penalty * 6 / 6)
    assert report["bleu_2"] == pytest.approx(100 * penalty * math.sqrt(6 / 6 * 3 / 4))
    assert report["length_ratio"] == pytest.approx(6 / 7)


def test_nothing_right_scores_nothing():
    report = caption_metrics(["", "x"], [["a dog"], ["a cat"]])
    assert set(main_metrics(report).values()) == {0.0}
    assert report["intervals"]["bleu_4"] == [0.0, 0.0]


def test_intervals_hold_the_values_and_are_the_same_again():
    report = caption_metrics(CAPTIONS, REFERENCES)
    for name, (low, high) in report["intervals"].items():
        assert low <= report[name] <= high
        assert low < high
    assert caption_metrics(CAPTIONS, REFERENCES) == report
    assert report["pictures"] == 3
    assert caption_metrics(["a", "A."], [["a"], ["b"]])["distinct"] == 1 / 2


def test_pictures_without_references_are_refused():
    with pytest.raises(ValueError, match="each needs a reference"):
        caption_metrics(["a"], [[]])


def test_the_table_has_a_line_a_metric_and_fits_a_terminal():
    lines = caption_table(caption_metrics(CAPTIONS, REFERENCES)).splitlines()
    assert [line.split()[0] for line in lines[1:8]] == [
        *["BLEU-1", "BLEU-2", "BLEU-3", "BLEU-4", "chrF", "ROUGE-L", "CIDEr-D"]
    ]
    assert lines[-1].startswith("3 pictures, captions have ")
    assert max(map(len, lines)) <= 80

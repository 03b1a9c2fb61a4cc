import math

import pytest

from models.evaluation.captions.cider import cider_d


def scores(captions, references):
    words = [caption.split() for caption in captions]
    return cider_d(words, [[each.split() for each in group] for group in references]).tolist()


def test_a_caption_that_is_its_only_reference_scores_ten_if_it_has_four_words():
    references = [["a dog runs fast"], ["two cats sleep here"]]
    assert scores(["a dog runs fast", "two cats sleep here"], references) == pytest.approx([10, 10])


def test_n_grams_longer_than_a_caption_count_as_not_found():
    # Of four lengths of n-grams only two are there.
    assert scores(["a dog", "cat"], [["a dog"], ["one cat"]])[0] == pytest.approx(5)


def test_similarity_is_that_of_the_weights_of_n_grams_by_hand():
    # "a" stands in the references of both pictures and weighs log(2 / 2) = 0; all else that is in
    # one of them, or in none, weighs log 2. Words: "dog" of "dog", "sits" and of "dog", "runs":
    # 1 / 2. Pairs: "a dog" of "a dog", "dog sits": 1 / 2. Triples: none of one. Mean: 1 / 4.
    references = [["a dog runs"], ["a cat"]]
    assert scores(["a dog sits", "a cat"], references)[0] == pytest.approx(10 * (1 / 2 + 1 / 2) / 4)


def test_references_are_averaged_and_lengths_punished():
    # To the first reference it is the same in three of four lengths. The second has two words more:
    # words sqrt(3 / 5), pairs sqrt(2 / 4), triples sqrt(1 / 3), times exp(-2^2 / (2 * 6^2)).
    references = [["red dog runs", "red dog runs very fast"], ["blue cat"]]
    cosines = math.sqrt(3 / 5) + math.sqrt(2 / 4) + math.sqrt(1 / 3)
    expected = 10 * (3 / 4 + cosines / 4 * math.exp(-4 / 72)) / 2
    assert scores(["red dog runs", "blue cat"], references)[0] == pytest.approx(expected)


def test_a_word_said_again_gains_nothing():
    # Clipped, "dog dog" has the product of "dog", 1 * 1 / (2 * 1), and is one word too long.
    references = [["dog"], ["cat"]]
    expected = 10 * (1 / 2) / 4 * math.exp(-1 / 72)
    assert scores(["dog dog", "cat"], references)[0] == pytest.approx(expected)


def test_an_empty_caption_and_what_is_said_of_all_pictures_score_nothing():
    assert scores(["", "a b"], [["a b"], ["a b"]]) == [0, 0]
    assert scores(["a dog"], [["a dog"]]) == [0]


def test_values_are_those_that_are_published_for_these_examples():
    # The documentation of aac-metrics 0.6.
    references = [
        [
            *["a man speaks", "someone speaks"],
            "a man is speaking while a bird is chirping in the background",
        ],
        ["rain is falling hard on a surface"],
    ]
    values = scores(["a man is speaking", "rain falls"], references)
    assert values == pytest.approx([1.3641, 0.5587], abs=1e-4)
    # The tests of SummEval (Fabbri et al. 2021), with words as they stand.
    captions = [
        "28-year-old chef found dead in San Francisco mall",
        "A 28-year-old chef who recently moved to San Francisco was found dead in the staircase of "
        "a local shopping center.",
        "The victim's brother said he cannot imagine anyone who would want to harm him,\"Finally, "
        'it went uphill again at him."',
    ]
    references = [
        "28-Year-Old Chef Found Dead at San Francisco Mall",
        "A 28-year-old chef who had recently moved to San Francisco was found dead in the "
        "stairwell of a local mall this week.",
        "But the victim's brother says he can't think of anyone who would want to hurt him, "
        'saying, "Things were finally going well for him."',
    ]
    values = scores(captions, [[each] for each in references])
    assert sum(values) / 3 == pytest.approx(2.5759014911864084)

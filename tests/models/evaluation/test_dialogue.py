import math

import pytest

from models.evaluation.dialogue import dialogue_scores, dialogue_table, evenly, words_of


def test_words_and_signs_are_counted_in_small_letters():
    assert words_of("Well, I'm OK.") == ["well", ",", "i'm", "ok", "."]


def test_all_numbers_of_two_answers():
    scores = dialogue_scores(["I see.", "I see."], ["I see.", "We do not see it."])
    # 3 + 1 + 1 of 6 words and 2 + 1 of 4 pairs are right ("see", "."); 6 words for 9.
    expected = 100 * math.exp(1 - 9 / 6) * math.sqrt(5 / 6 * 2 / 4)
    assert scores["bleu_2"] == pytest.approx(expected)
    assert scores["distinct_1"] == 3 / 6 and scores["distinct_2"] == 2 / 4
    assert scores["reference_distinct_1"] == 7 / 9
    assert (scores["words"], scores["most_frequent"]) == (3.0, 1.0)


def test_distinct_n_is_of_a_thousand_answers_however_many_there_are():
    assert evenly(3, 1000) == [0, 1, 2]
    chosen = evenly(5000, 1000)
    assert (len(chosen), chosen[0], chosen[-1]) == (1000, 0, 4999)
    # 5,000 different words, of which 1,000 are looked at, stay all different.
    written = [f"word{n}" for n in range(5000)]
    assert dialogue_scores(written, written)["distinct_1"] == 1.0


def test_the_table_has_perplexities_where_they_were_measured():
    scores = dialogue_scores(["Yes."], ["No."])
    assert "perplexity" not in dialogue_table(scores)
    table = dialogue_table({**scores, "perplexity": 20.0, "perplexity_word": 30.5})
    assert table.startswith("perplexity   30.50 per word, 20.00 per token\nBLEU-2 ")

"""The table of captioners by how their captions are searched."""


def test_greedy_decoding_is_tried_once_and_each_beam_with_each_penalty():
    from captioning import searches

    assert searches([1, 3], [0.0, 1.0]) == [(1, 0.0), (3, 0.0), (3, 1.0)]


def test_a_row_has_as_many_cells_as_the_heading():
    from captioning import heading, row

    metrics = {"bleu_1": 61.24, "bleu_4": 18.0, "rouge_l": 44.0, "cider_d": 0.4567}
    line = row("runs/a", 3, 0.5, {**metrics, "length_ratio": 0.987})
    assert line == "| runs/a | 3 | 0.5 | 61.2 | 18.0 | 44.0 | 0.457 | 0.99 |"
    titles, rule = heading().splitlines()
    assert titles.count("|") == rule.count("|") == line.count("|")

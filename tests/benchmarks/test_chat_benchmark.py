def row(system, bleu, distinct, frequent):
    return {"system": system, "bleu_2": bleu, "distinct_2": distinct, "most_frequent": frequent}


def test_the_way_nearest_to_what_was_said_is_chosen_of_those_that_are_various():
    from chat import choose

    rows = [row("dull", 9, 0.2, 0.01), row("repeating", 8, 0.4, 0.03), row("a", 4, 0.4, 0.01)]
    rows += [row("b", 5, 0.31, 0.02), row("retrieval", 9, 0.6, 0.01)]
    ways = dict.fromkeys(["dull", "repeating", "a", "b"])
    assert choose(rows, ways) == "b"
    assert choose(rows[:2], ways) is None


def test_halves_share_no_row_and_leave_none_out():
    from chat import half_of

    assert [*half_of(5, "first"), *half_of(5, "second")] == [*half_of(5, "both")]

from collections import Counter
from itertools import pairwise

from data.text.byte_pairs import learn_merges, merge_pair


def slowly_learned(pieces, tokens, size):
    """As Sennrich et al. (2016), Algorithm 1: everything is counted anew for each merge."""
    known, merges = set(tokens), []
    split = {piece: list(piece) for piece in pieces}
    while len(known) < size:
        counts = Counter()
        for piece, symbols in split.items():
            for pair in pairwise(symbols):
                if known.issuperset(pair):
                    counts[pair] += pieces[piece]
        if not counts or max(counts.values()) < 2:
            break
        best = min(counts, key=lambda pair: (-counts[pair], pair))
        merges.append(best)
        known.add("".join(best))
        split = {piece: merge_pair(symbols, best) for piece, symbols in split.items()}
    return merges


def test_the_merges_of_the_paper_by_hand():
    # l o w (7), l o w e r (2), n e w e s t (6), w i d e s t (3): es and st are seen 9 times each.
    pieces = Counter({"low": 5, "lower": 2, "newest": 6, "widest": 3})
    merges = learn_merges(pieces, sorted(set("lowernewestwidest")), 99)
    assert merges[:4] == [("e", "s"), ("es", "t"), ("l", "o"), ("lo", "w")]
    # Then every pair of "newest" is seen 6 times; "e w" comes first of them.
    assert merges[4:7] == [("e", "w"), ("ew", "est"), ("n", "ewest")]


def test_merges_are_those_of_counting_everything_anew():
    pieces = Counter({"aaab": 3, "aaaa": 2, "abab": 4, "baab": 1, "bcab": 2, "aabaa": 5, "cxa": 9})
    assert learn_merges(pieces, list("abc"), 12) == slowly_learned(pieces, list("abc"), 12)
    assert learn_merges(pieces, list("abcx"), 99) == slowly_learned(pieces, list("abcx"), 99)


def test_the_size_counts_the_tokens_to_begin_with():
    assert learn_merges(Counter({"ababab": 2}), ["a", "b"], 3) == [("a", "b")]


def test_what_is_seen_once_is_not_merged():
    pieces = Counter({"abc": 1, "bcd": 1, "xy": 1})
    assert learn_merges(pieces, list("abcdxy"), 99) == [("b", "c")]


def test_what_holds_unknown_characters_is_not_merged():
    assert learn_merges(Counter({"axb": 5, "ab": 2}), ["a", "b"], 9) == [("a", "b")]


def test_a_pair_that_overlaps_itself_is_merged_from_the_left():
    assert merge_pair(list("aaaba"), ("a", "a")) == ["aa", "a", "b", "a"]

"""Byte-pair encoding (Sennrich et al. 2016, "Neural Machine Translation of Rare Words with Subword
Units"), on characters: merges are learned in Python and applied in stock TensorFlow
ops."""

import heapq
from collections import Counter, defaultdict
from itertools import pairwise

import tensorflow as tf

from data.graphs import graph

# The rank of a pair that is never merged.
_NONE = tf.int32.max

Pair = tuple[str, str]


def learn_merges(pieces: Counter, tokens: list[str], size: int) -> list[Pair]:
    """The merges of the most frequent pair of neighbours, again and again.

    Of pairs that are equally frequent the first in code point order is merged; a pair that is seen
    once is not.

    Args:
        pieces: how often each is seen; merges never cross their ends.
        tokens: the single characters to begin with; what holds others is not merged.
        size: tokens wanted, these and the merged ones.
    """
    known, tokens = set(tokens), set(tokens)
    pairs = _Pairs(pieces, known)
    merges = []
    while len(tokens) < size and (pair := pairs.most_frequent()):
        merges.append(pair)
        tokens.add("".join(pair))
        pairs.merge(pair)
    return merges


class _Pairs:
    """The pairs of neighbours in some pieces, counted, while they are merged.

    A merge touches only the pieces that hold the pair, and a heap finds the most frequent one; what
    it holds may be out of date, which shows when it is taken out.
    """

    def __init__(self, pieces: Counter, known: set[str]):
        self.known = known
        self.pieces = [list(piece) for piece in pieces]
        self.times = list(pieces.values())
        self.counts: Counter[Pair] = Counter()
        self.holders: defaultdict[Pair, set[int]] = defaultdict(set)
        for number in range(len(self.pieces)):
            self._count(number, 1)
        self.heap = [(-count, pair) for pair, count in self.counts.items()]
        heapq.heapify(self.heap)

    def most_frequent(self) -> Pair | None:
        while self.heap:
            count, pair = heapq.heappop(self.heap)
            if -count == self.counts[pair]:
                return pair if -count > 1 else None
        return None

    def merge(self, pair: Pair) -> None:
        changed = set()
        self.known.add("".join(pair))
        for number in sorted(self.holders.pop(pair)):
            changed |= self._count(number, -1)
            self.pieces[number] = merged(self.pieces[number], pair)
            changed |= self._count(number, 1)
        for other in changed:
            if self.counts[other] > 1:
                heapq.heappush(self.heap, (-self.counts[other], other))

    def _count(self, number: int, sign: int) -> set[Pair]:
        symbols = self.pieces[number]
        found = set()
        for pair in pairwise(symbols):
            if pair[0] in self.known and pair[1] in self.known:
                self.counts[pair] += sign * self.times[number]
                if sign > 0:
                    self.holders[pair].add(number)
                found.add(pair)
        return found


def merged(symbols: list[str], pair: Pair) -> list[str]:
    """`symbols` with the pair as one wherever it stands, from the left."""
    result, place = [], 0
    while place < len(symbols):
        together = tuple(symbols[place : place + 2]) == pair
        result.append("".join(pair) if together else symbols[place])
        place += 2 if together else 1
    return result


class Merger(tf.Module):
    """Applies merges to the symbols of many pieces at once.

    Each turn merges in every piece the pair that was learned first, wherever it stands, until no
    piece holds a pair that was learned.

    Args:
        merges: in the order they were learned.
        ids: of each token.
        vocabulary_size: all ids are smaller.
    """

    def __init__(self, merges: list[Pair], ids: dict[str, int], vocabulary_size: int):
        super().__init__()
        self.vocabulary_size = vocabulary_size
        # A table may not be empty; no pair is -1.
        keys = [-1, *(ids[left] * vocabulary_size + ids[right] for left, right in merges)]
        self.ranks = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(
                tf.constant(keys, tf.int64), tf.constant([_NONE, *range(len(merges))], tf.int32)
            ),
            default_value=_NONE,
        )
        self.merged_ids = tf.constant([ids["".join(pair)] for pair in merges] or [0], tf.int32)

    # Called eagerly, each turn would be a dozen calls.
    @graph(input_signature=[tf.RaggedTensorSpec([None, None], tf.int32)])
    def __call__(self, symbols: tf.RaggedTensor) -> tf.RaggedTensor:
        """<int32>[pieces, (symbols)] -> <int32>[pieces, (symbols)], as many or fewer."""
        pieces = symbols.nrows()

        def turn(ids, rows, _):
            ranks = self._ranks(ids, rows)
            best = tf.math.unsorted_segment_min(ranks, rows[:-1], pieces)
            wanted = (ranks < _NONE) & (ranks == tf.gather(best, rows[:-1]))
            wanted = _not_overlapping(wanted)
            ranks = tf.where(wanted, ranks, 0)
            here = tf.concat([wanted, [False]], 0)[: tf.size(ids)]
            new = tf.gather(self.merged_ids, tf.concat([ranks, [0]], 0)[: tf.size(ids)])
            kept = ~tf.concat([[False], wanted], 0)[: tf.size(ids)]
            return (
                tf.boolean_mask(tf.where(here, new, ids), kept),
                tf.boolean_mask(rows, kept),
                tf.reduce_any(wanted),
            )

        ids, rows, _ = tf.while_loop(
            lambda *state: state[2],
            turn,
            [symbols.flat_values, symbols.value_rowids(), tf.constant(True)],
            shape_invariants=[tf.TensorShape([None]), tf.TensorShape([None]), tf.TensorShape([])],
        )
        return tf.RaggedTensor.from_value_rowids(ids, rows, nrows=pieces, validate=False)

    def _ranks(self, ids: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
        """<int32>[symbols - 1], of each symbol and the next one of the same piece."""
        wide = tf.cast(ids, tf.int64)
        ranks = self.ranks.lookup(wide[:-1] * self.vocabulary_size + wide[1:])
        return tf.where(rows[:-1] == rows[1:], ranks, _NONE)


def _not_overlapping(wanted: tf.Tensor) -> tf.Tensor:
    """Every other one of neighbours, from the first: of "aaa" the pair is merged at the left.

    Args:
        wanted: <bool>[pairs]; those of one run are of one piece and have one rank.
    """
    starts = wanted & ~tf.concat([[False], wanted], 0)[: tf.size(wanted)]
    # Before the first run there is nothing to look up.
    start_of_run = tf.concat([[0], tf.where(starts)[:, 0]], 0)
    run = tf.cumsum(tf.cast(starts, tf.int32))
    offset = tf.range(tf.size(wanted, tf.int64)) - tf.gather(start_of_run, run)
    return wanted & (offset % 2 == 0)

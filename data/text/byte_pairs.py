"""Byte-pair encoding on characters: learned in Python, applied in stock TensorFlow ops.

Sennrich et al. (2016), "Neural Machine Translation of Rare Words with Subword Units"; Provilkov et
al. (2020), "BPE-Dropout: Simple and Effective Subword Regularization".
"""

import heapq
from collections import Counter, defaultdict
from collections.abc import Callable
from itertools import pairwise

import tensorflow as tf

from data.graphs import graph

# The rank of a pair that is never merged.
_NONE = tf.int32.max
_SYMBOLS = tf.RaggedTensorSpec([None, None], tf.int32)

Pair = tuple[str, str]


def learn_merges(pieces: Counter[str], characters: list[str], size: int) -> list[Pair]:
    """Learns merges: again and again, of the pair of neighbours that is the most frequent.

    Of equally frequent pairs the first in code point order is merged. A pair that is seen only once
    is never merged.

    Args:
        pieces: how often each piece is seen; merges do not cross the ends of pieces.
        characters: the single characters to begin with; pairs of other characters are not merged.
        size: number of tokens wanted, the single characters included.
    """
    tokens = set(characters)
    pairs = _Pairs(pieces, set(characters))
    merges = []
    while len(tokens) < size and (pair := pairs.most_frequent()):
        merges.append(pair)
        tokens.add("".join(pair))
        pairs.merge(pair)
    return merges


class _Pairs:
    """Counts of the pairs of neighbours in pieces, kept up to date while pairs are merged.

    A merge touches only the pieces that hold the pair. A heap finds the most frequent pair; a count
    in the heap may be out of date, which is noticed when the pair is taken out.
    """

    def __init__(self, pieces: Counter[str], known: set[str]):
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
        """Takes the most frequent pair out of the heap; None if every pair is seen only once."""
        while self.heap:
            count, pair = heapq.heappop(self.heap)
            if -count == self.counts[pair]:
                return pair if -count > 1 else None
        return None

    def merge(self, pair: Pair) -> None:
        """Merges a pair wherever it stands, and counts the pairs that this makes."""
        changed = set()
        self.known.add("".join(pair))
        for number in sorted(self.holders.pop(pair)):
            changed |= self._count(number, -1)
            self.pieces[number] = merge_pair(self.pieces[number], pair)
            changed |= self._count(number, 1)
        for other in changed:
            if self.counts[other] > 1:
                heapq.heappush(self.heap, (-self.counts[other], other))

    def _count(self, number: int, sign: int) -> set[Pair]:
        symbols = self.pieces[number]
        pairs = set()
        for pair in pairwise(symbols):
            if pair[0] in self.known and pair[1] in self.known:
                self.counts[pair] += sign * self.times[number]
                if sign > 0:
                    self.holders[pair].add(number)
                pairs.add(pair)
        return pairs


def merge_pair(symbols: list[str], pair: Pair) -> list[str]:
    """Returns symbols in which the pair is one symbol wherever it stands, from the left."""
    result, place = [], 0
    while place < len(symbols):
        is_pair = tuple(symbols[place : place + 2]) == pair
        result.append("".join(pair) if is_pair else symbols[place])
        place += 2 if is_pair else 1
    return result


class Merger(tf.Module):
    """Applies merges to the symbols of many pieces at once.

    Each turn of a loop merges, in every piece, the pair that was learned first, wherever it stands.
    The loop ends when no piece holds a pair that was learned.

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

    # A graph: called eagerly, each turn would be a dozen calls.
    @graph(input_signature=[_SYMBOLS])
    def __call__(self, symbols: tf.RaggedTensor) -> tf.RaggedTensor:
        """Merges the symbols of pieces, <int32>[pieces, (symbols)] both."""
        return self._merge(symbols)

    @graph(input_signature=[_SYMBOLS, tf.TensorSpec([]), tf.TensorSpec([2], tf.int64)])
    def merge_by_chance(
        self, symbols: tf.RaggedTensor, dropout: tf.Tensor, seed: tf.Tensor
    ) -> tf.RaggedTensor:
        """Merges the symbols of pieces, but in each turn leaves out pairs by chance, as algorithm 1
        of Provilkov et al. (2020) does.

        Args:
            symbols: <int32>[pieces, (symbols)].
            dropout: <float32>[], the share of pairs that a turn leaves out.
            seed: <int64>[2].

        Returns:
            <int32>[pieces, (symbols)].
        """

        def leave_out(ranks: tf.Tensor, turn: tf.Tensor) -> tf.Tensor:
            own = tf.random.experimental.stateless_fold_in(seed, turn)
            chances = tf.random.stateless_uniform(tf.shape(ranks), own)
            return tf.where(chances < dropout, _NONE, ranks)

        return self._merge(symbols, leave_out)

    def _merge(
        self,
        symbols: tf.RaggedTensor,
        leave_out: Callable[[tf.Tensor, tf.Tensor], tf.Tensor] | None = None,
    ) -> tf.RaggedTensor:
        """Merges symbols; what leaves out pairs takes ranks <int32>[pairs] and the turn <int64>[],
        and returns ranks."""
        pieces = symbols.nrows()

        def merge_once(
            ids: tf.Tensor, rows: tf.Tensor, unfinished: tf.Tensor, turn: tf.Tensor
        ) -> tuple[tf.Tensor, ...]:
            ranks = self._ranks(ids, rows)
            if leave_out is not None:
                # A piece of which all pairs were left out once is finished.
                going = tf.gather(unfinished, rows[:-1])
                ranks = tf.where(going, leave_out(ranks, turn), _NONE)
            best = tf.math.unsorted_segment_min(ranks, rows[:-1], pieces)
            wanted = (ranks < _NONE) & (ranks == tf.gather(best, rows[:-1]))
            wanted = _drop_overlapping(wanted)
            ranks = tf.where(wanted, ranks, 0)
            here = tf.concat([wanted, [False]], 0)[: tf.size(ids)]
            new = tf.gather(self.merged_ids, tf.concat([ranks, [0]], 0)[: tf.size(ids)])
            kept = ~tf.concat([[False], wanted], 0)[: tf.size(ids)]
            return (
                tf.boolean_mask(tf.where(here, new, ids), kept),
                tf.boolean_mask(rows, kept),
                best < _NONE,
                turn + 1,
            )

        whole = tf.TensorShape([None])
        ids, rows, *_ = tf.while_loop(
            lambda ids, rows, unfinished, turn: tf.reduce_any(unfinished),
            merge_once,
            [
                symbols.flat_values,
                symbols.value_rowids(),
                tf.fill([pieces], True),
                tf.constant(0, tf.int64),
            ],
            shape_invariants=[whole, whole, whole, tf.TensorShape([])],
        )
        return tf.RaggedTensor.from_value_rowids(ids, rows, nrows=pieces, validate=False)

    def _ranks(self, ids: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
        """Returns the rank of each symbol with the next one of its piece, <int32>[symbols - 1]."""
        wide = tf.cast(ids, tf.int64)
        ranks = self.ranks.lookup(wide[:-1] * self.vocabulary_size + wide[1:])
        return tf.where(rows[:-1] == rows[1:], ranks, _NONE)


def _drop_overlapping(wanted: tf.Tensor) -> tf.Tensor:
    """Keeps every other one of neighbouring pairs, from the first: "aaa" is merged at the left.

    Args:
        wanted: <bool>[pairs]; all pairs of a run are in one piece and have one rank.
    """
    starts = wanted & ~tf.concat([[False], wanted], 0)[: tf.size(wanted)]
    # The 0 is for what stands before the first run.
    start_of_run = tf.concat([[0], tf.where(starts)[:, 0]], 0)
    run = tf.cumsum(tf.cast(starts, tf.int32))
    offset = tf.range(tf.size(wanted, tf.int64)) - tf.gather(start_of_run, run)
    return wanted & (offset % 2 == 0)

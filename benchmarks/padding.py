"""The share of padding in the batches of real corpora, by the way the batches are made.

    python benchmarks/padding.py --data-dir corpora

Lengths are in words, of the whole training texts, and for IMDB also of texts cut to 400 words.
`random` batches hold the rows as a shuffle gives them; the others are those of
`data.batches.buckets`, by a number of rows or by a budget of tokens, with their padding included.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from harness.report import count, markdown, plain, run
from harness.texts import CORPORA, MAX_LENGTH, token_ids

from data.batches.buckets import order_batches, padding_share
from data.files.writing import whole_file

_TITLES = ("corpus", "rows", "random", "64 rows", "4,096 tokens", "batches of 64 rows", "by tokens")
_ROWS, _TOKENS = 64, 4096


def table_row(name: str, lengths: np.ndarray) -> list[str]:
    """Returns the figures of one corpus."""
    shuffled = np.random.default_rng(0).permutation(len(lengths))
    random = [shuffled[start : start + _ROWS] for start in range(0, len(shuffled), _ROWS)]
    by_rows = order_batches(lengths, _ROWS, np.random.default_rng(0))
    by_tokens = order_batches(lengths, _ROWS, np.random.default_rng(0), _TOKENS)
    shares = [f"{padding_share(lengths, order):.1%}" for order in (random, by_rows, by_tokens)]
    return [name, f"{len(lengths):,}", *shares, str(len(by_rows)), str(len(by_tokens))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", metavar="DIR", default="corpora")
    parser.add_argument("--corpora", nargs="+", choices=tuple(CORPORA), default=tuple(CORPORA))
    parser.add_argument("--rows", type=count, default=0, help="at most so many (default: all)")
    parser.add_argument("--output", metavar="FILE", default="padding.json", help="the figures")
    parser.add_argument("--markdown", action="store_true", help="print the table of docs/results")
    options = parser.parse_args()
    rows = []
    for corpus in options.corpora:
        lengths = token_ids(corpus, options.data_dir, options.rows, max_length=None)[1]
        rows.append(table_row(corpus, lengths))
        if lengths.max() > MAX_LENGTH:
            rows.append(table_row(f"{corpus} to {MAX_LENGTH}", np.minimum(lengths, MAX_LENGTH)))
    with whole_file(Path(options.output)) as partial:
        records = [dict(zip(_TITLES, row, strict=True)) for row in rows]
        partial.write_text(json.dumps(records, indent=2) + "\n", encoding="utf-8")
    print((markdown if options.markdown else plain)(_TITLES, rows))


if __name__ == "__main__":
    run(main)

"""Recurrent layers over batches whose shapes are met too seldom to be compiled for each."""

import contextlib
from collections.abc import Iterator

from models.compilation import has_gpu, native_operator, stock_operations
from models.recurrent.native import operator


@contextlib.contextmanager
def for_seldom_shapes() -> Iterator[None]:
    """Makes layers that are called inside run without XLA, which compiles for each shape: in the
    native operator where there is one, else in stock operations."""
    if not has_gpu() and native_operator() and operator.is_available():
        yield
    else:
        with stock_operations():
            yield

"""Reads the tensors in a file that PyTorch wrote before version 1.6, without PyTorch.

Such a file is four pickles and the numbers behind them. A pickle can name any function of Python;
here it gets those alone that tensors are made of.
"""

import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

_MAGIC = 0x1950A86A20F9469CFC6C
_DTYPES = {
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
}


class _Tensor(NamedTuple):
    """Where the numbers of a tensor lie: in which storage, from which on, and how they step."""

    storage: tuple
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def _rebuild(storage: tuple, offset: int, shape: tuple, strides: tuple, *_: Any) -> _Tensor:
    return _Tensor(storage, offset, tuple(shape), tuple(strides))


class _Unpickler(pickle.Unpickler):
    """Reads pickles that hold nothing but tensors, numbers and names."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild
        if module == "torch" and name in _DTYPES:
            return name
        raise ValueError(f"it names {module}.{name}, which is no tensor")

    def persistent_load(self, pid: Any) -> Any:
        return pid


def read_tensors(path: Path) -> dict[str, np.ndarray]:
    """Returns the tensors of a file by their names, in their order.

    Args:
        path: a `.pth` or `.pt` file of the old layout, with one object: a dictionary of tensors.

    Raises:
        ValueError: it is damaged, or holds anything else.
        OSError: it cannot be opened.
    """
    with Path(path).open("rb") as file:
        try:
            return _read(file)
        except (pickle.UnpicklingError, EOFError, TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"it is no file of tensors: {error}") from None


def _read(file: BinaryIO) -> dict[str, np.ndarray]:
    if _Unpickler(file).load() != _MAGIC:
        raise ValueError("it is no file of tensors")
    _Unpickler(file).load()  # the version of the layout
    _Unpickler(file).load()  # the sizes of numbers, in the file's order of bytes
    tensors = _Unpickler(file).load()
    kinds = {tensor.storage[2]: _DTYPES[tensor.storage[1]] for tensor in tensors.values()}
    storages = {}
    for key in _Unpickler(file).load():
        count = int.from_bytes(file.read(8), "little")
        dtype = np.dtype(kinds[key])
        numbers = file.read(count * dtype.itemsize)
        if len(numbers) < count * dtype.itemsize:
            raise ValueError("it is cut short")
        storages[key] = np.frombuffer(numbers, dtype)
    return {name: _to_array(storages[t.storage[2]], t) for name, t in tensors.items()}


def _to_array(storage: np.ndarray, tensor: _Tensor) -> np.ndarray:
    """Returns the array of a tensor, whose numbers need not lie one after the other."""
    steps = zip(tensor.shape, tensor.strides, strict=True)
    last = tensor.offset + sum((length - 1) * stride for length, stride in steps)
    if min((*tensor.strides, tensor.offset, 0)) < 0 or last >= len(storage):
        raise ValueError("a tensor of it lies outside of its numbers")
    strides = [stride * storage.itemsize for stride in tensor.strides]
    part = storage[tensor.offset :]
    return np.lib.stride_tricks.as_strided(part, tensor.shape, strides, writeable=False).copy()

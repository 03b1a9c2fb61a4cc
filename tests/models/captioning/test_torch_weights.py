"""Files of tensors are read without PyTorch, and nothing else is taken from them."""

import pickle
import sys
import types
from collections import OrderedDict

import numpy as np
import pytest

from models.captioning.torch_weights import read_tensors

MAGIC = 0x1950A86A20F9469CFC6C


class Storage:
    """Numbers that a pickle names, and that lie behind it."""

    def __init__(self, key, kind, count):
        self.pid = ("storage", kind, key, "cpu", count, None)


class Writer(pickle.Pickler):
    def persistent_id(self, value):
        return value.pid if isinstance(value, Storage) else None


class Tensor:
    def __init__(self, *arguments):
        self.arguments = arguments

    def __reduce__(self):
        return sys.modules["torch._utils"]._rebuild_tensor_v2, self.arguments


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Writes a file as PyTorch did: four pickles, and the numbers of each storage."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)

    def _rebuild_tensor_v2(*arguments):
        raise AssertionError("it is only named")

    _rebuild_tensor_v2.__module__ = "torch._utils"
    _rebuild_tensor_v2.__qualname__ = "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2
    torch.FloatStorage = type("FloatStorage", (), {"__module__": "torch"})

    def write_file(tensors, numbers, magic=MAGIC):
        path = tmp_path / "weights.pth"
        with path.open("wb") as file:
            for part in (magic, 1001, {"little_endian": True}):
                pickle.dump(part, file, protocol=2)
            Writer(file, protocol=2).dump(tensors)
            pickle.dump([*numbers], file, protocol=2)
            for values in numbers.values():
                file.write(len(values).to_bytes(8, "little"))
                file.write(np.array(values, "<f4").tobytes())
        return path

    return write_file


def tensor(key, shape, strides, offset=0, count=6):
    storage = Storage(key, sys.modules["torch"].FloatStorage, count)
    return Tensor(storage, offset, shape, strides, False, OrderedDict())


def test_tensors_are_read_with_their_strides(write):
    tensors = OrderedDict(rows=tensor("a", (2, 3), (3, 1)), columns=tensor("b", (2, 2), (1, 2), 1))
    path = write(tensors, {"a": range(6), "b": range(10, 16)})
    found = read_tensors(path)
    assert found["rows"].tolist() == [[0, 1, 2], [3, 4, 5]]
    # A step to the next row is one number, to the next column two; the first number is left out.
    assert found["columns"].tolist() == [[11, 13], [12, 14]]


@pytest.mark.parametrize(
    ("shape", "strides", "offset"), [((4, 3), (3, 1), 0), ((2, 3), (3, 1), 1), ((2,), (-1,), 2)]
)
def test_a_tensor_beyond_its_numbers_is_refused(write, shape, strides, offset):
    path = write({"a": tensor("a", shape, strides, offset)}, {"a": range(6)})
    with pytest.raises(ValueError, match="outside of its numbers"):
        read_tensors(path)


def test_what_is_no_tensor_is_refused_and_not_run(write):
    path = write({"a": print}, {})
    with pytest.raises(ValueError, match=r"names builtins.print|names __builtin__.print"):
        read_tensors(path)


def test_other_files_and_cut_ones_are_refused(write, tmp_path):
    with pytest.raises(ValueError, match="no file of tensors"):
        read_tensors(write({}, {}, magic=7))
    path = write({"a": tensor("a", (2, 3), (3, 1))}, {"a": range(6)})
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(ValueError, match="cut short"):
        read_tensors(path)

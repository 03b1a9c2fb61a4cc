"""Writes a model in half the bytes: its weights as 16-bit floating-point numbers.

Nothing has to be done to read it: Keras turns what it loads into the precision of the layer, which
is 32 bits, and computes with these. What is lost is the rounding, at most one part in 2,048 of each
weight.
"""

import shutil
import tempfile
import zipfile
from pathlib import Path

import h5py
import numpy as np

# The members of a `.keras` file.
_WEIGHTS, _OPTIMIZER = "model.weights.h5", "optimizer"


def write_in_half(source: Path, target: Path) -> None:
    """Writes a model anew with weights of 16 bits, and without its optimizer.

    Args:
        source: a `.keras` file.
        target: the new one.

    Raises:
        ValueError: a weight is too large for 16 bits.
    """
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(source) as archive:
            archive.extract(_WEIGHTS, folder)
            others = {name: archive.read(name) for name in archive.namelist() if name != _WEIGHTS}
        halved = Path(folder) / "halved.h5"
        with h5py.File(Path(folder) / _WEIGHTS, "r") as whole, h5py.File(halved, "w") as half:
            _copy_in_half(whole, half)
        with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
            for name, content in others.items():
                archive.writestr(name, content)
            with archive.open(_WEIGHTS, "w") as place, halved.open("rb") as file:
                shutil.copyfileobj(file, place)


def _copy_in_half(whole: h5py.Group, half: h5py.Group) -> None:
    for name, value in whole.attrs.items():
        half.attrs[name] = value
    for name, part in whole.items():
        if name == _OPTIMIZER and whole.name == "/":
            continue
        if isinstance(part, h5py.Group):
            _copy_in_half(part, half.create_group(name))
            continue
        values = part[()]
        if values.dtype.kind == "f":
            with np.errstate(over="ignore"):
                rounded = values.astype(np.float16)
            if not np.isfinite(rounded).all():
                raise ValueError(f"{part.name} has a weight that is too large for 16 bits")
            values = rounded
        half.create_dataset(name, data=values)

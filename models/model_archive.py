"""Reads models from `.keras` files that anybody may have written.

Keras builds whatever a file asks for, and checks sizes afterwards. Here the file is checked first:
it must hold one of the models of this package, as Keras writes it, and the model must not have more
numbers than the file.
"""

import math
import os
import struct
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import h5py
import keras
import numpy as np

from data.files.json_files import parse_json
from models.captioning.captioner import Captioner
from models.captioning.ensemble import CaptionerEnsemble
from models.classification.classifier import TextClassifier
from models.classification.ensemble import Ensemble
from models.classification.wide_classifier import WideClassifier
from models.language_model.ensemble import LanguageModelEnsemble
from models.language_model.language_model import LanguageModel
from models.seq2seq.encoder_decoder import Translator
from models.seq2seq.ensemble import TranslatorEnsemble
from models.tagging.ensemble import TaggerEnsemble
from models.tagging.tagger import Tagger

MODELS = {
    f"models>{model.__name__}": model
    for model in (
        TextClassifier,
        Tagger,
        LanguageModel,
        Translator,
        Captioner,
        WideClassifier,
        Ensemble,
        TaggerEnsemble,
        LanguageModelEnsemble,
        TranslatorEnsemble,
        CaptionerEnsemble,
    )
}
# Models that hold other models, and the argument with a list of them, or with one.
_ENSEMBLES = {name: "members" for name in MODELS if name.endswith("Ensemble")}
_INNER = {**_ENSEMBLES, "models>WideClassifier": "recurrent"}
# The files that Keras writes, and the most bytes of each; the weights may have any size.
_CONFIG, _METADATA, _WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
_LONGEST = {_CONFIG: 2**20, _METADATA: 2**16, _WEIGHTS: math.inf}
# The most groups and arrays in the weights, and the most levels in the configuration.
_MOST_OBJECTS, _DEEPEST = 10_000, 16
# A list this long must be one of tags, whose transitions are a matrix in the weights.
_LONG_LIST = 1000
# The end of a zip archive: its signature, the entries and the bytes of the directory, the length of
# a comment.
_ZIP_END = struct.Struct("<4s6xHI4xH")


class Stored(NamedTuple):
    """The size of the weights in a file.

    Attributes:
        arrays: how many arrays there are.
        numbers: how many numbers they have together.
    """

    arrays: int
    numbers: int


def read_model(
    path: Path, check: Callable[[keras.Model], None] = lambda model: None
) -> keras.Model:
    """Returns the model in a `.keras` file.

    Args:
        path: the file.
        check: called with the model before it has weights; raises ValueError to refuse it.

    Raises:
        OSError: the file cannot be opened.
        ValueError: it is damaged, or holds anything but one of the models of this package with
            finite weights.
    """
    with Path(path).open("rb") as file, tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / _WEIGHTS
        config = _unpack(file, weights)
        _check_config(config)
        stored = _measure(weights)
        _check_counts(config, stored)
        # Variables that are made in a stateless scope have no values. Keras keeps a list of them in
        # the thread, to fill them in later; a thread of its own takes the list with it.
        with ThreadPoolExecutor(1) as thread:
            empty = thread.submit(_build_empty, config).result()
        check(empty)
        needed = sum(math.prod(weight.shape) for weight in empty.weights)
        if needed > stored.numbers:
            raise ValueError(f"it asks for {needed:,} weights and has {stored.numbers:,}")
        model = _build(config)
        model.load_weights(weights)
    for weight in model.weights:
        values = keras.ops.convert_to_numpy(weight)
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise ValueError(f"its weight {weight.path} has numbers that are not finite")
    return model


def _unpack(file: BinaryIO, weights: Path) -> dict:
    """Writes the weights of an archive to a file, and returns the configuration of the model.

    Raises:
        ValueError: the archive is damaged, or not as Keras writes it.
    """
    size = os.fstat(file.fileno()).st_size
    _check_directory(file, size)
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            if sorted(member.filename for member in members) != sorted(_LONGEST):
                raise ValueError(f"it does not consist of {', '.join(_LONGEST)}")
            for member in members:
                is_packed = member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 1
                if is_packed or member.file_size != member.compress_size:
                    raise ValueError(f"its {member.filename} is packed, as Keras never does")
                if member.file_size > _LONGEST[member.filename]:
                    raise ValueError(
                        f"its {member.filename} has {member.file_size:,} bytes, at most "
                        f"{_LONGEST[member.filename]:,} are expected"
                    )
            if sum(member.file_size for member in members) > size:
                raise ValueError("its members have more bytes than the file")
            with archive.open(_WEIGHTS) as source, weights.open("wb") as target:
                while block := source.read(2**20):
                    target.write(block)
            archive.read(_METADATA)  # This checks its checksum.
            config = parse_json(archive.read(_CONFIG))
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise ValueError(str(error) or "it ends too early") from None
    return config


def _check_directory(file: BinaryIO, size: int) -> None:
    """Refuses an archive whose directory has more entries than Keras writes, before it is read into
    memory.

    Raises:
        ValueError: it has more entries, or is no zip archive.
    """
    file.seek(max(size - _ZIP_END.size - 20, 0))
    tail = file.read()
    end = tail[-_ZIP_END.size :]
    if len(end) < _ZIP_END.size or not end.startswith(b"PK\x05\x06"):
        raise ValueError("it is no zip archive, or cut short")
    _, entries, length, comment = _ZIP_END.unpack(end)
    if entries != len(_LONGEST) or length > 2**10 or comment or tail.startswith(b"PK\x06\x07"):
        raise ValueError(f"it does not consist of {', '.join(_LONGEST)}")


def _check_config(config: Any) -> None:
    """Refuses the configuration of anything but a model of this package.

    Raises:
        ValueError: it is something else.
    """
    name = config.get("registered_name") if isinstance(config, dict) else None
    if (
        not isinstance(name, str)
        or name not in MODELS
        or not isinstance(config.get("config"), dict)
    ):
        class_name = config.get("class_name") if isinstance(config, dict) else None
        raise ValueError(f"it holds {str(class_name)[:80]!r}, which is none of this suite's models")
    settings = dict(config["config"])
    inner = settings.pop(_INNER[name], None) if name in _INNER else []
    for member in inner if isinstance(inner, list) else [inner]:
        _check_config(member)
        if member["registered_name"] in _ENSEMBLES:
            raise ValueError("it holds a mean of models inside of another model")
    _check_plain(settings, _DEEPEST)


def _check_plain(value: Any, levels: int) -> None:
    """Refuses values that are nested too deeply, and objects in place of numbers and names.

    Raises:
        ValueError: there is one.
    """
    if not levels:
        raise ValueError("its configuration is nested too deeply")
    if isinstance(value, dict):
        if {"class_name", "registered_name", "module"} & value.keys():
            raise ValueError("an argument of its model is an object")
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            _check_plain(item, levels - 1)


def _check_counts(config: Any, stored: Stored) -> None:
    """Refuses more layers, members or tags than there are weights, as building them takes time.

    Raises:
        ValueError: there are more.
    """
    if isinstance(config, dict):
        layers = config.get("num_layers", 0)
        if not isinstance(layers, int) or layers > stored.arrays:
            raise ValueError(f"it asks for {layers!r} layers and has {stored.arrays:,} arrays")
        config = list(config.values())
    if isinstance(config, list):
        if len(config) >= _LONG_LIST and len(config) ** 2 > stored.numbers:
            raise ValueError(f"its configuration has a list of {len(config):,} values")
        for item in config:
            _check_counts(item, stored)


def _measure(path: Path) -> Stored:
    """Counts the numbers in a file of weights.

    Raises:
        ValueError: they are not stored as Keras stores them, contiguous and uncompressed.
    """
    size, arrays, numbers, taken = path.stat().st_size, 0, 0, 0
    try:
        with h5py.File(path, "r") as file:
            for array in _arrays(file):
                taken += _check_array(array, size)
                arrays, numbers = arrays + 1, numbers + math.prod(array.shape)
    except (OSError, RuntimeError, KeyError, TypeError) as error:
        raise ValueError(f"its weights are damaged: {error}") from None
    if taken > size:
        raise ValueError("its weights have more bytes than the file")
    return Stored(arrays, numbers)


def _arrays(file: h5py.File) -> Iterator[h5py.Dataset]:
    """Yields everything in a file of weights that is not a group.

    Raises:
        ValueError: it holds too many parts, the same one twice, or a link to another file.
    """
    groups, seen = [file], {h5py.h5o.get_info(file.id).addr}
    while groups:
        group = groups.pop()
        for name in group:
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise ValueError("its weights lie in another file")
            part = group[name]
            address = h5py.h5o.get_info(part.id).addr
            if address in seen:
                raise ValueError("its weights hold one thing twice")
            seen.add(address)
            if len(seen) > _MOST_OBJECTS:
                raise ValueError(f"its weights have more than {_MOST_OBJECTS:,} parts")
            if isinstance(part, h5py.Group):
                groups.append(part)
            else:
                yield part


def _check_array(array: h5py.Dataset, size: int) -> int:
    """Returns how many bytes of a file of `size` bytes an array takes.

    Raises:
        ValueError: it is compressed, in another file, or has more numbers than bytes for them.
    """
    if not isinstance(array, h5py.Dataset) or array.dtype.kind not in "fiubV":
        raise ValueError("its weights are no numbers")
    properties, taken = array.id.get_create_plist(), array.id.get_storage_size()
    is_flat = properties.get_layout() in (h5py.h5d.CONTIGUOUS, h5py.h5d.COMPACT)
    if not is_flat or properties.get_nfilters() or properties.get_external_count():
        raise ValueError("its weights are packed, as Keras never does")
    if taken < math.prod(array.shape) * array.dtype.itemsize or taken > size:
        raise ValueError("its weights are cut short")
    return taken


def _build_empty(config: dict) -> keras.Model:
    """Returns the model without values, which takes no memory whatever its size."""
    with keras.StatelessScope(initialize_variables=False):
        return _build(config)


def _build(config: dict) -> keras.Model:
    """Returns the untrained model that a checked configuration describes.

    Raises:
        ValueError: its arguments are invalid.
    """
    name, settings = config["registered_name"], dict(config["config"])
    if name in _INNER:
        inner = settings[_INNER[name]]
        members = [_without_training(m) for m in (inner if isinstance(inner, list) else [inner])]
        settings[_INNER[name]] = members if isinstance(inner, list) else members[0]
    try:
        return MODELS[name].from_config(settings)
    except (TypeError, KeyError, AttributeError, OverflowError) as error:
        raise ValueError(f"its configuration is damaged: {error}") from None


def _without_training(config: dict) -> dict:
    """Returns a configuration without the optimizer that may have been saved with a model."""
    return {**config, "compile_config": {}, "build_config": {}}

import json
import struct
import zipfile

import h5py
import keras
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from models.classification.classifier import TextClassifier
from models.model_archive import read_model
from models.tagging.tagger import Tagger

RECURRENT = {"cell": "lstm", "units": 3, "num_layers": 1}
WEIGHTS, CONFIG = "model.weights.h5", "config.json"


@pytest.fixture(scope="module")
def classifier():
    model = TextClassifier(9, 2, 4, RECURRENT, name="small")
    # Optimizer and loss are saved, too, and are not wanted back.
    model.compile("adam", "mse")
    return model


@pytest.fixture(scope="module")
def members(classifier, tmp_path_factory):
    """The members of its archive, by name."""
    path = tmp_path_factory.mktemp("archive") / "model.keras"
    classifier.save(path)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
def write(members, tmp_path):
    """Writes an archive with some other members, some of them packed, and returns its path."""

    def written(changes, packed=()):
        path = tmp_path / "model.keras"
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in {**members, **changes}.items():
                packing = zipfile.ZIP_DEFLATED if name in packed else zipfile.ZIP_STORED
                archive.writestr(name, content, packing)
        return path

    return written


@pytest.fixture
def configured(members, write):
    """Writes an archive whose model has other arguments, or another class."""

    def written(registered_name="models>TextClassifier", class_name="TextClassifier", **settings):
        config = json.loads(members[CONFIG])
        config |= {"registered_name": registered_name, "class_name": class_name}
        config["config"] |= settings
        return write({CONFIG: json.dumps(config)})

    return written


@pytest.fixture
def weighted(members, write, tmp_path):
    """Writes an archive whose weights are changed by a function of the open file."""

    def written(change):
        path = tmp_path / WEIGHTS
        path.write_bytes(members[WEIGHTS])
        with h5py.File(path, "a") as file:
            change(file)
        return write({WEIGHTS: path.read_bytes()})

    return written


def test_a_model_comes_back_with_its_weights_and_untrained(classifier, write):
    model = read_model(write({}))
    assert model.get_config() == classifier.get_config() and model.name == "small"
    assert not model.compiled
    for found, weight in zip(model.get_weights(), classifier.get_weights(), strict=True):
        assert_array_equal(found, weight)


def test_what_is_read_leaves_keras_as_it_was(write):
    """A model is counted without values, and nobody fills them in later."""
    with pytest.raises(ValueError, match="weights"):
        read_model(write({WEIGHTS: b""}))
    before = keras.layers.Dense(2).name
    read_model(write({}))
    layer = keras.layers.Dense(2)
    layer(np.ones((1, 3), np.float32))
    assert len(layer.get_weights()) == 2 and layer.name != before


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.99, 1])
def test_a_file_cut_short_is_refused(write, share):
    path = write({})
    content = path.read_bytes()
    path.write_bytes(content[: min(int(share * len(content)), len(content) - 1)])
    with pytest.raises(ValueError, match="no zip archive, or cut short"):
        read_model(path)


def test_a_flipped_bit_is_found(write):
    path, random = write({}), np.random.default_rng(1)
    content = path.read_bytes()
    place = content.index(b"\x89HDF")
    for position in random.integers(place, len(content) - 500, 20):
        flipped = bytearray(content)
        flipped[position] ^= 1 << random.integers(8)
        path.write_bytes(flipped)
        with pytest.raises(ValueError, match=r"Bad CRC-32|Bad magic number"):
            read_model(path)


@pytest.mark.parametrize("name", [CONFIG, "metadata.json", WEIGHTS])
def test_packed_members_are_not_unpacked(write, name):
    """Sixteen megabytes of one letter, or any other number of them, in a few kilobytes."""
    with pytest.raises(ValueError, match=rf"its {name} is packed, as Keras never does"):
        read_model(write({name: b"[" * 2**24}, packed=[name]))


@pytest.mark.parametrize(("name", "limit"), [(CONFIG, "1,048,576"), ("metadata.json", "65,536")])
def test_a_large_configuration_is_refused(write, name, limit):
    with pytest.raises(ValueError, match=rf"its {name} has 2,000,000 bytes, at most {limit}"):
        read_model(write({name: b" " * 2_000_000}))


def test_other_members_are_refused(write, members):
    with pytest.raises(ValueError, match=r"does not consist of config.json, metadata.json, model"):
        read_model(write({"assets/x": b"x"}))


def test_members_that_share_their_bytes_are_refused(write):
    """The directory says that the configuration has as many bytes as the weights."""
    path = write({})
    content = bytearray(path.read_bytes())
    entry = content.index(b"PK\x01\x02" + content[content.rindex(b"PK\x01\x02") + 4 :][:6])
    struct.pack_into("<II", content, entry + 20, len(content), len(content))
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"more bytes than the file|at most 65,536"):
        read_model(path)


def test_a_directory_of_many_entries_is_not_read(write):
    path = write({})
    content = bytearray(path.read_bytes())
    struct.pack_into("<HH", content, len(content) - 14, 60_000, 60_000)
    path.write_bytes(content)
    with pytest.raises(ValueError, match="does not consist of"):
        read_model(path)


@pytest.mark.parametrize(
    ("name", "registered"),
    [
        ("Sequential", "Sequential"),
        ("Functional", "Functional"),
        ("Lambda", "Lambda"),
        ("TFSMLayer", "TFSMLayer"),
        ("LinearChainCRF", "models>LinearChainCRF"),
        ("TextClassifier", None),
        ("TextClassifier", ["models>TextClassifier"]),
    ],
)
def test_other_classes_are_refused(configured, name, registered):
    with pytest.raises(ValueError, match=f"it holds '{name}', which is none of this suite's"):
        read_model(configured(registered, name))


@pytest.mark.parametrize("content", ["[]", "null", "{}", '"x"', '{"config": {}}'])
def test_a_configuration_without_a_model_is_refused(write, content):
    with pytest.raises(ValueError, match="it holds 'None', which is none of this suite's models"):
        read_model(write({CONFIG: content}))


@pytest.mark.parametrize("content", ["", "{", "[" * 988, "[" * 500_000, "\udcff"])
def test_a_configuration_that_is_no_json_is_refused(write, content):
    with pytest.raises(ValueError, match=r"Expecting|too deeply|can't decode"):
        read_model(write({CONFIG: content.encode(errors="surrogateescape")}))


@pytest.mark.parametrize(
    "value",
    [
        {"class_name": "Lambda", "config": {}},
        {"kernel_initializer": {"module": "os", "class_name": "system"}},
        [[{"registered_name": "models>TextClassifier"}]],
    ],
)
def test_objects_among_the_arguments_are_refused(configured, value):
    with pytest.raises(ValueError, match="an argument of its model is an object"):
        read_model(configured(pooling=value))


def test_deep_arguments_are_refused(configured):
    deep = []
    for _ in range(20):
        deep = [deep]
    with pytest.raises(ValueError, match="nested too deeply"):
        read_model(configured(pooling=deep))


def test_a_mean_of_means_is_refused(members, write):
    config = {"registered_name": "models>Ensemble", "class_name": "Ensemble"}
    inner = json.loads(members[CONFIG])
    for _ in range(2):
        inner = {**config, "config": {"name": "e", "members": [inner], "multi_label": False}}
    with pytest.raises(ValueError, match="a mean of models inside of another model"):
        read_model(write({CONFIG: json.dumps(inner)}))


def test_a_million_units_are_counted_and_not_made(configured):
    """Of 4 x units x (embedding + units + 1) weights there were 16 terabytes."""
    with pytest.raises(ValueError, match=r"it asks for 4,000,0\d\d,\d{3},\d{3} weights and has"):
        read_model(configured(recurrent={**RECURRENT, "units": 10**6}))


@pytest.mark.parametrize("name", ["vocabulary_size", "embedding_dim", "num_classes"])
def test_sizes_beyond_the_weights_are_refused(configured, name):
    with pytest.raises(ValueError, match=r"it asks for [\d,]+ weights and has [\d,]+$"):
        read_model(configured(**{name: 10**9}))


@pytest.mark.parametrize("layers", [10**6, 10**400, "x", None, 1.5])
def test_a_million_layers_are_refused(configured, layers):
    with pytest.raises(ValueError, match=r"layers and has \d+ arrays"):
        read_model(configured(recurrent={**RECURRENT, "num_layers": layers}))


def test_more_tags_than_transitions_are_refused(write):
    config = Tagger(("O",), 9, 4, RECURRENT).get_config() | {"tags": ["O"] * 10_000}
    whole = {"registered_name": "models>Tagger", "class_name": "Tagger", "config": config}
    with pytest.raises(ValueError, match="its configuration has a list of 10,000 values"):
        read_model(write({CONFIG: json.dumps(whole)}))


@pytest.mark.parametrize(
    "settings", [{"recurrent": []}, {"embedding_dim": "x"}, {"pooling": ["x"]}]
)
def test_arguments_that_do_not_fit_are_refused(configured, settings):
    with pytest.raises(ValueError):
        read_model(configured(**settings))


def test_the_caller_may_refuse_a_model_before_it_has_weights(write):
    def refuse(model):
        raise ValueError(f"{model.settings['num_classes']} classes")

    with pytest.raises(ValueError, match=r"^2 classes$"):
        read_model(write({}), refuse)


# --- weights -----------------------------------------------------------------


def add(**options):
    return lambda file: file.create_dataset("more", **options)


@pytest.mark.parametrize(
    "options",
    [
        {"shape": (10**9,), "dtype": "f4", "chunks": (10**6,), "compression": "gzip"},
        {"shape": (10**9,), "dtype": "f4", "chunks": (10**6,)},
        {"shape": (10**12,), "dtype": "f4"},
    ],
    ids=["deflated", "in pieces", "without a byte"],
)
def test_numbers_that_the_file_does_not_hold_are_refused(weighted, options):
    with pytest.raises(ValueError, match=r"its weights are (packed|cut short)"):
        read_model(weighted(add(**options)))


def test_texts_are_no_weights(weighted):
    with pytest.raises(ValueError, match="its weights are no numbers"):
        read_model(weighted(add(data=["text"], dtype=h5py.string_dtype())))


@pytest.mark.parametrize(
    "link", [h5py.SoftLink("/layers"), h5py.ExternalLink("/etc/passwd", "/")], ids=["soft", "other"]
)
def test_links_are_not_followed(weighted, link):
    with pytest.raises(ValueError, match="its weights lie in another file"):
        read_model(weighted(lambda file: file.__setitem__("more", link)))


@pytest.mark.parametrize("name", ["layers", "layers/embedding/vars/0"])
def test_what_is_held_twice_is_refused(weighted, name):
    """A group that holds itself has no end."""
    with pytest.raises(ValueError, match="its weights hold one thing twice"):
        read_model(weighted(lambda file: file["layers"].__setitem__("again", file[name])))


def test_many_groups_are_refused(weighted, monkeypatch):
    monkeypatch.setattr("models.model_archive._MOST_OBJECTS", 200)

    def fill(file):
        for number in range(200):
            file.create_group(str(number))

    with pytest.raises(ValueError, match="more than 200 parts"):
        read_model(weighted(fill))


def test_weights_that_are_none_are_refused(write):
    with pytest.raises(ValueError, match="its weights are damaged"):
        read_model(write({WEIGHTS: b"no weights"}))


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_refused(weighted, number):
    def spoil(file):
        file["layers/embedding/vars/0"][3, 1] = number

    with pytest.raises(ValueError, match=r"embeddings has numbers that are not finite"):
        read_model(weighted(spoil))

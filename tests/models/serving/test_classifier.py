import shutil

import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal
from tensorflow.core.protobuf import saved_model_pb2

from data.errors import UserError
from data.files.checksum_list import check_checksum_list
from data.text.preprocessor import TextPreprocessor
from data.text.vocabulary import Vocabularies
from models.classification.classifier import TextClassifier
from models.classification.decision import Decision
from models.serving.classifier import ServingClassifier
from models.serving.export import CHECKSUMS, export

NAMES = ("hostile", "rude", "neither")
BATCHES = {
    "a few": [b"You fool", b"fine day fool :)", b"FINE \xf0\x9f\x98\x80"],
    "one": [b"fool"],
    "a thousand": [b"fine day %d" % i for i in range(1000)],
    "empty": [b"", b"", b" "],
    "a megabyte": [b"fool " * 200_000],
    "a word of a megabyte": [b"f" * 1_000_000],
    "no UTF-8": [b"\xff\xfe fool", b"\xc3", b"\x00 day"],
}


def classifier(multi_label=False, thresholds=None):
    vocabularies = Vocabularies(["<start>", "fool", "fine", "day"], list("adefilnouy"))
    model = TextClassifier(
        vocabulary_size=6,
        num_classes=3,
        embedding_dim=4,
        recurrent={"cell": "gru", "units": 3, "bidirectional": True, "use_cudnn": False},
        pooling=("max", "attention"),
        character_vocabulary_size=12,
        max_word_length=5,
    )
    preprocessor = TextPreprocessor(vocabularies, "tweet", max_length=20, max_word_length=5)
    decision = Decision.plain(3, multi_label)
    if thresholds:
        decision = Decision(multi_label, thresholds)
    return ServingClassifier(preprocessor, model, NAMES, decision)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A serving model and the folder of its SavedModel."""
    serving, folder = classifier(), tmp_path_factory.mktemp("export") / "model"
    extra = folder.with_name("notes.txt")
    extra.write_text("kept")
    export(serving, folder, [extra])
    return serving, folder


ANSWER = """
import ast, sys
import numpy as np
import tensorflow as tf
model = tf.saved_model.load(sys.argv[1])
serve = model.signatures["serving_default"]
with open(sys.argv[2]) as file:
    batches = ast.literal_eval(file.read())
answers = {}
for name, texts in batches.items():
    for key, value in serve(texts=tf.constant(texts)).items():
        answers[f"{name}/{key}"] = value.numpy().astype("S") if key == "classes" else value
np.savez(sys.argv[3], **answers)
ours = {name.split(".")[0] for name in sys.modules} & {"models", "data", "apps"}
assert not ours, ours
"""


@pytest.fixture(scope="module")
def answers(exported, tmp_path_factory, tensorflow_process):
    """What the SavedModel answers in a process that has never seen this project."""
    folder = tmp_path_factory.mktemp("elsewhere")
    (folder / "batches").write_text(repr(BATCHES))
    done = tensorflow_process(ANSWER, exported[1], "batches", "answers.npz", cwd=folder)
    assert done.returncode == 0, done.stderr
    return np.load(folder / "answers.npz")


def signature(folder):
    return tf.saved_model.load(str(folder)).signatures["serving_default"]


def test_the_signature_takes_strings_and_returns_classes_scores_and_decisions(exported):
    serve = signature(exported[1])
    (_, arguments) = serve.structured_input_signature
    assert arguments == {"texts": tf.TensorSpec([None], tf.string, "texts")}
    outputs = {
        name: (s.dtype, s.shape.rank, s.shape[-1]) for name, s in serve.structured_outputs.items()
    }
    assert outputs == {
        "classes": (tf.string, 2, 3),
        "scores": (tf.float32, 2, 3),
        "predicted": (tf.bool, 2, 3),
    }


@pytest.mark.parametrize("batch", BATCHES)
def test_the_saved_model_equals_the_serving_model(exported, answers, batch):
    expected = exported[0].serve(tf.constant(BATCHES[batch]))
    # In memory the loop over time is compiled; in the SavedModel it is made of stock operations.
    assert_allclose(answers[f"{batch}/scores"], expected["scores"], atol=1e-6)
    assert_array_equal(answers[f"{batch}/classes"], expected["classes"].numpy().astype("S"))
    assert_array_equal(answers[f"{batch}/predicted"], expected["predicted"])


@pytest.mark.parametrize("batch", BATCHES)
def test_every_text_is_answered_with_the_highest_score_first(answers, batch):
    scores, classes = answers[f"{batch}/scores"], answers[f"{batch}/classes"]
    assert scores.shape == classes.shape == (len(BATCHES[batch]), 3)
    assert np.isfinite(scores).all()
    assert (np.diff(scores, axis=1) <= 0).all()
    assert all(set(row) == {name.encode() for name in NAMES} for row in classes.tolist())


def test_scores_are_shares_of_one(answers):
    np.testing.assert_allclose(answers["a few/scores"].sum(axis=1), 1.0, rtol=1e-6)


def test_each_score_stands_beside_its_class(exported):
    serving, texts = exported[0], tf.constant(BATCHES["a few"])
    shares = tf.nn.softmax(serving.model(serving.preprocessor(texts))).numpy()
    answer = serving.serve(texts)
    columns = answer["classes"].numpy(), answer["scores"].numpy()
    for row, (classes, scores) in enumerate(zip(*columns, strict=True)):
        by_name = dict(zip(classes.tolist(), scores.tolist(), strict=True))
        expected = dict(zip([name.encode() for name in NAMES], shares[row].tolist(), strict=True))
        assert by_name == pytest.approx(expected, abs=1e-6)


def test_scores_of_several_labels_are_independent():
    serving = classifier(multi_label=True)
    logits = serving.model(serving.preprocessor(tf.constant(["fool"])))
    scores = serving.serve(tf.constant(["fool"]))["scores"]
    np.testing.assert_allclose(scores[0], np.sort(tf.nn.sigmoid(logits)[0])[::-1], rtol=1e-5)


def test_the_class_with_the_best_ratio_to_its_threshold_comes_first():
    # A threshold a thousand times as low as the others.
    serving = classifier(thresholds=(0.4995, 0.4995, 0.001))
    answer = serving.serve(tf.constant(["fool", "fine day"]))
    assert answer["classes"][:, 0].numpy().tolist() == [b"neither"] * 2
    assert answer["predicted"].numpy().tolist() == [[True, False, False]] * 2
    shares = tf.nn.softmax(serving.model(serving.preprocessor(tf.constant(["fool"]))))
    assert float(answer["scores"][0, 0]) == pytest.approx(float(shares[0, 2]), rel=1e-5)


def test_of_several_labels_those_that_reach_their_thresholds_are_predicted():
    serving = classifier(multi_label=True, thresholds=(1e-6, 0.999999, 1e-3))
    answer = serving.serve(tf.constant(["fool"]))
    assert answer["classes"].numpy().tolist() == [[b"hostile", b"neither", b"rude"]]
    assert answer["predicted"].numpy().tolist() == [[True, True, False]]


def test_no_text_at_all_is_answered_by_no_rows(exported):
    assert exported[0].serve(tf.constant([], tf.string))["scores"].shape == (0, 3)


def test_the_graph_holds_stock_operations_alone(exported):
    saved = saved_model_pb2.SavedModel.FromString((exported[1] / "saved_model.pb").read_bytes())
    definition = saved.meta_graphs[0].graph_def
    nodes = [*definition.node, *(n for f in definition.library.function for n in f.node_def)]
    operations = {node.op for node in nodes}
    functions = {function.signature.name for function in definition.library.function}
    assert "StringLower" in operations
    assert not {name for name in operations if "Cudnn" in name or name.endswith("PyFunc")}
    unknown = operations - functions - set(dir(tf.raw_ops))
    assert not unknown


def test_extra_files_travel_with_the_model(exported):
    assert (exported[1] / "assets.extra" / "notes.txt").read_text() == "kept"


@pytest.mark.parametrize("name", ["saved_model.pb", "variables/variables.index"])
def test_a_flipped_bit_in_an_export_is_found(exported, tmp_path, name):
    folder = shutil.copytree(exported[1], tmp_path / "model")
    check_checksum_list(folder, CHECKSUMS)
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(UserError, match=rf"{name} is damaged: its checksum is not the one in"):
        check_checksum_list(folder, CHECKSUMS)


def test_a_former_export_is_not_replaced(exported, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "saved_model.pb").write_bytes(b"old")
    with pytest.raises(UserError, match=r"cannot write .*model: Directory not empty"):
        export(exported[0], folder)
    assert (folder / "saved_model.pb").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_failed_export_leaves_nothing(exported, tmp_path):
    with pytest.raises(FileNotFoundError):
        export(exported[0], tmp_path / "model", [tmp_path / "no such file"])
    assert list(tmp_path.iterdir()) == []

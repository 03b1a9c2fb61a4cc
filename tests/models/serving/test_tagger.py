import functools
import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal
from tensorflow.core.protobuf import saved_model_pb2

from data.text.tag_preprocessor import TagPreprocessor
from data.text.vocabulary import Vocabularies
from data.text.word_tokenizer import tokenize_words
from models.serving.export import export
from models.serving.tagger import ServingTagger
from models.tagging.tagger import Tagger

TAGS = ("O", "B-X", "I-X", "B-Y", "I-Y")
BATCHES = {
    "a few": ["Angela Merkel visited Lyon.", "S\u00e3o Tom\u00e9 is far", "a"],
    "empty": ["", " ", "\n"],
    "none": [],
    "a long one": ["Lyon " * 700 + "end", "short"],
    "no UTF-8": [b"\xff\xfe Lyon", b"\xc3"],
}


@functools.cache
def serving(head="crf", window=8, overlap=2, noise=1.0):
    keras.utils.set_random_seed(0)
    vocabularies = Vocabularies(["<start>", "lyon", "is", "a"], list("LAnoy"))
    model = Tagger(
        TAGS,
        vocabulary_size=6,
        embedding_dim=4,
        recurrent={"cell": "lstm", "units": 3, "bidirectional": True, "use_cudnn": False},
        head=head,
        character_vocabulary_size=7,
        max_word_length=5,
    )
    model.set_weights(
        [w + noise * np.random.default_rng(1).normal(size=w.shape) for w in model.get_weights()]
    )
    return ServingTagger(TagPreprocessor(vocabularies, True, True, 5), model, window, overlap)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A serving model and the folder of its SavedModel."""
    model, folder = serving(), tmp_path_factory.mktemp("export") / "model"
    export(model, folder)
    return model, folder


@pytest.mark.parametrize("batch", BATCHES)
def test_an_answer_has_tokens_tags_places_and_scores(batch):
    texts = BATCHES[batch]
    answer = serving().serve(tf.constant(texts, tf.string))
    shape = answer["tokens"].shape
    assert shape[0] == len(texts)
    assert all(value.shape == shape for value in answer.values())
    tokens = tokenize_words(tf.constant(texts, tf.string))
    assert_array_equal(answer["tokens"], tokens.strings.to_tensor())
    assert_array_equal(answer["starts"], tokens.starts.to_tensor())
    real = answer["tokens"].numpy() != b""
    assert_array_equal(real, answer["tags"].numpy() != b"")
    assert set(answer["tags"].numpy()[real]) <= {tag.encode() for tag in TAGS}
    scores = answer["scores"].numpy()
    assert ((scores > 0) == real).all()
    assert (scores <= 1.0001).all()


def test_a_text_is_answered_alike_alone_and_in_a_batch():
    model = serving()
    together = model.serve(tf.constant(BATCHES["a few"]))
    for row, text in enumerate(BATCHES["a few"]):
        for name, alone in model.serve(tf.constant([text])).items():
            width = alone.shape[1]
            if name == "scores":
                assert_allclose(together[name][row, :width], alone[0], atol=1e-5)
            else:
                assert_array_equal(together[name][row, :width], alone[0])


def test_windows_answer_as_the_whole_where_nothing_is_far_away():
    # Weights this small forget within some steps.
    whole, cut = (serving("softmax", *sizes, noise=0.2) for sizes in ((1000, 0), (60, 25)))
    words = np.random.default_rng(0).choice(["Lyon", "is", "a", "Zz", "1987"], 600)
    texts = tf.constant([" ".join(words)])
    answers = [model.serve(texts) for model in (whole, cut)]
    assert_allclose(answers[0]["scores"], answers[1]["scores"], atol=0.01)


@pytest.mark.parametrize("head", ["crf", "softmax"])
def test_tags_are_bio_across_windows(head):
    answer = serving(head, window=5, overlap=1).serve(tf.constant(["Lyon is a Zz 7 " * 60]))
    before = ""
    for tag in (each.decode() for each in answer["tags"].numpy()[0]):
        assert not tag.startswith("I-") or before[2:] == tag[2:]
        before = tag


ANSWER = """
import sys
import tensorflow as tf
serve = tf.saved_model.load(sys.argv[1]).signatures["serving_default"]
for name, value in serve(texts=tf.constant(["Angela Merkel visited Lyon.", "", "a"])).items():
    print(name, value.dtype.name, value.numpy().tolist())
print(serve(texts=tf.constant(["Lyon " * 200_000]))["tags"].shape)
print(sorted(name for name in sys.modules if name.split(".")[0] in ("models", "data", "apps")))
"""


def test_a_saved_model_answers_in_a_fresh_process_of_tensorflow_alone(
    exported, tensorflow_process, tmp_path
):
    model, folder = exported
    process = tensorflow_process(ANSWER, folder, cwd=tmp_path)
    assert process.returncode == 0, process.stderr
    *lines, long, modules = process.stdout.splitlines()
    answer = model.serve(tf.constant(["Angela Merkel visited Lyon.", "", "a"]))
    found = dict(line.split(" ", 1) for line in lines)
    assert found.keys() == answer.keys()
    for name in ("tokens", "tags", "starts", "ends"):
        assert found[name] == f"{answer[name].dtype.name} {answer[name].numpy().tolist()}"
    assert found["starts"].startswith("int32 [[0, 7, 14, 22, 26]")
    assert found["scores"].startswith("float32 ")
    assert (long, modules) == ("(1, 200000)", "[]")


def test_a_saved_model_holds_stock_operations_alone(exported):
    saved = saved_model_pb2.SavedModel()
    saved.ParseFromString((exported[1] / "saved_model.pb").read_bytes())
    graph = saved.meta_graphs[0].graph_def
    nodes = [*graph.node, *(node for f in graph.library.function for node in f.node_def)]
    assert not [node.op for node in nodes if re.search("Xla|Cudnn|Suite", node.op)]
    assert not any(
        "_XlaMustCompile" in node.attr and node.attr["_XlaMustCompile"].b for node in nodes
    )

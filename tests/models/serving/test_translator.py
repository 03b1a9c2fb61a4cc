import re
from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal
from tensorflow.core.protobuf import saved_model_pb2

from data.text.special_tokens import END, UNKNOWN
from data.text.tokenizer import Tokenizer
from data.text.tokenizer_vocabulary import TokenizerVocabulary
from models.seq2seq.encoder_decoder import Translator
from models.seq2seq.search import TranslationSearch
from models.serving.export import export
from models.serving.translator import ServingTranslator

SOURCE = TokenizerVocabulary("words", ("A", " dog", " cat", " sleeps", "."))
TARGET = TokenizerVocabulary("words", ("Un", " chien", " chat", " dort", "."))
TEXTS = ["A dog sleeps.", "", "A cat", b"\xff\xfe dog", "  "]


def serving(attention="general", noise=0.7, **options):
    keras.utils.set_random_seed(0)
    model = Translator(
        9,
        9,
        4,
        {"cell": "lstm", "units": 3, "bidirectional": True, "use_cudnn": False},
        attention=attention,
    )
    generator = np.random.default_rng(1)
    model.set_weights([w + generator.normal(0, noise, w.shape) for w in model.get_weights()])
    # Translations of some words, not none.
    bias = model.decoder.logits.bias
    bias.assign(bias.numpy() - 2.0 * np.eye(9)[END])
    search = TranslationSearch(beam_width=2, length_penalty=0.6, max_length=20)
    return ServingTranslator(Tokenizer(SOURCE), Tokenizer(TARGET), model, search, **options)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A serving model and the folder of its SavedModel."""
    model, folder = serving(replace_unknown=True), tmp_path_factory.mktemp("export") / "model"
    export(model, folder)
    return model, folder


def test_empty_texts_have_empty_translations(exported):
    answer = exported[0].serve(tf.constant(TEXTS))
    translations = answer["translations"].numpy()
    assert translations[1] == b"" and translations[0] != b""
    assert answer["scores"].shape == (5,)
    assert [len(value) for value in exported[0].serve(tf.constant([], tf.string)).values()] == [
        0,
        0,
    ]


def test_the_attention_belongs_to_the_tokens(exported):
    answer = exported[0].answer_with_attention(tf.constant(TEXTS))
    source, target, weights = (
        answer[name].numpy() for name in ("source_tokens", "target_tokens", "attention")
    )
    assert source[0].tolist() == [b"A", b" dog", b" sleeps", b".", b"<end>"]
    assert weights.shape == (5, target.shape[1], source.shape[1])
    # As wide as the longest translation.
    assert (target[:, -1] != b"").any()
    assert_array_equal(weights.sum(axis=-1) > 0, target != b"")
    assert_array_equal(weights[2, :, 3:], 0.0)
    assert_allclose(weights[0].sum(axis=-1)[target[0] != b""], 1.0, atol=1e-5)


def test_unknown_words_are_copied_from_where_the_translation_looked():
    model = serving(replace_unknown=True)
    text = tf.constant(["A Zebra sleeps."])
    token_ids, pieces = model._read(text)
    assert token_ids.numpy().tolist() == [[4, UNKNOWN, 7, 8, END]]
    # Un, unknown, dort, unknown, END: the weights say which source word is copied.
    ids = tf.constant([[4, UNKNOWN, 7, UNKNOWN, END]])
    eye = np.eye(5, dtype="float32")
    looked = tf.constant([eye[[0, 1, 2, 0, 4]]])
    model.model.attention_weights = lambda *_: looked
    copied, _ = model._copy_words(token_ids, pieces, ids)
    assert copied.numpy().tolist() == [b"Un Zebra dort A"]
    # The end of the source is never copied, however much it is looked at.
    looked = tf.constant([0.9 * eye[[4] * 5] + 0.1 * eye[[1] * 5]])
    assert model._copy_words(token_ids, pieces, ids)[0].numpy().tolist() == [b"Un Zebra dort Zebra"]


def test_without_attention_the_weights_are_zero():
    model = serving("none", replace_unknown=True)
    answer = model.answer_with_attention(tf.constant(TEXTS))
    assert not answer["attention"].numpy().any()
    assert not model.replace_unknown


ANSWER = """
import sys
import tensorflow as tf
model = tf.saved_model.load(sys.argv[1])
texts = tf.constant(["A dog sleeps.", "", "A cat"])
for signature in ("serving_default", "with_attention"):
    for name, value in sorted(model.signatures[signature](texts=texts).items()):
        print(signature, name, value.dtype.name, value.numpy().round(4).tolist()
              if value.dtype == tf.float32 else value.numpy().tolist())
long = model.signatures["serving_default"](texts=tf.constant(["A dog " * 200_000]))
print(len(long["translations"]))
print(sorted(name for name in sys.modules if name.split(".")[0] in ("models", "data", "apps")))
"""


def test_a_saved_model_answers_in_a_fresh_process_of_tensorflow_alone(
    exported, tensorflow_process, tmp_path
):
    model, folder = exported
    process = tensorflow_process(ANSWER, folder, cwd=tmp_path)
    assert process.returncode == 0, process.stderr
    *lines, long, modules = process.stdout.splitlines()
    assert (long, modules) == ("1", "[]")
    texts = tf.constant(["A dog sleeps.", "", "A cat"])
    ours = {
        "serving_default": model.answer(texts),
        "with_attention": model.answer_with_attention(texts),
    }
    names = [line.split(" ", 2)[:2] for line in lines]
    assert names == [[s, name] for s, answer in ours.items() for name in sorted(answer)]
    for line in lines:
        signature, name, dtype, value = line.split(" ", 3)
        wanted = ours[signature][name]
        assert dtype == wanted.dtype.name
        if dtype == "string":
            assert value == str(wanted.numpy().tolist())
        else:
            assert_allclose(np.array(eval(value)), wanted, atol=2e-4)


def test_a_saved_model_holds_stock_operations_alone(exported):
    saved = saved_model_pb2.SavedModel()
    saved.ParseFromString((exported[1] / "saved_model.pb").read_bytes())
    graph = saved.meta_graphs[0].graph_def
    nodes = [*graph.node, *(node for f in graph.library.function for node in f.node_def)]
    assert not [node.op for node in nodes if re.search("Xla|Cudnn|Suite", node.op)]


def test_lengths_may_be_inputs_of_a_signature():
    model = serving(answers="summaries")
    texts = tf.constant(["A dog sleeps.", "A cat", ""])

    def answered(*scalars):
        answer = model.answer_with_lengths(texts, *map(tf.constant, scalars))
        assert answer.keys() == {"summaries", "scores"}
        return answer["summaries"].numpy()

    # As the search would do by itself.
    assert_array_equal(answered(0, 20, 0, 0.6), model.answer(texts)["summaries"])
    for text in answered(1, 1, 0, 0.6)[:2]:
        assert text.decode().strip() in ("Un", "chien", "chat", "dort", ".", "\ufffd")
    assert answered(1, 1, 0, 0.6)[2] == b""
    assert set(model.endpoints()) == {"serving_default", "with_attention", "with_lengths"}


def test_more_is_read_of_a_source_than_is_written():
    model = serving()
    model.search = replace(model.search, max_length=2, source_length=4)
    answer = model.answer_with_attention(tf.constant(["A dog sleeps. A cat sleeps."]))
    assert answer["source_tokens"].shape == (1, 5)
    assert answer["target_tokens"].shape[1] <= 3

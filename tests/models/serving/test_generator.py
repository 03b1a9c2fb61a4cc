"""The serving model of a tiny language model whose weights are random, but sure of themselves."""

import itertools
import time

import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose
from tensorflow.core.protobuf import saved_model_pb2

from data.text.special_tokens import END, START
from data.text.tokenizer import Tokenizer
from data.text.tokenizer_vocabulary import learn_vocabulary
from models.decoding.options import DecodingOptions
from models.language_model.language_model import LanguageModel
from models.serving.export import export
from models.serving.generator import LONGEST_PROMPT, TextGenerator

TOKENIZER = Tokenizer(learn_vocabulary("characters", ["abcdefgh .\n"], 20))
PROMPTS = ["abc", "", "h g f e d c b a", "\u00e9"]


@pytest.fixture(scope="module")
def model():
    tf.random.set_seed(1)
    made = LanguageModel(
        TOKENIZER.vocabulary_size, 4, {"cell": "lstm", "units": 6, "num_layers": 2}
    )
    generator = np.random.default_rng(0)
    made.set_weights([generator.normal(size=w.shape) for w in made.weights])
    return made


@pytest.fixture
def generator(model):
    return lambda **options: TextGenerator(
        TOKENIZER, model, DecodingOptions(**{"max_length": 12, **options}), ends=False
    )


def texts(answer, name="continuations"):
    return [text.decode() for text in answer[name].numpy()]


def by_hand(model, prompt, length):
    """Greedy, one token after the other, with the whole text read anew each time."""
    ids = [START, *TOKENIZER.encode([prompt])[0].numpy()]
    begun = len(ids)
    for _ in range(length):
        logits = model(tf.constant([ids]))[0].numpy()[0, -1]
        logits[:4] = -np.inf
        ids.append(int(logits.argmax()))
    return TOKENIZER.decode(tf.constant([ids[begun:]])).numpy()[0].decode()


def test_prompts_of_different_lengths_go_on_as_each_does_alone(model, generator):
    answer = generator(greedy=True, max_length=4).serve(tf.constant(PROMPTS))
    assert texts(answer) == [by_hand(model, prompt, 4) for prompt in PROMPTS]
    assert texts(answer, "texts") == [p + t for p, t in zip(PROMPTS, texts(answer), strict=True)]


def test_of_a_long_prompt_the_last_tokens_are_read(monkeypatch, model, generator):
    monkeypatch.setattr("models.serving.generator.LONGEST_PROMPT", 6)
    prompts = ["abc", "abcdef", "h g f e d c b a", ""]
    answer = generator(greedy=True, max_length=4).serve(tf.constant(prompts))
    assert texts(answer) == [by_hand(model, prompt[-6:], 4) for prompt in prompts]
    assert texts(answer, "texts") == [p + t for p, t in zip(prompts, texts(answer), strict=True)]
    beam = generator(beam_width=2, max_length=4)
    short = beam.serve(tf.constant([p[-6:] for p in prompts]))
    assert texts(beam.serve(tf.constant(prompts))) == texts(short)


def test_a_prompt_of_a_megabyte_is_answered_at_once(generator):
    made = generator(greedy=True, max_length=2)
    prompt = "abcdefgh. " * 10**5
    begun = time.process_time()
    answer = made.serve(tf.constant([prompt]))
    # Reading all of it would take minutes.
    assert time.process_time() - begun < 30
    assert texts(answer) == texts(made.serve(tf.constant([prompt[-LONGEST_PROMPT:]])))


def test_log_likelihoods_are_those_of_what_follows(generator):
    made = generator(top_k=3)
    answer = made.serve(tf.constant(PROMPTS[:3]))
    whole, begun = (
        made.score(tf.constant(each))["log_likelihoods"]
        for each in (texts(answer, "texts"), PROMPTS[:3])
    )
    assert_allclose(answer["log_likelihoods"], whole - begun, rtol=1e-4)


def test_scores_are_sums_of_log_probabilities(model, generator):
    found = generator().score(tf.constant(["ab", ""]))
    shares = tf.nn.log_softmax(
        model(tf.constant([[START, *TOKENIZER.encode(["ab"])[0].numpy()]]))[0]
    )
    first, second = TOKENIZER.encode(["ab"])[0].numpy()
    expected = shares[0, 0, first] + shares[0, 1, second]
    assert_allclose(found["log_likelihoods"], [expected, 0.0], rtol=1e-5)
    assert found["tokens"].numpy().tolist() == [2, 0]


def test_a_seed_repeats_exactly_and_another_one_does_not(generator):
    made = [generator(seed=seed) for seed in (1, 1, 2)]
    first, again, other = (texts(each.serve(tf.constant(PROMPTS))) for each in made)
    assert first == again != other
    assert made[0].serve(tf.constant([PROMPTS[0]]))["texts"].numpy()[0].decode() == (
        PROMPTS[0] + first[0]
    )


def test_a_stop_string_ends_a_text_and_is_no_part_of_it(generator):
    (whole,) = texts(generator(seed=3, max_length=40).serve(tf.constant(["a"])))
    stop = whole[7:9]
    (cut,) = texts(generator(seed=3, max_length=40, stop=(stop,)).serve(tf.constant(["a"])))
    assert cut == whole[: whole.index(stop)]


def test_a_beam_finds_a_likelier_text_than_the_greedy_choice(generator):
    greedy, beams = (
        generator(max_length=8, **options).serve(tf.constant(PROMPTS[:2]))["log_likelihoods"]
        for options in ({"greedy": True}, {"beam_width": 6})
    )
    assert (beams.numpy() >= greedy.numpy() - 1e-4).all()


def test_no_run_of_tokens_comes_twice(generator):
    options = {"greedy": True, "no_repeat_ngram": 2, "max_length": 30}
    for text in texts(generator(**options).serve(tf.constant(PROMPTS)), "texts"):
        pairs = list(itertools.pairwise(text))
        assert len(set(pairs)) == len(pairs)


@pytest.mark.parametrize("ends", [True, False])
def test_texts_end_only_where_the_model_has_learned_to(model, ends):
    made = TextGenerator(TOKENIZER, model, DecodingOptions(max_length=50), ends)
    lengths = {len(text) for text in texts(made.serve(tf.constant(["a"] * 30)))}
    assert (lengths == {50}) is not ends


def test_the_likeliest_tokens_come_with_their_shares(model, generator):
    ids, shares = generator().next_tokens(tf.constant(["ab"]), 3)
    logits = model(tf.constant([[START, *TOKENIZER.encode(["ab"])[0].numpy()]]))[0].numpy()[0, -1]
    # Neither what no text holds nor, where texts have no end, the end.
    logits[: END + 1] = -np.inf
    expected = tf.nn.softmax(logits).numpy()
    assert ids.numpy()[0].tolist() == np.argsort(-expected)[:3].tolist()
    assert_allclose(shares[0], np.sort(expected)[::-1][:3], rtol=1e-5)


@pytest.fixture(scope="module")
def exported(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported") / "saved"
    options = DecodingOptions(max_length=12, seed=5, top_k=4)
    made = TextGenerator(TOKENIZER, model.for_export(), options, ends=False)
    export(made, folder)
    return made, folder


ANSWER = """
import sys
import tensorflow as tf
loaded = tf.saved_model.load(sys.argv[1])
prompts = tf.constant(["abc", "", "h g f e d c b a"])
print(loaded.signatures["serving_default"](texts=prompts)["texts"].numpy().tolist())
generate = loaded.signatures["generate"]
for temperature, top_k, top_p, seed in [(0.0, 0, 1.0, 0), (1.0, 4, 1.0, 5), (0.7, 0, 0.9, 1)]:
    print(generate(
        prompts=prompts, max_length=tf.constant(9), temperature=tf.constant(temperature),
        top_k=tf.constant(top_k), top_p=tf.constant(top_p), seed=tf.constant(seed),
    )["continuations"].numpy().tolist())
print(loaded.signatures["score"](texts=prompts)["log_likelihoods"].numpy().tolist())
print(sorted(name for name in sys.modules if name.split(".")[0] in ("models", "data", "apps")))
"""


def test_a_saved_model_answers_in_a_fresh_process_of_tensorflow_alone(
    exported, generator, tensorflow_process, tmp_path
):
    made, folder = exported
    process = tensorflow_process(ANSWER, folder, cwd=tmp_path)
    assert process.returncode == 0, process.stderr
    whole, greedy, sampled, other, scores, modules = map(eval, process.stdout.splitlines())
    prompts = tf.constant(PROMPTS[:3])
    assert whole == made.serve(prompts)["texts"].numpy().tolist()
    expected = [
        generator(max_length=9, **options).serve(prompts)["continuations"].numpy().tolist()
        for options in ({"greedy": True}, {"top_k": 4, "seed": 5})
    ]
    assert [greedy, sampled] == expected
    assert other != sampled
    assert_allclose(scores, made.score(prompts)["log_likelihoods"], rtol=1e-5)
    assert modules == []


def test_a_saved_model_holds_stock_operations_alone(exported):
    saved = saved_model_pb2.SavedModel()
    saved.ParseFromString((exported[1] / "saved_model.pb").read_bytes())
    graph = saved.meta_graphs[0].graph_def
    nodes = [*graph.node, *(node for f in graph.library.function for node in f.node_def)]
    names = ("Xla", "Cudnn", "PyFunc")
    assert not [node.op for node in nodes if any(name in node.op for name in names)]

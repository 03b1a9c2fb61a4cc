"""A classifier that begins with a language model or with another classifier."""

import dataclasses
import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal

from apps import hate_speech, ner, sentiment, spam, text_generation, translation
from apps.commands.main import main
from apps.runs.description import RunDescription
from apps.runs.init_from import check_inherited, kind_of, options_from_pretrained
from data.errors import UserError
from data.registry import GLOVE
from data.text.special_tokens import END

LANGUAGE_MODEL = [
    *["train", "--units", "5", "--embedding-dim", "4", "--num-layers", "2", "--tied"],
    *["--tokenizer", "review-tokens", "--vocabulary-size", "50", "--sequence-length", "8"],
    *["--epochs", "1", "--batch-size", "4", "--sample-length", "0"],
]
TEXTS = ["I loved every minute of it", "A dull, lifeless film", "It's fine", "What a mess!"]


@pytest.fixture(scope="module")
def language_model(tmp_path_factory):
    """The run of a tiny language model; read only."""
    folder = tmp_path_factory.mktemp("language_model")
    rows = [f'"{text} number {i}",{i % 2}' for i in range(10) for text in TEXTS]
    (folder / "texts.csv").write_text("\n".join(["text,label", *rows]) + "\n")
    options = ["--dataset", str(folder / "texts.csv"), "--run", str(folder / "run")]
    main(text_generation.APPLICATION, [*LANGUAGE_MODEL, *options])
    return folder / "run"


@pytest.fixture(scope="module")
def classifier(language_model, tmp_path_factory):
    """The run of a classifier that began with it, whose lower layers never learned; read only."""
    run = tmp_path_factory.mktemp("classifier") / "run"
    options = ["--epochs", "1", "--unfreeze", "9", "--run", str(run), "--pooling", "last", "max"]
    options += ["--dataset", str(language_model.parent / "texts.csv"), "--average-weights", "0.5"]
    main(sentiment.APPLICATION, ["train", "--init-from", str(language_model), *options])
    return run


def test_it_has_the_vocabulary_and_the_weights_of_the_language_model(language_model, classifier):
    theirs, ours = (
        keras.saving.load_model(run / "model.keras", compile=False)
        for run in (language_model, classifier)
    )
    tokens = json.loads((language_model / "tokenizer.json").read_text())["tokens"]
    assert (classifier / "vocabulary.txt").read_text().split("\n")[1:-1] == tokens
    vectors = ours.get_layer("embedding").embeddings.numpy()
    assert_array_equal(vectors, np.delete(theirs.embedding.embeddings.numpy(), END, axis=0))
    for our, their in zip(
        ours.get_layer("recurrent").get_weights(), theirs.stack.get_weights(), strict=True
    ):
        assert_array_equal(our, their)


def test_both_read_the_same_ids_but_for_the_end(language_model, classifier):
    from data.text.preprocessor import TextPreprocessor
    from data.text.tokenizer import Tokenizer
    from data.text.tokenizer_vocabulary import TokenizerVocabulary
    from data.text.vocabulary import Vocabularies

    ours = TextPreprocessor(Vocabularies.load(classifier), "review", 20)(tf.constant(TEXTS))[
        "token_ids"
    ]
    theirs = Tokenizer(TokenizerVocabulary.load(language_model)).encode(TEXTS).to_tensor().numpy()
    shifted = np.where(theirs > END, theirs - 1, theirs)
    assert_array_equal(ours[:, 1 : 1 + theirs.shape[1]], shifted)


def test_the_run_knows_what_it_took_over_and_answers(classifier, language_model, command_of):
    config = json.loads((classifier / "config.json").read_text())["config"]
    assert (config["units"], config["num_layers"], config["standardize"]) == (5, 2, "review")
    assert not (config["bidirectional"] or config["characters"])
    assert config["init_from"] == str(language_model)
    answer = command_of(sentiment.APPLICATION, "predict", "--run", classifier, TEXTS[0])
    assert answer.status == 0 and TEXTS[0] in answer.out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--units", "7"], "--units is 7, with --init-from"),
        (["--bidirectional"], "--bidirectional is True"),
        (["--standardize", "tweet"], "--standardize is 'tweet'"),
    ],
)
def test_options_of_another_model_are_refused(language_model, command_of, options, words):
    answer = command_of(hate_speech.APPLICATION, "train", "--init-from", language_model, *options)
    assert answer.status == 2 and answer.err.count("\n") == 1
    assert words in answer.err


def test_a_language_model_goes_on_with_another(language_model, command_of, tmp_path):
    # A rate of nearly nothing: what it begins with is what it ends with.
    options = ["--epochs", "1", "--batch-size", "4", "--sequence-length", "8"]
    options += ["--sample-length", "0", "--learning-rate", "1e-12", "--run", tmp_path / "run"]
    options += ["--dataset", language_model.parent / "texts.csv", "--init-from", language_model]
    answer = command_of(text_generation.APPLICATION, "train", *options)
    assert answer.status == 0, answer.err
    for name in ("tokenizer.json", "config.json"):
        ours, theirs = (
            json.loads((run / name).read_text()) for run in (tmp_path / "run", language_model)
        )
        ours, theirs = (each.get("config", each) for each in (ours, theirs))
        same = ("tokens", "kind", "tokenizer", "tied")
        assert all(ours[n] == theirs[n] for n in theirs if n in same)
    ours, theirs = (
        keras.saving.load_model(run / "model.keras", compile=False).get_weights()
        for run in (tmp_path / "run", language_model)
    )
    for our, their in zip(ours, theirs, strict=True):
        assert_allclose(our, their, atol=1e-6)
    answer = command_of(text_generation.APPLICATION, "train", *options, "--tokenizer", "words")
    assert answer.status == 2 and "--tokenizer is 'words', with --init-from" in answer.err


def test_a_classifier_goes_on_with_another_in_its_classes_or_others(
    classifier, command_of, tmp_path
):
    """With a rate of nearly nothing: what it begins with is what it ends with."""
    rows = [f'"{text} number {i}",{i % 2}' for i in range(10) for text in TEXTS]
    text = "\n".join(["text,label", *rows]) + "\n"
    (tmp_path / "same.csv").write_text(text)
    (tmp_path / "other.csv").write_text(text.replace(",1\n", ",yes\n").replace(",0\n", ",no\n"))
    options = ["--linear", "--learning-rate", "1e-12", "--epochs", "1", "--seed", "5"]
    options += ["--word-dropout", "0.1"]
    former, layers = classifier, ["embedding", "recurrent", "logits"]
    for name in ("same", "other"):
        run = ["--dataset", tmp_path / f"{name}.csv", "--run", tmp_path / name]
        answer = command_of(spam.APPLICATION, "train", *run, "--init-from", former, *options)
        assert answer.status == 0, answer.err
        models = [
            keras.saving.load_model(each / "model.keras", compile=False)
            for each in (former, tmp_path / name)
        ]
        # Of a classifier with a linear model the next one takes the recurrent one alone.
        models = [getattr(each, "recurrent", each) for each in models]
        for layer in layers:
            before, after = (each.get_layer(layer).get_weights() for each in models)
            for our, their in zip(after, before, strict=True):
                assert_allclose(our, their, atol=1e-6)
        former, layers = tmp_path / name, ["embedding", "recurrent"]
    heads = [each.get_layer("logits").get_weights()[0] for each in models]
    assert np.abs(heads[0] - heads[1]).max() > 0.01
    answer = command_of(spam.APPLICATION, "train", "--init-from", former, "--pooling", "mean")
    assert answer.status == 2 and "--pooling is ('mean',), with --init-from" in answer.err


def test_what_is_no_language_model_of_tokens_is_refused(classifier, command_of, tmp_path):
    answer = command_of(text_generation.APPLICATION, "train", "--init-from", classifier)
    assert answer.status == 2 and "'sentiment', not of a language model" in answer.err
    answer = command_of(sentiment.APPLICATION, "train", "--init-from", tmp_path)
    assert answer.status == 2 and "no trained model" in answer.err
    description = {"format": 1, "application": "text_generation", "checksum": ""}
    description |= {"kind": "language model", "config": {"tokenizer": "characters"}}
    (tmp_path / "config.json").write_text(json.dumps(description))
    (tmp_path / "model.keras").write_text("")
    answer = command_of(sentiment.APPLICATION, "train", "--init-from", tmp_path)
    assert answer.status == 2 and "reads characters" in answer.err


# What every run says of its stack.
STACK = {"cell": "lstm", "units": 5, "num_layers": 2, "residual": True}
STACK |= {"layer_normalization": True, "embedding_dim": 4}


def follow(application, own, given=None, former=text_generation.APPLICATION, **options):
    """The options of an application that begins with a run which nobody has trained."""
    own = dataclasses.replace(application.config(), init_from="former", **own)
    description = RunDescription(former.name, {**STACK, **options}, kind=former.config.kind)
    return options_from_pretrained(own, given or {}, description)


def test_a_classifier_follows_a_language_model_in_all_that_was_not_chosen():
    own = {"units": 7, "vectors": GLOVE, "open_vocabulary": 9, "characters": True}
    followed = follow(sentiment.APPLICATION, own, tokenizer="tweet-tokens")
    assert {name: getattr(followed, name) for name in STACK} == STACK
    assert followed.standardize == "tweet"
    assert not followed.bidirectional and not followed.characters
    assert followed.vectors is None and followed.open_vocabulary == 0
    with pytest.raises(UserError, match=r"^--units is 7, with --init-from former it is 5\. Leave"):
        follow(sentiment.APPLICATION, own, {"units": 7}, tokenizer="tweet-tokens")
    # What was chosen may be the same.
    follow(sentiment.APPLICATION, {"units": 5}, {"units": 5}, tokenizer="tweet-tokens")


def test_a_classifier_follows_another_which_has_its_vectors_already():
    options = {"bidirectional": False, "characters": True, "max_word_length": 9}
    options |= {"pooling": ("max",), "standardize": "plain"}
    own = {"vectors": GLOVE, "open_vocabulary": 9}
    followed = follow(spam.APPLICATION, own, former=sentiment.APPLICATION, **options)
    assert {name: getattr(followed, name) for name in options} == options
    assert followed.vectors is None and followed.open_vocabulary == 0


def test_a_tagger_follows_a_language_model_in_nothing():
    own = {"units": 7, "vectors": GLOVE}
    followed = follow(ner.APPLICATION, own, tokenizer="tagger-tokens")
    assert (followed.units, followed.vectors, followed.bidirectional) == (7, GLOVE, True)


@pytest.mark.parametrize(
    ("application", "tokenizer", "readers"),
    [
        (sentiment.APPLICATION, "tagger-tokens", "classifiers"),
        (ner.APPLICATION, "review-tokens", "taggers"),
    ],
)
def test_a_language_model_of_other_tokens_is_refused(application, tokenizer, readers):
    message = f"^the language model in former reads {tokenizer}, not the tokens of {readers}. Train"
    with pytest.raises(UserError, match=message):
        follow(application, {}, tokenizer=tokenizer)


@pytest.mark.parametrize(
    ("config", "kind"),
    [
        (sentiment.APPLICATION.config, "classifier"),
        (ner.APPLICATION.config, "tagger"),
        (text_generation.APPLICATION.config, "language model"),
        (translation.APPLICATION.config, ""),
    ],
)
def test_the_kind_of_a_run_that_does_not_name_it_shows_in_its_options(config, kind):
    assert kind_of(RunDescription("former", dataclasses.asdict(config()))) == kind
    named = RunDescription("new", dataclasses.asdict(config()), kind=config.kind)
    assert kind_of(named) == config.kind


def test_a_run_of_another_kind_is_refused():
    config = dataclasses.replace(text_generation.APPLICATION.config(), init_from="former")
    description = RunDescription("ner", {}, kind="tagger")
    with pytest.raises(UserError, match=r"^former holds a run of 'ner', not of a language model\."):
        check_inherited(config, description)


@pytest.mark.parametrize("tokenizer", ["tweet-tokens", [], {}])
def test_a_run_without_the_options_of_its_kind_is_refused(tokenizer):
    description = RunDescription("text_generation", {"tokenizer": tokenizer}, kind="language model")
    config = dataclasses.replace(sentiment.APPLICATION.config(), init_from="former")
    with pytest.raises(UserError, match=r"^former is damaged: its options are not those of a lang"):
        check_inherited(config, description)


def test_another_run_of_the_same_name_is_no_beginning():
    config = dataclasses.replace(sentiment.APPLICATION.config(), init_from="former", units=7)
    description = RunDescription("spam", dataclasses.asdict(config), kind="classifier")
    config = dataclasses.replace(config, vectors=None, open_vocabulary=0)
    check_inherited(config, description)
    description.config["units"] = 8
    with pytest.raises(UserError, match=r"^former is another run than when the training began"):
        check_inherited(config, description)


def test_a_step_is_as_long_as_the_layer_is_high():
    from models.optimization.adam import Adam
    from models.optimization.layer_rates import LayerRates, weight_depths
    from models.tagging.tagger import Tagger

    model = Tagger(("O", "B-X", "I-X"), 9, 4, {"cell": "gru", "units": 3, "num_layers": 2})
    depths = weight_depths(model)
    assert {path.split("/")[0]: depth for path, depth in depths.items()}["embedding"] == 3
    assert sorted(set(depths.values())) == [0, 1, 2, 3]
    step = Adam(0.1, layer_rates=LayerRates(depths, 0.5, updates=1))
    step.build(model.trainable_weights)
    moved = []
    for _ in range(4):
        before = [weight.numpy() for weight in model.trainable_weights]
        step.apply([np.ones(w.shape, np.float32) for w in model.trainable_weights])
        moved.append(
            {
                depths[w.path]: float(np.abs(w.numpy() - b).max())
                for w, b in zip(model.trainable_weights, before, strict=True)
            }
        )
    assert_allclose([moved[0][d] for d in range(4)], [0.1, 0, 0, 0], atol=1e-5)
    assert_allclose([moved[1][d] for d in range(4)], [0.1, 0.05, 0, 0], atol=1e-5)
    assert_allclose([moved[3][d] for d in range(4)], [0.1, 0.05, 0.025, 0.0125], atol=1e-5)


BOTH_WAYS = [*LANGUAGE_MODEL, "--backward"]


def train_both_ways(language_model, folder, layers, command_of):
    """Returns the run of a language model with a second stack."""
    options = ["--num-layers", layers, "--dataset", language_model.parent / "texts.csv"]
    answer = command_of(text_generation.APPLICATION, *BOTH_WAYS, *options, "--run", folder)
    assert answer.status == 0, answer.err
    return folder


def test_a_classifier_reads_both_ways_with_the_stacks_of_a_language_model(
    language_model, command_of, tmp_path
):
    run = train_both_ways(language_model, tmp_path / "lm", 1, command_of)
    measured = command_of(text_generation.APPLICATION, "evaluate", "--run", run)
    assert "nats per review-token, read backward" in measured.out
    metrics = json.loads((run / "metrics.json").read_text())["validation"]
    assert metrics["backward_nats_per_unit"] > 0
    assert "val_backward_loss" in (run / "history.csv").read_text()
    answer = command_of(text_generation.APPLICATION, "predict", "--run", run, "It is")
    assert answer.status == 0, answer.err
    options = ["--epochs", "1", "--unfreeze", "9", "--run", tmp_path / "classifier"]
    options += ["--dataset", language_model.parent / "texts.csv", "--init-from", run]
    answer = command_of(sentiment.APPLICATION, "train", *options)
    assert answer.status == 0, answer.err
    config = json.loads((tmp_path / "classifier" / "config.json").read_text())["config"]
    assert config["bidirectional"] is True
    ours, theirs = (
        keras.saving.load_model(folder / "model.keras", compile=False)
        for folder in (tmp_path / "classifier", run)
    )
    layer = ours.get_layer("recurrent").layers[0]
    pairs = (layer.forward_layer, theirs.stack), (layer.backward_layer, theirs.backward_stack)
    for our, their in pairs:
        for weight, other in zip(our.get_weights(), their.get_weights(), strict=True):
            assert_array_equal(weight, other)


def test_a_classifier_refuses_several_layers_in_each_direction(
    language_model, command_of, tmp_path
):
    run = train_both_ways(language_model, tmp_path / "lm", 2, command_of)
    answer = command_of(sentiment.APPLICATION, "train", "--init-from", run)
    assert answer.status == 2 and answer.err.count("\n") == 1
    assert "Train one with --num-layers 1" in answer.err


def test_a_second_stack_may_join_a_trained_language_model(language_model, command_of, tmp_path):
    options = ["--epochs", "1", "--batch-size", "4", "--sample-length", "0", "--backward"]
    options += ["--dataset", language_model.parent / "texts.csv", "--init-from", language_model]
    options += ["--learning-rate", "1e-12", "--run", tmp_path / "run"]
    answer = command_of(text_generation.APPLICATION, "train", *options)
    assert answer.status == 0, answer.err
    assert "all layers but those that read backward" in answer.out
    ours, theirs = (
        keras.saving.load_model(run / "model.keras", compile=False)
        for run in (tmp_path / "run", language_model)
    )
    assert theirs.backward_stack is None
    for our, their in zip(ours.without_backward().weights, theirs.weights, strict=True):
        assert_allclose(our, their, atol=1e-6)

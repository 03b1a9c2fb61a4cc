import math

import pytest

from apps.tasks.generation.perplexity import Perplexity, measure
from apps.tasks.generation.report import PerplexityReport
from data.examples.documents import Documents
from data.text.tokenizer import Tokenizer
from data.text.tokenizer_vocabulary import learn_vocabulary
from models.language_model.language_model import LanguageModel


def report_of(text, kind="words"):
    """The figures of an untrained model that knows the tokens of "to be or not to be"."""
    tokenizer = Tokenizer(learn_vocabulary(kind, ["to be or not to be"], 30))
    model = LanguageModel(tokenizer.vocabulary_size, 3, {"cell": "gru", "units": 3})
    return Perplexity(model, tokenizer, Documents([text], whole=True), ends=True).report()


def test_figures_by_character_count_the_characters_of_all_tokens():
    report = report_of("to be or")
    # Three words and the end.
    assert report["units"] == 4 and report["characters"] == 8
    nats = report["nats_per_unit"] * 4
    assert report["nats_per_character"] == pytest.approx(nats / 8)
    assert report["bits_per_character"] == pytest.approx(nats / 8 / math.log(2))
    assert "bits per character" in PerplexityReport(report, "words").table()


@pytest.mark.parametrize("kind", ["words", "characters"])
def test_invisible_characters_do_not_count(kind):
    hidden, plain = report_of("to\u00ad be or\ufeff", kind), report_of("to be or", kind)
    assert (hidden["characters"], hidden["units"]) == (plain["characters"], plain["units"])


def test_there_is_no_figure_by_character_where_a_token_is_unknown():
    # Its eight letters would cost no more than one token does.
    report = report_of("to be question")
    assert report["unknown_share"] == 1 / 4
    assert report["nats_per_character"] is report["bits_per_character"] is None
    assert report["perplexity"] > 1
    shown = PerplexityReport(report, "words").table()
    assert "bits per character" not in shown and "25.00% of them unknown" in shown


def test_the_bits_of_texts_are_those_of_each_alone_and_the_worst_comes_first():
    known, short = " ".join(["to be or not to be"] * 8), "to be"
    texts = [known, known.replace("not", "toe"), short]
    tokenizer = Tokenizer(learn_vocabulary("words", ["to be or not to be"], 30))
    model = LanguageModel(tokenizer.vocabulary_size, 3, {"cell": "gru", "units": 3})

    def measure(parts):
        split = Perplexity(model, tokenizer, Documents(parts, whole=True), ends=True)
        nats = split.nats()
        return split.report(nats), split.worst_texts(nats, 5)

    report, worst = measure(texts)
    alone = {text: measure([text])[0]["bits_per_unit"] for text in texts}
    assert measure([known])[1] == []
    # The short text is left out: it has two words and an end.
    assert [text for _, _, text in worst] == sorted(texts[:2], key=lambda text: -alone[text])
    for bits, tokens, text in worst:
        assert bits == pytest.approx(alone[text], rel=1e-5) and tokens == 49
    bits = sum(alone[text] * tokens for text, tokens in zip(texts, (49, 49, 3), strict=True))
    assert report["bits_per_unit"] == pytest.approx(bits / 101, rel=1e-5)


def test_a_second_stack_is_measured_on_the_texts_from_their_ends():
    tokenizer = Tokenizer(learn_vocabulary("characters", ["to be or not to be"], 30))
    sizes = {"embedding_dim": 3, "recurrent": {"cell": "gru", "units": 3}}
    model = LanguageModel(tokenizer.vocabulary_size, **sizes, backward=True)
    text, reverse = (Documents([each], whole=True) for each in ("to be or not", "ton ro eb ot"))
    both = [Perplexity(model, tokenizer, text, True, backward) for backward in (False, True)]
    # The stack alone, as if it were the first.
    model_of_stack = LanguageModel(tokenizer.vocabulary_size, **sizes)
    for name in ("front_end", "output_layer"):
        getattr(model_of_stack, name).set_weights(getattr(model, name).get_weights())
    model_of_stack.stack.set_weights(model.backward_stack.get_weights())
    expected = Perplexity(model_of_stack, tokenizer, reverse, True).nats_per_token()
    found = measure(both)
    assert found["backward_loss"] == pytest.approx(expected, rel=1e-5)
    assert found["loss"] == pytest.approx((both[0].nats_per_token() + expected) / 2, rel=1e-5)
    assert found["log_likelihood"] == -found["loss"]
    assert set(measure(both[:1])) == {"loss", "log_likelihood"}

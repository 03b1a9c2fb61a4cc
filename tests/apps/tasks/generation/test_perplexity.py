import math

import pytest

from apps.tasks.generation.perplexity import Perplexity
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

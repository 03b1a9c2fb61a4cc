"""Model cards, made of recorded runs without TensorFlow."""

import json
import zipfile
from pathlib import Path

import pytest

from apps.reports.metrics import list_metrics
from apps.reports.model_card import format_card, write_model_card
from apps.reports.sources import SOURCES
from apps.runs.contents import CARD, CARD_MARK, RUN, find_foreign
from apps.runs.description import RunDescription
from apps.runs.folder import RunFolder
from apps.runs.provenance import Provenance
from data.datasets import (
    CAPTION_CORPORA,
    DIALOGUE_CORPORA,
    DOCUMENT_CORPORA,
    LABELLED_CORPORA,
    PARALLEL_CORPORA,
    TAGGED_CORPORA,
)

RUNS = Path(__file__).parents[2] / "runs"


@pytest.fixture
def unpack(tmp_path):
    def unpack_run(name):
        with zipfile.ZipFile(RUNS / f"{name}.zip") as archive:
            archive.extractall(tmp_path / name)
        return tmp_path / name

    return unpack_run


def header_of(text):
    lines = text.split("---\n")[1].splitlines()
    return {key: json.loads(value) for key, value in (line.split(": ", 1) for line in lines)}


def test_every_named_corpus_has_a_source():
    corpora = {
        *LABELLED_CORPORA,
        *TAGGED_CORPORA,
        *PARALLEL_CORPORA,
        *DOCUMENT_CORPORA,
        *CAPTION_CORPORA,
        *DIALOGUE_CORPORA,
    }
    assert corpora | {"sample"} == SOURCES.keys()


@pytest.mark.parametrize(
    ("name", "task", "metric"),
    [
        ("hate_speech", "text-classification", "macro_f1"),
        ("ner", "token-classification", "f1"),
        ("translation", "translation", "bleu"),
        ("words", "text-generation", "perplexity"),
    ],
)
def test_a_card_has_the_header_of_the_hub(unpack, name, task, metric):
    run = unpack(name)
    header = header_of(write_model_card(run).read_text())
    assert (header["library_name"], header["pipeline_tag"]) == ("keras", task)
    (result,) = header["model-index"][0]["results"]
    stored = RunFolder(run).read_metrics("validation")
    values = {each["type"]: each["value"] for each in result["metrics"]}
    assert values[metric] == pytest.approx(stored[metric], abs=1e-6)
    assert result["dataset"]["split"] == "validation"


def test_a_card_has_data_metrics_limits_use_and_command(unpack):
    run = unpack("hate_speech")
    text = write_model_card(run, "posts").read_text()
    metrics, description = RunFolder(run).read_metrics("validation"), RunFolder(run).describe()
    low, high = metrics["intervals"]["macro_f1"]
    assert f"| macro F1 | {metrics['macro_f1']:.4g} | {low:.3f} - {high:.3f} |" in text
    assert description.provenance.command in text
    assert description.provenance.checksum in text
    assert "a file whose licence the suite does not know" in text
    assert "fewer than 50 examples" in text and "hate\\_speech (3)" in text
    assert "Not measured. Classifiers are measured by `evaluate --bias`." in text
    assert 'apps.load("runs/posts")' in text
    assert "| `--units` | 4 |" in text


def card(**changes):
    values = {"application": "spam", "config": {"cell": "gru"}, "kind": "classifier", **changes}
    return format_card(RunDescription(**values), {}, "x")


def test_the_licence_of_a_named_corpus_is_that_of_its_source():
    text = card(provenance=Provenance(dataset="sms_spam"))
    assert "licence: cc-by-4.0" in text and header_of(text)["datasets"] == ["sms_spam"]
    assert "the source states no licence" in card(provenance=Provenance(dataset="imdb"))


def test_names_that_hold_markup_stay_text():
    evil = "a|b`c\n# <script>"
    text = card(
        provenance=Provenance(dataset=evil, command=f"x\n```\n{evil}"),
        details={"class_names": [evil]},
    )
    assert "<script>" not in text.replace("`a|b'c # <script>`", "").replace(
        "x ''' a|b'c # <script>", ""
    )
    assert "\n# <script>" not in text and text.count("```") == 6


def test_the_bias_report_stands_in_the_card():
    group = {"texts": 40, "subgroup_auc": 0.75, "flip_rate": None}
    metrics = {"test": {"accuracy": 0.5, "bias": {"class": "hate", "groups": {"women": group}}}}
    description = RunDescription("spam", {}, kind="classifier")
    assert "| women | 40 | 0.750 | - |" in format_card(description, metrics, "x")


def test_a_card_of_ones_own_is_left_alone(unpack):
    run = unpack("ner")
    written = write_model_card(run)
    assert written == run / CARD and CARD_MARK in written.read_text()
    assert find_foreign(run, RUN) == []
    assert write_model_card(run) == written
    written.write_text("My own words.")
    assert write_model_card(run) is None
    assert written.read_text() == "My own words."
    # And a training does not replace a folder that holds it.
    assert find_foreign(run, RUN) == [CARD]


def test_a_card_does_not_change_the_checksums(unpack):
    run = unpack("ner")
    before = (run / "config.json").read_bytes()
    write_model_card(run)
    assert (run / "config.json").read_bytes() == before
    assert RunFolder(run).describe().application == "ner"


def test_metrics_come_with_intervals_and_whatever_is_none_is_passed_over():
    metrics = {
        "accuracy": 0.5,
        "macro_f1": None,
        "bleu": True,
        "per_class": {"ham": {"f1": 0.25}, "spam": {}},
        "intervals": {"accuracy": [0.4, 0.6], "f1 ham": [0.1]},
    }
    accuracy, ham = list_metrics(metrics)
    assert accuracy == ("accuracy", "accuracy", 0.5, (0.4, 0.6))
    assert ham == ("f1 ham", "F1 ham", 0.25, None)
    assert str(accuracy) == "0.5 (0.4 - 0.6)" and str(ham) == "0.25"

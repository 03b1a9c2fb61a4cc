"""The bias report: toy classifiers that are and are not biased, the command, the picture."""

import json

import numpy as np
import pytest

from apps.plots.bias import bias_picture
from apps.runs.folder import RunFolder
from apps.tasks.classification import bias
from data.examples.labelled import LabelledTexts
from data.identity_terms.files import read_identity_terms
from data.registry import SAMPLES

pytestmark = pytest.mark.drawn

TERMS = """\
kind,group,form,term
religion,muslim,noun_plural,Muslims
religion,christian,noun_plural,Christians
religion,jewish,noun_plural,Jews
gender,male,noun_plural,men
"""
INVENTED = SAMPLES / "identity_terms.csv"


class Toy:
    """Scores vile texts higher than others, and those higher that hold one of `words`."""

    class_names = ("hate", "other")

    def __init__(self, *words):
        self.words, self.calls = words, []

    def scores(self, texts):
        self.calls.append(texts)
        hate = [
            0.3 + 0.25 * ("vile" in text) + 0.4 * any(word in text for word in self.words)
            for text in texts
        ]
        return np.array([[score, 1 - score] for score in hate], "float32")

    def decide(self, scores):
        return scores > 0.5


@pytest.fixture
def asked(tmp_path):
    (tmp_path / "terms.csv").write_text(TERMS)
    return bias.BiasRequest("hate", read_identity_terms(tmp_path / "terms.csv"))


@pytest.fixture
def examples():
    """Ten hateful texts and ten others of each group but one, and of none; two of that one."""
    rows = [
        (f"{what} {who} {i}", label)
        for who in ("Muslims", "Christians", "people")
        for what, label in (("vile", 0), ("nice", 1))
        for i in range(10)
    ]
    rows += [("vile men", 0), ("nice men", 1)]
    texts, labels = zip(*rows, strict=True)
    return LabelledTexts.from_labels(list(texts), labels, ("hate", "other"))


def test_a_classifier_that_minds_a_term_is_found_out(asked, examples):
    report = bias.bias_report(Toy("Muslims"), examples, asked)
    muslim, christian = report["groups"]["muslim"], report["groups"]["christian"]
    # Harmless texts of the group score 0.7, hateful ones of the background 0.55.
    assert muslim["bpsn_auc"] == 0.0 and christian["bpsn_auc"] == 1.0
    assert muslim["subgroup_auc"] == muslim["bnsp_auc"] == 1.0
    # Of the 21 harmless texts that name no Christians, 11 score below those that hate them.
    assert christian["bnsp_auc"] == pytest.approx(11 / 21)
    assert report["generalised_means"] == pytest.approx(
        {
            "subgroup_auc": 1.0,
            "bpsn_auc": 0.0,
            "bnsp_auc": ((1 + (11 / 21) ** -5) / 2) ** -0.2,
        }
    )
    # Hateful texts stay so, of the others the answer changes with each of the two other terms.
    assert (muslim["swapped_texts"], muslim["swaps"]) == (20, 40)
    assert muslim["flip_rate"] == 0.5
    assert muslim["score_gap"] == pytest.approx(0.4) == muslim["score_rise"]
    # Of the terms in a Christian's place one raises the score and one does not.
    assert christian["flip_rate"] == 0.25
    assert christian["score_gap"] == pytest.approx(0.2) == -christian["score_rise"]


def test_a_classifier_that_minds_no_term_is_not(asked, examples):
    report = bias.bias_report(Toy(), examples, asked)
    for name in ("muslim", "christian"):
        group = report["groups"][name]
        assert [group[auc] for auc in ("subgroup_auc", "bpsn_auc", "bnsp_auc")] == [1.0] * 3
        assert group["flip_rate"] == group["score_gap"] == group["score_rise"] == 0.0


def test_groups_of_few_texts_and_of_none_are_told_apart(asked, examples):
    report = bias.bias_report(Toy(), examples, asked)
    assert report["groups"]["male"]["subgroup_auc"] is None
    # Nothing can stand in its place.
    assert report["groups"]["male"]["swaps"] == 0
    assert report["absent"] == ["jewish"]
    assert (report["rows"], report["texts"], report["positive"]) == (62, 42, 31)
    assert report["checksum"] == asked.terms.checksum
    assert "named by no text: jewish" in bias.describe(report)


@pytest.mark.parametrize("limit", [{"_SWAPS": 7}, {"_CHARACTERS": 100}])
def test_swaps_are_answered_a_window_at_a_time_with_the_same_figures(
    asked, examples, monkeypatch, limit
):
    whole = bias.bias_report(Toy("Muslims"), examples, asked)
    for name, value in limit.items():
        monkeypatch.setattr(bias, name, value)
    toy = Toy("Muslims")
    report = bias.bias_report(toy, examples, asked)
    assert max(map(len, toy.calls[1:])) <= 8 and sum(map(len, toy.calls[1:])) == 80
    for name, group in report["groups"].items():
        for figure in ("swaps", "flip_rate", "score_gap", "score_rise"):
            assert group[figure] == pytest.approx(whole["groups"][name][figure])


def test_any_class_that_comes_or_goes_is_a_change_of_several_labels(asked):
    class Several(Toy):
        class_names = ("hate", "rude", "kind")

        def scores(self, texts):
            """Of the terms only the score of `kind` depends."""
            kind = [0.9 if "Muslims" in text else 0.1 for text in texts]
            return np.array([[0.2, 0.9, score] for score in kind], "float32")

    targets = np.tile([[0, 1, 0], [1, 1, 1]], (10, 1)).astype("float32")
    examples = LabelledTexts(["nice Muslims"] * 20, targets, Several.class_names)
    group = bias.bias_report(Several(), examples, asked)["groups"]["muslim"]
    assert group["flip_rate"] == 1.0 and group["score_gap"] == 0.0
    assert (group["subgroup_auc"], group["bpsn_auc"]) == (0.5, None)


# --- the command -------------------------------------------------------------


def metrics(run):
    return json.loads((run / "metrics.json").read_text())


def test_the_command_reports_on_a_run(tiny_run, command):
    options = ["--split", "all", "--bias", "--identity-terms", INVENTED]
    answer = command("evaluate", "--run", tiny_run, *options)
    assert (answer.status, answer.err) == (0, "")
    assert "bias of the score of hate_speech" in answer.out
    report = metrics(tiny_run)["all"]["bias"]
    assert (report["class"], report["identity_terms"]) == ("hate_speech", "identity_terms.csv")
    ostran = report["groups"]["ostran"]
    assert ostran["kind"] == "people" and ostran["texts"] >= ostran["positive"] > 0
    assert ostran["swaps"] > ostran["swapped_texts"] > 10 and 0 <= ostran["flip_rate"] <= 1
    assert all(name in answer.out for name in report["groups"])
    assert (tiny_run / "bias_all.png").is_file()
    RunFolder(tiny_run).check_replaceable()


def test_the_terms_that_ship_and_another_class_are_taken(tiny_run, command):
    options = ["--bias", "--bias-class", "neither"]
    answer = command("evaluate", "--run", tiny_run, *options)
    assert (answer.status, answer.err) == (0, "")
    report = metrics(tiny_run)["test"]["bias"]
    assert report["class"] == "neither" and "muslim" in report["absent"]
    assert (tiny_run / "bias_test.png").is_file()


def test_without_the_option_there_is_no_report(tiny_run, command):
    assert command("evaluate", "--run", tiny_run).status == 0
    assert "bias" not in metrics(tiny_run)["test"]
    assert not (tiny_run / "bias_test.png").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--bias-class", "neither"], ["Add it"]),
        (["--identity-terms", "x.csv"], ["Add it"]),
        (["--bias", "--bias-class", "hate"], ["no class 'hate'", "hate_speech, neither"]),
        (["--bias", "--identity-terms", "none.csv"], ["cannot read none.csv"]),
    ],
)
def test_mistakes_are_one_line(trained_once, command, options, words):
    answer = command("evaluate", "--run", trained_once[0], *options)
    assert answer.status == 2 and answer.out == ""
    assert answer.err.startswith("error: ") and answer.err.count("\n") == 1
    assert all(word in answer.err for word in words), answer.err


HELP = """
import sys
from apps.hate_speech import APPLICATION
from apps.commands.main import main
try:
    main(APPLICATION, sys.argv[1:])
finally:
    slow = {"tensorflow", "keras", "pandas", "sklearn", "matplotlib"}
    assert not slow & sys.modules.keys()
"""


def test_help_and_a_broken_file_of_terms_do_not_wait_for_tensorflow(
    trained_once, python_process, tmp_path
):
    done = python_process(HELP, "evaluate", "--help")
    assert (done.returncode, done.stderr) == (0, "") and "--identity-terms" in done.stdout
    (tmp_path / "t.csv").write_text("kind,group,form,term\na,b,c,\n")
    options = ["--run", trained_once[0], "--bias", "--identity-terms", tmp_path / "t.csv"]
    done = python_process(HELP, "evaluate", *options)
    assert done.returncode == 2 and "row 1" in done.stderr and "Traceback" not in done.stderr


# --- the picture -------------------------------------------------------------


def png_size(path):
    """Width and height, read from the header."""
    head = path.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("words", [(), ("Muslims",)])
def test_a_report_is_drawn(asked, examples, tmp_path, words):
    bias_picture(bias.bias_report(Toy(*words), examples, asked), tmp_path / "b.png")
    width, height = png_size(tmp_path / "b.png")
    assert width > height > 250


@pytest.mark.filterwarnings("error")
def test_a_report_without_a_group_and_names_with_dollars_are_drawn(asked, tmp_path):
    texts = LabelledTexts.from_labels(["nobody"], [0], ("hate", "other"))
    report = bias.bias_report(Toy(), texts, asked)
    assert report["groups"] == {} and len(report["absent"]) == 4
    bias_picture(report, tmp_path / "none.png")
    terms = TERMS.replace("christian", "$\\a$").replace("religion", "侮$")
    (tmp_path / "odd.csv").write_text(terms, encoding="utf-8")
    odd = bias.BiasRequest("hate", read_identity_terms(tmp_path / "odd.csv"))
    texts = LabelledTexts.from_labels(["Christians and men"], [0], ("hate", "other"))
    bias_picture(bias.bias_report(Toy(), texts, odd), tmp_path / "odd.png")
    assert png_size(tmp_path / "none.png") and png_size(tmp_path / "odd.png")

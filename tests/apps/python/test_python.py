"""`import apps`: what it gives in Python, on small runs that are recorded in `tests/runs`."""

import doctest
import importlib
import shutil
from pathlib import Path

import pandas as pd
import pytest

import apps
from apps.commands import train as train_command
from data.messages import LOGGER

RUNS = Path(__file__).parents[2] / "runs"
# The folders of the examples, and the recorded runs in them.
NAMED = {
    "reviews": "sentiment_ensemble",
    "names": "ner",
    "posts": "hate_speech",
    "words": "words",
    "topics": "conditioned",
    "french": "translation",
}


@pytest.fixture(scope="module", autouse=True)
def shared(loads_once, attributes_once):
    """What several examples and tests load has its graphs once."""
    with loads_once(), attributes_once():
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with runs, and with a table."""
    folder = tmp_path_factory.mktemp("python")
    for name, recorded in NAMED.items():
        shutil.unpack_archive(RUNS / f"{recorded}.zip", folder / "runs" / name)
    shutil.copy(RUNS / "data" / "hate_speech.csv", folder / "more.csv")
    return folder


@pytest.fixture(scope="module")
def load(folder):
    """Loads one of the runs, once."""
    loaded = {}

    def load(name):
        return loaded.setdefault(name, apps.load(folder / "runs" / name))

    return load


@pytest.fixture(autouse=True)
def shown_messages(monkeypatch):
    """Nothing is shown, unlike elsewhere: this is a library here."""
    monkeypatch.setattr(LOGGER, "propagate", False)


@pytest.fixture(autouse=True)
def is_quiet(capfd):
    """Whatever a test calls prints nothing."""
    yield
    assert capfd.readouterr() == ("", "")


EXAMPLES = [
    "apps",
    "apps.catalog",
    "apps.python.loading",
    "apps.python.model",
    "apps.python.training",
]


def examples():
    finder = doctest.DocTestFinder()
    found = [test for name in EXAMPLES for test in finder.find(importlib.import_module(name), name)]
    return [test for test in found if test.examples]


@pytest.mark.parametrize("example", examples(), ids=lambda test: test.name)
def test_an_example_of_the_documentation_runs(example, folder, monkeypatch):
    monkeypatch.chdir(folder)
    example.globs = {"apps": apps, "pd": pd}
    failures = []
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    runner.run(example, out=failures.append)
    assert runner.failures == 0, "".join(failures)


def test_every_public_function_has_an_example():
    documented = {test.name.rpartition(".")[2] for test in examples()}
    public = {"load", "train", "applications", "Model"}
    methods = {"predict", "predict_frame", "answerer", "explain", "evaluate", "export"}
    assert public | methods <= documented
    assert public <= set(apps.__all__) <= set(dir(apps))
    assert {name for name in vars(apps.Model) if name.islower() and name[0] != "_"} == (
        methods | {"application", "description", "class_names", "engine", "onnx", "task"}
    )


def test_one_text_has_one_answer_and_a_list_has_a_list(load):
    model = load("reviews")
    alone = model.predict("I loved it")
    assert [each.label for each in model.predict(["I loved it"])] == [alone.label]
    assert alone.labels == ("positive",) and alone.score == alone.scores["positive"]
    assert sum(alone.scores.values()) == pytest.approx(1.0)
    assert model.predict([]) == []
    series = pd.Series(["I loved it", "no"])
    assert [each.text for each in model.predict(series)] == ["I loved it", "no"]


def test_many_texts_are_answered_as_one_is(load):
    texts = [f"{'very ' * (number % 7)}dull {number}" for number in range(300)]
    many, model = load("posts").predict(texts), load("posts")
    assert [each.text for each in many] == texts
    for number in (0, 123, 299):
        scores = model.predict(texts[number]).scores
        assert many[number].scores == pytest.approx(scores, abs=1e-6)


def test_an_empty_text_says_so_in_its_place(load):
    texts = ["I loved it", " ", None, "no"]
    found = load("reviews").predict(texts)
    assert [each.problem for each in found] == ["", "an empty text", "not text but None", ""]
    assert (found[1].label, found[1].score, found[1].scores) == (None, None, {})
    assert str(found[1]) == " \n    an empty text"
    assert load("names").predict("").entities == ()
    assert load("french").predict("").problem == "an empty text"


def test_a_class_that_its_threshold_chose_is_marked(load):
    answer = load("posts").predict("you absolute clown")
    assert answer.score < max(answer.scores.values())
    assert str(answer).splitlines()[1].startswith("    → offensive_language 18.4 % (by its thresh")


def test_entities_have_their_places(load):
    text = "John Smith works in London ."
    answer = load("names").predict(text)
    assert [str(each) for each in answer.entities] == ["John Smith (PER 35 %)", "London (LOC 52 %)"]
    assert all(text[each.start : each.end] == each.text for each in answer.entities)


def test_options_are_those_of_the_command_and_of_one_call_alone(load):
    model = load("french")
    plain = model.predict("the cat sleeps")
    assert (plain.others, plain.alignment) == ((), None)
    several = model.predict("the cat sleeps", n_best=3, beam_width=3)
    assert len(several.others) == 2 and len(str(several).splitlines()) == 3
    aligned = model.predict("the cat sleeps", alignment=True)
    assert aligned.alignment.pairs() == [("heheouiououb", "sleeps")]
    assert model.predict("the cat sleeps") == plain


def test_a_language_model_continues_a_text_and_begins_with_an_empty_one(load):
    model = load("words")
    answer = model.predict("the", greedy=True, max_length=4)
    assert str(answer) == "the" + answer.continuation
    assert model.predict("", greedy=True, max_length=4).problem == ""


@pytest.mark.parametrize(
    ("name", "call", "message"),
    [
        ("reviews", lambda model: model.predict("x", beam_width=3), "unknown option 'beam_width'"),
        ("french", lambda model: model.predict("x", beam_with=3), r"\. Did you mean beam_width\?$"),
        ("french", lambda model: model.predict("x", beam_width=0), "beam-width must be at least 1"),
        ("names", lambda model: model.explain("x"), "ner has no explanations"),
        ("posts", lambda model: model.explain(["x", ""]), "text 2: an empty text"),
        ("reviews", lambda model: model.explain("x"), "the mean of 2"),
        ("reviews", lambda model: model.evaluate("no.csv"), "no data set 'no.csv'"),
        ("reviews", lambda model: model.evaluate(spli="all"), r"Did you mean split\?"),
        ("reviews", lambda model: model.export("runs/posts"), "is no SavedModel"),
        ("topics", lambda model: model.predict("x"), "--condition takes one of aaaa, bbbb"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_mistake_is_one_class_of_exceptions(load, folder, monkeypatch, name, call, message):
    monkeypatch.chdir(folder)
    with pytest.raises(apps.Error, match=message):
        call(load(name))


def test_a_frame_keeps_its_index_and_what_has_no_answer_its_place(load):
    frame = pd.DataFrame({"body": ["I loved it", None, "no"], "id": [3, 4, 5]}, index=[7, 8, 9])
    before = frame.copy()
    found = load("reviews").predict_frame(frame, "body")
    assert found.index.tolist() == [7, 8, 9]
    names = ["body", "id", "predicted_label", "predicted_score", "score_negative", "score_positive"]
    assert found.columns.tolist() == names
    assert found["predicted_label"].isna().tolist() == [False, True, False]
    pd.testing.assert_frame_equal(frame, before)
    assert load("reviews").predict_frame(frame[:0], "body").columns.tolist() == names
    with pytest.raises(apps.Error, match=r"It has: body, id\. Did you mean body\?"):
        load("reviews").predict_frame(frame, "Body")
    with pytest.raises(apps.Error, match="has a column 'predicted_label' already"):
        load("reviews").predict_frame(found, "body")


def test_an_evaluation_is_that_of_the_command_and_writes_nothing(load, folder):

    run = folder / "runs" / "posts"
    before = (run / "metrics.json").read_bytes()
    found = load("posts").evaluate(folder / "more.csv", split="validation", baseline=True)
    assert (run / "metrics.json").read_bytes() == before
    assert (found.dataset, found.split, found.metrics["rows"]) == ("more.csv", "validation", 6)
    assert {"tf-idf", "tf-idf, balanced classes"} < set(found.baselines)


def test_an_export_answers_as_its_run_does(load, folder):
    texts = ["you absolute clown", "a fine day"]
    version = load("posts").export(folder / "served")
    for place in (version, folder / "served"):
        exported = apps.load(place)
        assert exported.application == "hate_speech"
        for ours, theirs in zip(exported.predict(texts), load("posts").predict(texts), strict=True):
            assert ours.label == theirs.label
            assert ours.scores == pytest.approx(theirs.scores, abs=1e-6)
    assert exported.explain(texts[0]).words == ["you", "absolute", "clown"]


def test_an_export_keeps_the_options_that_it_was_written_with(load, folder):
    load("words").export(folder / "greedy", greedy=True, max_length=3)
    expected = load("words").predict("the", greedy=True, max_length=3)
    assert apps.load(folder / "greedy").predict("the").continuation == expected.continuation


def test_a_member_of_several_seeds_is_a_model_too(folder):
    assert apps.load(folder / "runs" / "reviews" / "seeds" / "0").predict("no").label


@pytest.mark.parametrize("name", ["none", "runs", "more.csv"])
def test_what_holds_no_model_is_refused(folder, name):
    with pytest.raises(apps.Error, match=f"no trained model in {folder / name}"):
        apps.load(folder / name)


@pytest.mark.parametrize(
    ("application", "options", "message"),
    [
        ("spm", {}, r"unknown application 'spm'.* Did you mean spam\?"),
        ("spam", {"epoch": 3}, r"unknown option 'epoch'.* Did you mean epochs\?"),
        ("spam", {"cell": "lstmm"}, r"unknown --cell 'lstmm'.* Did you mean lstm\?"),
        ("spam", {"dataset": "no.csv"}, "no data set 'no.csv'"),
        ("hate_speech", {"dataset": "more.csv", "text_column": "txt"}, r"Did you mean text\?"),
        ("hate_speech", {"dataset": "more.csv", "run": "runs/posts"}, "Replace it with --overwr"),
    ],
)
def test_a_training_refuses_mistakes(folder, monkeypatch, application, options, message):
    monkeypatch.chdir(folder)
    with pytest.raises(apps.Error, match=message):
        apps.train(application, **options)


def test_keywords_are_what_the_command_line_would_give(monkeypatch):
    asked = {}
    monkeypatch.setattr(train_command, "run", lambda record, request: asked.update(request))
    monkeypatch.setattr("apps.python.training.load", lambda run: run)
    run = apps.train("spam", Path("runs/x"), dataset=Path("a.csv"), track="mlflow", overwrite=True)
    assert run == Path("runs/x")
    assert asked == {
        "dataset": "a.csv",
        "track": "mlflow",
        "resume": False,
        "restart": False,
        "overwrite": True,
        "find_lr": False,
        "run": "runs/x",
        "command": "apps.train('spam', dataset='a.csv', track='mlflow', run='runs/x')",
    }


def test_errors_of_the_system_are_of_the_same_class(load, monkeypatch):
    def fails(texts):
        raise OSError(28, "No space left on device")

    answerer = load("reviews")._answerer_for({})
    monkeypatch.setattr(type(answerer), "answer", lambda self, texts: fails(texts))
    with pytest.raises(apps.Error, match="No space left on device"):
        load("reviews").predict("x")


def test_nothing_slow_is_imported_before_it_is_needed(python_process):
    code = """
import sys
import apps
assert apps.applications()["spam"] and apps.__version__ and issubclass(apps.Error, Exception)
try:
    apps.load("none")
except apps.Error:
    pass
slow = {"tensorflow", "keras", "pandas", "sklearn", "matplotlib"} & sys.modules.keys()
assert not slow, slow
"""
    done = python_process(code)
    assert (done.returncode, done.stderr) == (0, "")


def test_an_unknown_name_of_the_package_is_python_s_own_error():
    with pytest.raises(AttributeError, match="has no attribute 'trian'"):
        apps.trian  # noqa: B018

"""The folder of a search: trials that processes share, and those that processes leave."""

import csv
import json

import pytest

from apps.config.options import from_file
from apps.config.space import Range
from apps.hate_speech import APPLICATION
from apps.search.results import best_of, describe_results, describe_trial, write_results
from apps.search.space import to_distributions, to_json
from apps.search.study import Plan, Study, count_used
from data.errors import UserError

optuna = pytest.importorskip("optuna")

CONFIG = APPLICATION.config()
SPACE = {"units": Range(8, 64, step=8), "cell": ("gru", "lstm")}
DISTRIBUTIONS = to_distributions(SPACE, CONFIG)


@pytest.fixture
def study(tmp_path):
    made = Study(tmp_path / "study")
    plan = Plan("hate_speech", {"epochs": 2}, to_json(SPACE), "macro_f1", 3, 2, 0, "a command")
    made.write_plan(plan)
    return made


def end(journal, trial, *figures, state=None):
    for step, figure in enumerate(figures, 1):
        trial.report(figure, step)
    trial.set_user_attr("epochs", len(figures))
    journal.tell(trial, None if state else max(figures), state=state)


def test_processes_begin_as_many_trials_as_there_shall_be(study):
    one, other = study.journal(), study.journal()
    trials = [study.ask(journal, DISTRIBUTIONS, 1) for journal in (one, other, one, other)]
    assert [trial.number for trial in trials[:3]] == [0, 1, 2] and trials[3] is None
    assert len({json.dumps(trial.params) for trial in trials[:3]}) > 1


def test_options_of_a_process_that_ended_are_tried_again(study):
    journal = study.journal()
    lost, kept = (study.ask(journal, DISTRIBUTIONS, process) for process in (1, 2))
    assert kept is not None
    study.give_up(journal, 1)
    again = study.ask(journal, DISTRIBUTIONS, 2)
    assert again.params == lost.params and again.number == 2
    states = [trial.state.name for trial in journal.get_trials(deepcopy=False)]
    assert states == ["FAIL", "RUNNING", "RUNNING"]
    # With nobody at work all that runs is given up.
    study.give_up(journal)
    assert count_used(journal.get_trials(deepcopy=False)) == 0


def test_options_that_a_training_refuses_are_not_tried_again(study):
    journal = study.journal()
    trial = study.ask(journal, DISTRIBUTIONS, 1)
    trial.set_user_attr("problem", "--overlap leaves nothing")
    journal.tell(trial, state=optuna.trial.TrialState.FAIL)
    assert count_used(journal.get_trials(deepcopy=False)) == 1


def test_one_search_at_a_time_is_at_work_in_a_folder(study):
    other = Study(study.folder).locked()
    with study.locked(), pytest.raises(UserError, match="another search is at work"), other:
        pass
    with study.locked():
        pass


def test_a_folder_without_a_study_says_so(tmp_path):
    with pytest.raises(UserError, match=r"no study in .*Check --study"):
        Study(tmp_path).plan()
    (tmp_path / "study.json").write_text('{"application": "spam"}')
    with pytest.raises(UserError, match=r"study\.json is damaged"):
        Study(tmp_path).plan()


@pytest.fixture
def finished(study):
    journal = study.journal()
    first, second, third = (study.ask(journal, DISTRIBUTIONS, 1) for _ in range(3))
    end(journal, first, 0.5, 0.7)
    end(journal, second, 0.4, state=optuna.trial.TrialState.PRUNED)
    end(journal, third, 0.9, 0.8)
    return journal


def test_the_best_options_are_a_file_for_train(study, finished):
    write_results(study.folder, study.plan(), finished, {"epochs": 2, "dataset": "sample"})
    best = best_of(finished.get_trials(deepcopy=False))
    assert best.number == 2 and best.value == 0.9
    stored = from_file(str(study.folder / "best.json"))
    assert stored == {"epochs": 2, "dataset": "sample", **best.params}
    with (study.folder / "trials.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["trial"], row["state"], row["macro_f1"], row["epochs"]) for row in rows] == [
        ("1", "complete", "0.7", "2"),
        ("2", "pruned", "0.4", "1"),
        ("3", "complete", "0.9", "2"),
    ]
    assert rows[2]["cell"] == best.params["cell"]
    pictures = {path.name for path in study.folder.glob("*.png")}
    assert {"history.png", "parallel_coordinates.png"} <= pictures


def test_lines_say_how_a_trial_ended(study, finished):
    first, second, third = finished.get_trials(deepcopy=False)
    assert describe_trial(first, 1, 3, True).startswith("1/3  trial 1  0.7000 best    2 epochs")
    assert describe_trial(second, 2, 3, False).startswith("2/3  trial 2  0.4000 pruned  1 epoch,")
    assert f"units {third.params['units']}" in describe_trial(third, 3, 3, False)
    said = describe_results(study.plan(), [first, second, third])
    assert said.splitlines()[0] == (
        "macro_f1 on validation, the best of 3 trials (2 finished, 1 pruned)"
    )
    assert said.splitlines()[1].startswith("  0.9000  trial 3: units")
    assert all(len(line) <= 80 for line in said.splitlines())

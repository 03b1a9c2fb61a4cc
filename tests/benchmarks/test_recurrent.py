import importlib.util
import json

import pytest

TINY = ["--cells", "gru", "--batches", "2", "--lengths", "3", "--units", "4", "--rounds", "2"]
HAS_TORCH = importlib.util.find_spec("torch") is not None


def rounds(*values):
    return {"values": list(values), "others": [0.0] * len(values)}


def record(suite=4.0, torch=2.0, **point):
    train = {"suite": rounds(suite, 9.0, 1.0), "keras": rounds(8.0)}
    if torch is not None:
        train["torch"] = rounds(torch)
    point = {"cell": "lstm", "units": 8, "batch": 2, "length": 3, **point}
    return {**point, "train": train, "forward": {}, "failed": {}}


def test_a_point_of_the_grid_is_measured_once_and_shown_twice(benchmark, tmp_path):
    output = tmp_path / "grid.json"
    process = benchmark("recurrent.py", *TINY, "--output", output)
    assert process.returncode == 0, process.stderr
    (measured,) = json.loads(output.read_text())["records"]
    engines = {"suite", "keras"} | ({"torch", "torch_fused"} if HAS_TORCH else set())
    for kind in ("train", "forward"):
        assert measured[kind].keys() == engines
        assert all(len(found["values"]) == 2 for found in measured[kind].values())
    # PyTorch has one more bias vector a gate.
    parameters = {name: ready["parameters"] for name, ready in measured["prepared"].items()}
    assert set(parameters.values()) == {parameters["keras"]}
    assert ("not installed" in process.stdout) == (not HAS_TORCH)
    written = output.read_bytes()
    again = benchmark("recurrent.py", *TINY, "--output", output, "--markdown")
    assert again.stdout.startswith("| cell | units | train: Keras / suite |")
    assert output.read_bytes() == written


def test_a_ratio_is_of_medians_and_above_one_where_the_suite_is_faster():
    from recurrent import ratio

    assert ratio(record(), "train", "keras") == 2
    assert ratio(record(), "train", "torch") == 0.5
    assert ratio(record(), "forward", "keras") is None


def test_points_far_slower_than_pytorch_are_marked():
    from recurrent import row

    assert "0.50*" in row(record(torch=2.0))
    assert "0.75 " in row(record(torch=3.0))


def test_noisy_and_failed_measurements_are_shown_as_such():
    from recurrent import row

    measured = record(torch=None)
    measured["train"]["keras"]["others"] = [1.0]
    measured["failed"] = {"torch": "out of memory"}
    assert "8.00~" in row(measured)
    assert "failed" in row(measured)


def test_without_pytorch_its_column_says_so(monkeypatch):
    import recurrent

    monkeypatch.setattr(recurrent, "installed", lambda engine: engine != "torch")
    assert "not installed" in recurrent.row(record(torch=None))


def test_the_summary_has_median_mean_and_minimum_with_its_place():
    from recurrent import summary

    lines = summary([record(torch=2.0), record(torch=8.0, units=16)])
    assert lines[1] == (
        "train, PyTorch/suite, 2 cells: median 1.25, geometric mean 1.00, minimum 0.50 "
        "(cell lstm, units 8, batch 2, length 3); under 0.7: 1"
    )


def test_the_short_table_has_a_line_a_size_and_one_for_all():
    from recurrent import short_table

    lines = short_table([record(), record(units=16)]).splitlines()
    assert [line.split(" | ")[:2] for line in lines[2:]] == [
        ["| lstm", "8"],
        ["| lstm", "16"],
        ["| all", ""],
    ]
    assert "**2.00** (2.00 - 2.00)" in lines[2]


@pytest.mark.parametrize("option", [["--cells", "lstmm"], ["--rounds", "0"], ["--units", "x"]])
def test_a_wrong_option_is_refused_at_once(benchmark, option):
    process = benchmark("recurrent.py", *option)
    assert process.returncode == 2
    assert option[0] in process.stderr.splitlines()[-1]


def test_what_exceeds_the_memory_is_skipped_with_one_line(benchmark, tmp_path):
    sizes = ["--cells", "lstm", "--batches", "1000000", "--lengths", "4000", "--units", "512"]
    process = benchmark("recurrent.py", *sizes, "--output", tmp_path / "grid.json")
    assert process.returncode == 0
    assert process.stdout.count("skipped, too little memory: {'cell': 'lstm', 'units': 512") == 1

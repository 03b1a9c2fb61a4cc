import json

import pytest


def test_all_ways_write_the_same_text_and_are_timed(benchmark, tmp_path):
    pytest.importorskip("torch")
    output = tmp_path / "generation.json"
    sizes = ["--units", "8", "--num-layers", "2", "--length", "60", "--rounds", "1"]
    done = benchmark("generation.py", *sizes, "--output", output)
    assert done.returncode == 0, done.stderr
    found = json.loads(output.read_text(encoding="utf-8"))["units_per_second"]
    assert len(found) == 7 and all(each["values"][0] > 0 for each in found.values())
    rows = [line for line in done.stdout.splitlines() if line.startswith("| model.predict")]
    assert rows[0].rstrip(" |").endswith("1.0")

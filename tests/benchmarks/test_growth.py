import json

TINY = ["--cells", "lstm", "--dimensions", "length", "--values", "2", "--rounds", "1"]


def test_growth_writes_figures_and_a_picture(benchmark, tmp_path):
    output, picture = tmp_path / "growth.json", tmp_path / "growth.png"
    process = benchmark("growth.py", *TINY, "--output", output, "--picture", picture)
    assert process.returncode == 0, process.stderr
    (record,) = json.loads(output.read_text())["records"]
    assert (record["cell"], record["dimension"], record["value"]) == ("lstm", "length", 2)
    assert record["milliseconds"] > 0
    assert record["peak_mib"] > 0
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_picture_has_time_and_memory_of_every_dimension(tmp_path):
    from growth import draw

    figures = {"milliseconds": 5, "peak_mib": 70}
    records = [
        {"cell": cell, "dimension": dimension, "value": value, **figures}
        for cell in ("lstm", "gru")
        for dimension in ("length", "rows")
        for value in (1, 2)
    ]
    draw(records, tmp_path / "growth.png")
    assert (tmp_path / "growth.png").read_bytes().startswith(b"\x89PNG")


def test_exponents_are_told_over_all_values_and_over_the_largest():
    from growth import exponents

    group = [
        {"value": value, "milliseconds": max(40, value)} for value in (10, 20, 40, 80, 160, 320)
    ]
    whole, far_end = exponents(group, "milliseconds")
    assert whole[0] == "10 - 320"
    assert 0 < whole[1] < 1
    assert far_end[0] == "80 - 320"
    assert round(far_end[1], 6) == 1


def test_one_value_has_no_exponent():
    from growth import exponents

    assert exponents([{"value": 10, "milliseconds": 1}], "milliseconds") == []

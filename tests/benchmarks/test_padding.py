import json


def test_a_table_and_its_figures_are_written(benchmark, tmp_path):
    (tmp_path / "sst2").mkdir()
    texts = "".join(f"{'word ' * (1 + i % 9)}\t{i % 2}\n" for i in range(300))
    (tmp_path / "sst2" / "train.tsv").write_text(texts, encoding="utf-8")
    output = tmp_path / "padding.json"
    done = benchmark("padding.py", "--data-dir", tmp_path, "--corpora", "sst2", "--output", output)
    assert done.returncode == 0, done.stderr
    (record,) = json.loads(output.read_text(encoding="utf-8"))
    assert record["rows"] == "300"
    assert float(record["64 rows"].rstrip("%")) < float(record["random"].rstrip("%"))
    assert "sst2" in done.stdout


def test_an_absent_corpus_is_one_line(benchmark, tmp_path):
    done = benchmark("padding.py", "--data-dir", tmp_path, "--corpora", "sst2")
    assert done.returncode == 2
    assert done.stderr.strip().splitlines()[-1].startswith("error: no ")

def test_the_table_of_attentions_has_a_row_for_each():
    from attentions import markdown

    report = {"bleu": 31.26, "chrf": 55.0, "training_seconds": 1234.5}
    lines = markdown({"none": report, "dot": report}).splitlines()
    assert lines[0] == "| attention | BLEU | chrF | training, s |"
    assert lines[2:] == [f"| {name} | 31.3 | 55.0 | 1,234 |" for name in ("none", "dot")]


def test_without_a_file_the_sample_is_translated(tmp_path):
    from translation import SENTENCES, read_texts

    assert len(read_texts(None)) == SENTENCES
    (tmp_path / "in.txt").write_text("A dog.\n\nTwo cats.\n")
    assert read_texts(str(tmp_path / "in.txt")) == ["A dog.", "Two cats."]


def test_a_run_that_is_not_there_is_told(benchmark, tmp_path):
    done = benchmark("translation.py", "--run", tmp_path / "none")
    assert done.returncode == 1 and "no trained model" in done.stderr


def test_greedy_decoding_is_tried_once_and_each_combination():
    from argparse import Namespace

    from search_options import combinations, line

    options = Namespace(beam_width=[5], length_penalty=[0.6, 1.0], coverage_penalty=[0.0, 0.2])
    tried = combinations(options)
    assert tried[0] == {"beam_width": 1, "length_penalty": 0.0, "coverage_penalty": 0.0}
    assert [tuple(row.values()) for row in tried[1:]] == [
        (5, 0.6, 0.0),
        (5, 0.6, 0.2),
        (5, 1.0, 0.0),
        (5, 1.0, 0.2),
    ]
    assert line(["bleu", 5, 41.0]).split() == ["bleu", "5", "41.000"]


def test_without_a_run_there_are_no_search_options(benchmark, tmp_path):
    done = benchmark("search_options.py", "--run", tmp_path / "none")
    assert done.returncode == 1 and "no trained model" in done.stderr


def test_without_a_run_no_names_are_counted(benchmark, tmp_path):
    done = benchmark("copied_names.py", "--run", tmp_path / "none")
    assert done.returncode == 1 and "no trained model" in done.stderr


def test_the_table_of_names_has_a_row_for_each_kind():
    from copied_names import NAMES, markdown, words_of

    row = {"names": "new", "different": 57, "sentences": 1234, "copied": 0.5, "bleu": 24.25}
    assert markdown([row]).splitlines()[2] == "| new | 57 | 1,234 | 50.0% | 24.2 |"
    assert words_of("D'Oslo à Saint-Ulm, 12") == {"D", "Oslo", "à", "Saint", "Ulm"}
    assert len(set(NAMES)) == len(NAMES)

"""`report.html`, and the worst answers that it shows, without TensorFlow."""

import numpy as np

from apps.pages.parts import Paragraph, Section
from apps.reports.run_page import write_run_page
from apps.runs.contents import RUN, find_foreign
from apps.runs.description import RunDescription
from apps.runs.provenance import Provenance


def test_a_page_holds_metrics_tables_pictures_and_mistakes(tmp_path):
    (tmp_path / "confusion_test.png").write_bytes(b"\x89PNG test")
    (tmp_path / "confusion_validation.png").write_bytes(b"\x89PNG validation")
    (tmp_path / "training_curves.png").write_bytes(b"\x89PNG curves")
    provenance = Provenance(command="train <b>", dataset="posts.csv", checksum="c0ffee")
    description = RunDescription("spam", {"units": 7}, provenance=provenance)
    metrics = {"accuracy": 0.5, "intervals": {"accuracy": [0.4, 0.6]}, "dataset": "posts.csv"}
    worst = Section("worst", "The worst answers", [Paragraph("a wrong one")])
    tables = {"": "accuracy  0.5", "tf-idf": "accuracy  0.4"}
    path = write_run_page(tmp_path, "test", description, metrics, tables, [worst])
    content = path.read_text()
    assert path.name == "report.html" and find_foreign(tmp_path, RUN) == []
    for text in ("0.400 - 0.600", "accuracy  0.4", "a wrong one", "c0ffee", "--units", "posts.csv"):
        assert text in content
    # Of this split alone, and of the training.
    assert content.count("data:image/png;base64,") == 2
    assert "train &lt;b&gt;" in content


def test_a_very_large_picture_stays_a_file(tmp_path, monkeypatch):
    monkeypatch.setattr("apps.reports.run_page._LARGEST_PICTURE", 3)
    (tmp_path / "confusion_all.png").write_bytes(b"\x89PNG")
    path = write_run_page(tmp_path, "all", RunDescription("spam", {}), {}, {})
    content = path.read_text()
    assert "data:image" not in content and "confusion_all.png, a large picture" in content


def test_the_worst_answers_are_those_that_give_least_to_the_truth():
    from apps.tasks.classification.report import ClassificationReport, find_mistakes

    targets = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], np.float32)
    scores = np.array([[0.4, 0.6], [0.9, 0.1], [0.95, 0.05], [0.2, 0.8]], np.float32)
    decided = scores > 0.5
    mistakes = find_mistakes(["a", "b", "c", "d"], targets, scores, decided, ("ham", "spam"))
    assert [(each.text, each.true, each.predicted) for each in mistakes] == [
        ("c", "spam", "ham"),
        ("a", "ham", "spam"),
    ]
    np.testing.assert_allclose([each.score for each in mistakes], [0.05, 0.4], rtol=1e-6)
    (table,) = ClassificationReport({}, mistakes).describe_worst()
    assert len(table.rows) == 2
    assert ClassificationReport({}).describe_worst() == []


def test_several_labels_are_as_wrong_as_the_worst_of_them():
    from apps.tasks.classification.report import find_mistakes

    targets = np.array([[1, 1, 0], [0, 0, 0]], np.float32)
    scores = np.array([[0.9, 0.2, 0.3], [0.1, 0.7, 0.2]], np.float32)
    mistakes = find_mistakes(["a", "b"], targets, scores, scores > 0.5, ("x", "y", "z"))
    assert [(each.text, each.true, each.predicted) for each in mistakes] == [
        ("a", "x, y", "x"),
        ("b", "none", "y"),
    ]
    np.testing.assert_allclose([each.score for each in mistakes], [0.2, 0.3], rtol=1e-6)


def test_texts_with_most_entities_missed_or_invented_come_first():
    from apps.tasks.tagging.report import Mistake, TaggingReport, find_mistakes
    from data.examples.tags import Span

    ana, lyon = Span(0, 3, "PER"), Span(7, 11, "LOC")
    rows = [
        Mistake("Ana in Lyon", (ana, lyon), (ana, lyon)),
        Mistake("Ana in Lyon!", (ana, lyon), (ana,)),
        Mistake("Ana in Lyon?", (ana, lyon), (Span(0, 3, "LOC"), Span(7, 10, "LOC"))),
    ]
    mistakes = find_mistakes(rows)
    assert [each.text for each in mistakes] == ["Ana in Lyon?", "Ana in Lyon!"]
    true, found = TaggingReport({}, mistakes[1:]).describe_worst()
    assert [each[2] for each in true.entities] == ["PER", "LOC (missed)"]
    assert [each[2] for each in found.entities] == ["PER"]


def test_translations_with_the_lowest_chrf_come_first():
    from apps.tasks.seq2seq.report import Seq2SeqReport, find_worst

    worst = find_worst(["a", "b"], ["le chat dort", "le chien"], ["le chat dort", "une maison"])
    assert [each.source for each in worst] == ["b", "a"]
    assert worst[1].chrf == 100.0
    (table,) = Seq2SeqReport({}, "x", worst).describe_worst()
    assert table.rows[0][1:] == ("b", "le chien", "une maison")

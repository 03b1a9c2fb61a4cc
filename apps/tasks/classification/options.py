"""What `evaluate` and `predict` can do for a classifier beyond its metrics and answers."""

import functools
import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from apps.config.options import option
from apps.config.verbs import EvaluateOptions, TextPredictOptions
from data.errors import UserError

if TYPE_CHECKING:  # options are read without TensorFlow
    from apps.runs.description import RunDescription
    from apps.serving.answering import Answering
    from apps.tasks.classification.bias import BiasRequest


@dataclass(frozen=True)
class BiasOptions(EvaluateOptions):
    """The bias report, metrics by group and answers to swapped terms, and explained mistakes."""

    title: ClassVar[str] = "bias"

    bias: bool = option(False, "report of metrics by group and of swapped terms, too")
    identity_terms: str | None = option(
        None,
        "file with the columns kind, group, form, term (default: a list that ships with the suite)",
    )
    bias_class: str | None = option(
        None, "class whose score the bias report looks at (default: the first)"
    )
    explain_mistakes: int = option(
        0,
        "worst mistakes whose words are weighed in report.html, which takes some seconds",
        at_least=0,
        at_most=30,
    )

    def measurement(self, description: "RunDescription") -> "BiasRequest | None":
        if not self.bias:
            if self.identity_terms or self.bias_class:
                raise UserError("--identity-terms and --bias-class go with --bias. Add it")
            return None
        from apps.tasks.classification.bias import bias_request

        return bias_request(description.class_names, self.bias_class, self.identity_terms)

    def explain_worst(self, task: Any, report: Any) -> list[Any]:
        if not self.explain_mistakes or not report.mistakes:
            return []
        from apps.pages.parts import Markup, Paragraph, Part, Section
        from apps.serving.answers import answer
        from apps.tasks.classification import explanation_output
        from apps.tasks.classification.explanation import Explainer

        texts = [each.text for each in report.mistakes[: self.explain_mistakes]]
        parts: list[Part] = [Markup(explanation_output.LEGEND)]
        try:
            rows = answer(Explainer(task), texts)
        except UserError as mistake:  # the mean of several models has no words of its own
            parts, rows = [Paragraph(str(mistake))], []
        for row in rows:
            html = explanation_output.format_as_html(row["explanation"])
            parts.append(Markup(f"<article>\n{html}\n</article>"))
        style = explanation_output.STYLE
        return [Section("explanations", "Why the worst of them", parts, style=style)]


@dataclass(frozen=True)
class ExplainOptions(TextPredictOptions):
    """Answers with what each word adds to them, and a page of a recording."""

    main: ClassVar[tuple[str, ...]] = ("csv_safe", "explain", "report", "flag")
    file_options: ClassVar[tuple[str, ...]] = (*TextPredictOptions.file_options, "report")
    by_tensorflow: ClassVar[tuple[str, ...]] = ("explain",)

    explain: bool = option(
        False, "what each word adds to the answer, too; with --output .html or .jsonl"
    )
    report: str | None = option(
        None, "page of a recording: its scores on a time line that can be clicked, its segments"
    )
    flag: tuple[str, ...] = option(
        (),
        "classes that subtitles and --report mark (default: all but neither, ham, none and their "
        "like)",
    )

    @property
    def rows(self) -> int:  # type: ignore[override]  # read alone, of an instance
        if not self.explain:
            return 0
        from apps.tasks.classification.explanation_output import ROWS

        return ROWS

    @property
    def needs_one_process(self) -> str:
        return "--explain ends with a summary of all answers" if self.explain else ""

    def check_output(self, output: str | None) -> None:
        if self.explain:
            from apps.tasks.classification.explanation_output import check_output

            check_output(output)
        if self.report and Path(self.report).suffix.lower() != ".html":
            raise UserError(f"--report writes FILE.html. Received: {self.report}")
        if self.report and output and os.path.realpath(self.report) == os.path.realpath(output):
            raise UserError(f"{output} is the report, too. Choose another --output")
        super().check_output(output)

    def suffixes(self) -> Mapping[str, object]:
        if not self.explain:
            return super().suffixes()
        from apps.tasks.classification.explanation_output import OUTPUTS

        return OUTPUTS

    def answering(self, task: Any) -> "Answering":
        if not self.explain:
            return task
        from apps.tasks.classification.explanation import Explainer
        from apps.tasks.classification.explanation_output import wants_colours

        return Explainer(task, wants_colours())

    def writer(self, source: str | None, column: str, answering: "Answering") -> Callable:
        if not self.explain:
            return super().writer(source, column, answering)
        from apps.tasks.classification.explanation_output import explanation_writer

        return explanation_writer(column, answering.empty_row())

    @property
    def page_file(self) -> str | None:
        return self.report

    def page(
        self, source: str, column: str, answering: "Answering"
    ) -> AbstractContextManager | None:
        if not self.report:
            return None
        from apps.pages.recording import recording_report
        from apps.tasks.classification.answers import choose_flagged, to_segment

        flagged = choose_flagged(answering.empty_row(), self.flag)
        shown = functools.partial(to_segment, column=column, flagged=flagged)
        return recording_report(self.report, source, flagged, shown)

    def caption(self, answering: "Answering") -> Callable[[str, dict], str]:
        from apps.tasks.classification.answers import choose_flagged, flag_text

        flagged = choose_flagged(answering.empty_row(), self.flag)
        return functools.partial(flag_text, flagged=flagged)

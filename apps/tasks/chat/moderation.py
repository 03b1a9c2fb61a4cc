"""Answers that a classifier flags, and what is said in their place."""

from collections.abc import Callable

from apps.config.options import override, without_dropped
from apps.pretrained.names import find_run
from apps.runs.files import read_run
from apps.runs.folder import RunFolder
from apps.serving.answers import answer_by_length
from apps.tasks.classification.answers import choose_flagged, flags_of
from apps.tasks.classification.config import ClassificationConfig
from apps.tasks.classification.task import TextClassification
from data.errors import UserError
from data.messages import warn

# What is said where all candidates are flagged.
NOTHING = "I would rather not answer that."


class Moderator:
    """Finds the first candidate that a classifier does not flag.

    Args:
        run: the folder of the classifier, such as one of hate speech, or the name of one that
            ships.
        flagged: its classes that are flagged; empty for all whose names do not say that nothing is
            the matter.

    Raises:
        UserError: there is no run of a classifier, it is damaged, or has no such class.
    """

    def __init__(self, run: str, flagged: tuple[str, ...] = ()) -> None:
        files = read_run(RunFolder(find_run(run), "--moderate"))
        description = files.description
        # Former runs do not say what kind they are.
        if "decision" not in description.details:
            raise UserError(
                f"--moderate takes the run of a classifier. Received: {run}, of "
                f"{description.application}"
            )
        config = override(
            ClassificationConfig(), without_dropped(ClassificationConfig, description.config)
        )
        with files.copied() as folder:
            self._task = TextClassification.load(config, description, folder)
        self._serve = self._task.serving().serve
        self._flagged = choose_flagged(self._task.empty_row(), flagged)

    def choose(self, candidates: list[list[str]]) -> list[int | None]:
        """Returns for each row the place of the first candidate that is not flagged, or None; and
        says what was flagged.

        Args:
            candidates: the answers of each row, the best first.
        """
        return choose_unflagged(candidates, self.flag)

    def flag(self, texts: list[str]) -> list[dict[str, float]]:
        """Returns the scores of the flagged classes that each text gets, none for a harmless
        one."""
        rows = answer_by_length(self._task, self._serve, texts)
        return [flags_of(row, self._flagged) for row in rows]


def choose_unflagged(
    candidates: list[list[str]], flag: Callable[[list[str]], list[dict[str, float]]]
) -> list[int | None]:
    """Returns for each row the place of the first candidate that is not flagged, or None.

    Args:
        candidates: the answers of each row, the best first.
        flag: returns the scores of the flagged classes that texts get.
    """
    texts = sorted({text for row in candidates for text in row if text})
    flags = dict(zip(texts, flag(texts) if texts else [], strict=True))
    found: list[int | None] = []
    for row in candidates:
        place = next((n for n, text in enumerate(row) if not flags.get(text)), None)
        for text in dict.fromkeys(row[:place]):
            (name, score), *_ = flags[text].items()
            warn(f"moderated, {name} {score:.2f}: {text}")
        found.append(place)
    return found

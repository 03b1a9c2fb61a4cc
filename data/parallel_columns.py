"""What users' parallel data are called, importable without TensorFlow."""

from typing import NamedTuple


class ParallelFiles(NamedTuple):
    """Where users' parallel data are.

    Attributes:
        source, target: the languages, as a header or a TMX file names them.
        target_file: the translations of the lines of the data set, if they are not in it.
        validation, validation_target: likewise of the validation split, or None.
        test, test_target: likewise of the test split.
        source_column, target_column: of a table without a header that names the languages.
    """

    source: str
    target: str
    target_file: str | None = None
    validation: str | None = None
    validation_target: str | None = None
    test: str | None = None
    test_target: str | None = None
    source_column: int = 0
    target_column: int = 1

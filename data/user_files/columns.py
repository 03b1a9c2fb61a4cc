"""Where a user's files have what is read from them: columns, and files that belong together."""

from dataclasses import dataclass


@dataclass(frozen=True)
class LabelledColumns:
    """The columns of a table of labelled texts.

    Attributes:
        text: the column with the texts.
        label: the column with the class; several, separated by commas, are one 0/1 column a class
            (multi-label).
        split: the column with the split; it is used if the file has it.
        label_separator: splits a label cell into any number of classes (multi-label); empty for
            one class a cell.
    """

    text: str = "text"
    label: str = "label"
    split: str = "split"
    label_separator: str = ""

    @property
    def labels(self) -> list[str]:
        """The names of the label columns."""
        return [name.strip() for name in self.label.split(",")]


@dataclass(frozen=True)
class TaggedColumns:
    """The columns of a file of tagged texts.

    Attributes:
        token, tag: numbers of columns in a file of tokens, from 0; negative ones from the right.
        text, spans, split: names of columns in a file of texts.
    """

    token: int = 0
    tag: int = -1
    text: str = "text"
    spans: str = "spans"
    split: str = "split"


@dataclass(frozen=True)
class ParallelFiles:
    """The languages, files and columns of parallel texts.

    Attributes:
        source, target: the languages, as a header or a TMX file names them.
        target_file: the translations of the lines of the data set, if they have a file of their
            own.
        validation, validation_target: the files of the validation split, or None.
        test, test_target: the files of the test split, or None.
        source_column, target_column: of a table whose header does not name the languages, from 0;
            None for the first and the second.
    """

    source: str
    target: str
    target_file: str | None = None
    validation: str | None = None
    validation_target: str | None = None
    test: str | None = None
    test_target: str | None = None
    source_column: int | None = None
    target_column: int | None = None


@dataclass(frozen=True)
class CaptionFiles:
    """The columns and files of pictures with captions.

    Attributes:
        image, caption: the columns of a table with the paths of pictures and with their captions.
        split: the column with the split; it is used if the file has it.
        folder: where the paths of pictures begin; None for the folder of the table, and for a
            folder of COCO's pictures beside it.
        validation, test: the files of these splits, or None.
    """

    image: str = "image"
    caption: str = "caption"
    split: str = "split"
    folder: str | None = None
    validation: str | None = None
    test: str | None = None


@dataclass(frozen=True)
class DialogueFiles:
    """The columns and files of dialogues.

    Attributes:
        dialogue, speaker, text: the columns of a table with a row a turn.
        validation, test: the files of these splits, or None.
    """

    dialogue: str = "dialogue"
    speaker: str = "speaker"
    text: str = "text"
    validation: str | None = None
    test: str | None = None

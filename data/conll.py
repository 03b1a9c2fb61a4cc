"""Tagged tokens in columns, one token a line and an empty line behind each sentence (CoNLL)."""

from pathlib import Path

from data.errors import UserError, listed, refuse_rows
from data.tagged import TaggedText, TaggedTexts, of_tokens
from data.tags import OUTSIDE, is_tag, scheme_of

_DOCUMENT = "-DOCSTART-"


def read_conll(
    path: str | Path, token_column: int = 0, tag_column: int = -1
) -> tuple[TaggedTexts, str]:
    """Reads a file.

    Columns stand between tabs where a line has one, else between white space. Lines of white space
    end a sentence, however many they are; document markers and comments are passed over.

    Args:
        path: a UTF-8 file with any line ends.
        token_column, tag_column: numbers from 0; negative ones count from the right.

    Returns:
        The sentences, and the scheme of their tags (`data.tags.scheme_of`).

    Raises:
        UserError: it cannot be read, or lines lack a column or have something else than a tag.
    """
    sentences = _sentences(_lines(path), str(path), token_column, tag_column)
    if not sentences:
        raise UserError(f"{path} has no sentence. Expected a token and its tag a line")
    rows: list[TaggedText] = [of_tokens(*sentence) for sentence in sentences]
    return TaggedTexts(rows), scheme_of([tags for _, tags in sentences])


def _lines(path: str | Path) -> list[str]:
    try:
        # Any line ends; U+2028 and its like are none here.
        with open(path, encoding="utf-8-sig", newline=None) as file:
            return file.read().split("\n")
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}. Check the path") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8 ({error.reason}). Convert it") from None


def _sentences(lines, path: str, token_column: int, tag_column: int) -> list[tuple[list, list]]:
    sentences, tokens, tags, short, odd = [], [], [], [], {}
    # Counting from the left or the right, a column needs so many of them.
    needed = max(at + 1 if at >= 0 else -at for at in (token_column, tag_column))
    for number, line in enumerate([*lines, ""], 1):
        columns = line.split("\t") if "\t" in line else line.split()
        columns = [column.strip() for column in columns]
        if not any(columns) or columns[0].startswith(_DOCUMENT):
            if tokens:
                sentences.append((tokens, tags))
            tokens, tags = [], []
        elif _is_comment(line, columns):
            continue
        elif len(columns) < max(needed, 2):
            short.append(number)
        elif not columns[token_column] and columns[tag_column] == OUTSIDE:
            # White space that was taken for a token: Twitter corpora have some.
            continue
        elif not columns[token_column] or not columns[tag_column] or " " in columns[tag_column]:
            odd[number] = columns[tag_column]
        else:
            tokens.append(columns[token_column])
            tags.append(columns[tag_column])
    refuse_rows(path, short, "(lines) with too few columns for --token-column and --tag-column")
    if odd:
        raise UserError(
            f"{path}: line {listed(odd)}: no token or no tag. Check --token-column and --tag-column"
        )
    return sentences


def _is_comment(line: str, columns: list[str]) -> bool:
    return line.startswith("# ") and not is_tag(columns[-1])

"""Translation memories (TMX), read as a stream.

Memory does not grow with comments, mark-up or nesting. A unit is TMX's translation unit: a text in
several languages.
"""

import codecs
import html
import re
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader, TextIOWrapper
from xml.parsers import expat

from data.errors import UserError, list_values, refuse_rows
from data.examples.parallel import Pair, ParallelTexts
from data.files.archives import LONGEST_TEXT, open_unpacked
from data.formats.languages import find_languages, language_code
from data.messages import warn

# Elements that hold the mark-up of another program, not text.
_FOREIGN = {"bpt", "bx", "ept", "ex", "it", "ph", "ut"}
# Elements that stand for a line break, a value or the like between two words.
_PLACEHOLDERS = {"br", "it", "lb", "ph", "ut", "x"}
# No XML holds this character.
_GAP = "\0"
_SPACE = re.compile(r"(?<=[^\W_]|[.,;:!?…])\0+(?=[^\W_])")

# The number of characters that are parsed at once. Expat reads an unfinished tag or comment again
# with each piece, so one that is longer than a piece is refused.
_PIECE = 8 * 2**20
_DECLARED = re.compile(rb"\s*<\?xml[^>]*?\sencoding\s*=\s*[\"']\s*([\w.:-]+)")
_BEGINNINGS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
    b"<\0": "utf-16-le",
    b"\0<": "utf-16-be",
}
# Text encodings of Python that no document is written in.
_NO_ENCODINGS = {"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"}
_PROBE = b'<seg a="1">&#65;</seg>'
# Control characters and references to them: XML forbids them, but translation tools write them.
_CONTROL = re.compile(
    r"[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]"
    r"|&#(?:0*(?:[0-8]|1[124-9]|2\d|3[01])|x0*(?:[0-8bcef]|1[\da-f]));",
    re.IGNORECASE,
)
_LONGEST_REFERENCE = 16
_LONGEST_LANGUAGE = 60


def read_tmx(path: str, source: str, target: str) -> ParallelTexts:
    """Reads the units of a TMX file that have both languages.

    Args:
        path: the file, which may be packed, in any encoding that it names and Python knows.
        source, target: codes or names of languages. `en` finds `en-GB`, too; of several regions
            one must be named.

    Raises:
        UserError: the file cannot be parsed, no unit has both languages, a language has several
            regions, or a text is empty.
    """
    reader = _Units(path, {language_code(language) for language in (source, target)})
    remedy = "It should be a TMX file in the encoding that it names"
    with open_unpacked(path, remedy) as file:
        controls = 0
        for text in _decode(file, path):
            text, found = _CONTROL.subn(" ", text)
            controls += found
            reader.parse(text)
        reader.parse("", final=True)
    if controls:
        warn(f"{path}: {controls:,} control characters, which XML forbids, are taken for spaces")
    sides = [
        find_languages(language, reader.languages.values(), path, option)
        for language, option in ((source, "--source"), (target, "--target"))
    ]
    if set(sides[0]) & set(sides[1]):
        raise UserError(
            f"{path}: {source!r} and {target!r} are the same language there. Check --source and "
            "--target"
        )
    pairs = {}
    for number, texts in reader.units:
        variants = [[texts[code] for code in codes if code in texts] for codes in sides]
        if all(variants):
            pairs[number] = Pair(variants[0][0], variants[1][0])
    if not pairs:
        languages = list_values(reader.languages.values(), 10) or "no language"
        raise UserError(
            f"{path}: none of its {reader.count:,} units has both {source!r} and {target!r}. "
            f"It has {languages}. Check --source and --target"
        )
    for codes, language in zip(sides, (source, target), strict=True):
        if codes != [language_code(language)]:
            names = " and ".join(reader.languages[code] for code in codes)
            warn(f"{path}: {language} is {names}")
    empty = [number for number, pair in pairs.items() if not all(pair)]
    refuse_rows(path, empty, "(translation units) without a text on one side")
    if len(pairs) < reader.count:
        warn(
            f"{path}: {reader.count - len(pairs):,} of {reader.count:,} units lack "
            f"{source} or {target} and are left out"
        )
    return ParallelTexts(list(pairs.values()))


class _Units:
    """The translation units of a TMX file, which is parsed piece by piece.

    Attributes:
        units: the number of each unit that has a wanted language, and its texts by language code.
        languages: all languages of the file as it writes them, by code.
        count: the number of all units.
    """

    def __init__(self, path: str, wanted: set[str]):
        self.path, self.wanted = path, wanted
        self.units: list[tuple[int, dict[str, str]]] = []
        self.languages: dict[str, str] = {}
        self.count = 0
        self._unit: dict[str, str] = {}
        self._code = ""
        # The text of a segment (None outside of one), and the depth of nesting and of foreign
        # mark-up in it.
        self._parts: list[str] | None = None
        self._depth = self._foreign = self._length = 0
        # The number of parsed events, and of characters since the last one: a tag or comment that
        # has not ended.
        self._events = self._unread = 0
        # Namespaces are not looked up: a prefix stays a part of the name.
        self._parser = parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._add
        parser.SkippedEntityHandler = lambda name, _: self._add(html.unescape(f"&{name};"))
        parser.CommentHandler = parser.ProcessingInstructionHandler = self._pass_over

    def parse(self, text: str, final: bool = False) -> None:
        before = self._events
        self._unread += len(text)
        try:
            self._parser.Parse(text, final)
        except expat.ExpatError as error:
            raise UserError(f"cannot read {self.path}: {error}. It should be a TMX file") from None
        if self._events > before:
            self._unread = 0
        elif self._unread >= _PIECE:
            raise UserError(
                f"{self.path}: line {self._parser.CurrentLineNumber} has a tag or comment of more "
                f"than {_PIECE // 2**20} million characters. It should be a TMX file"
            )

    def _pass_over(self, *_: object) -> None:
        self._events += 1

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._events += 1
        name = _local_name(name)
        if self._parts is not None:
            self._depth += 1
            if not self._foreign and name in _PLACEHOLDERS:
                self._parts.append(_GAP)
            if self._foreign or name in _FOREIGN:
                self._foreign += 1
        elif name == "tu":
            self.count += 1
            self._unit = {}
        elif name == "tuv":
            self._begin_variant(attributes)
        elif name == "seg":
            self._parts, self._depth, self._foreign, self._length = [], 0, 0, 0

    def _begin_variant(self, attributes: dict[str, str]) -> None:
        # `lang` is of TMX 1.1 and 1.2.
        found = {name.lower(): value for name, value in attributes.items()}
        language = found.get("xml:lang", found.get("lang", "")).strip()[:_LONGEST_LANGUAGE]
        self._code = language_code(language)
        if language:
            self.languages.setdefault(self._code, language)

    def _end(self, name: str) -> None:
        self._events += 1
        if self._parts is not None and self._depth:
            self._depth -= 1
            self._foreign = max(self._foreign - 1, 0)
        elif self._parts is not None:
            # If a unit has several variants in a language, the first counts.
            if self._is_wanted():
                text = _SPACE.sub(" ", "".join(self._parts)).replace(_GAP, "")
                self._unit.setdefault(self._code, " ".join(text.split()))
            self._parts = None
        elif _local_name(name) == "tu" and self._unit:
            self.units.append((self.count, self._unit))

    def _is_wanted(self) -> bool:
        return any(self._code == code or self._code.startswith(f"{code}-") for code in self.wanted)

    def _add(self, text: str) -> None:
        self._events += 1
        if self._parts is None or self._foreign:
            return
        self._parts.append(text)
        self._length += len(text)
        if self._length > LONGEST_TEXT:
            raise UserError(
                f"{self.path}: unit {self.count} has a text of more than "
                f"{LONGEST_TEXT // 2**20} MiB. Leave it out"
            )


def _local_name(name: str) -> str:
    """Returns the name of an element without the prefix of its namespace."""
    return name.rpartition(":")[2].lower()


def _decode(file: BufferedReader, path: str) -> Iterator[str]:
    """Yields the characters in pieces that cut no reference to a character."""
    encoding = _detect_encoding(file.peek(1024)[:1024], path)
    with _decode_stream(file, encoding) as text:
        rest = ""
        while piece := text.read(_PIECE - len(rest)):
            piece = rest + piece
            at = piece.rfind("&", -_LONGEST_REFERENCE)
            rest = piece[at:] if at >= 0 else ""
            yield piece[: len(piece) - len(rest)]
        yield rest


@contextmanager
def _decode_stream(file: BufferedReader, encoding: str) -> Iterator[TextIOWrapper]:
    text = TextIOWrapper(file, encoding, newline="")
    try:
        yield text
    finally:
        # Otherwise it would close the file.
        text.detach()


def _detect_encoding(head: bytes, path: str) -> str:
    for beginning, encoding in _BEGINNINGS.items():
        if head.startswith(beginning):
            return encoding
    declared = _DECLARED.match(head)
    if not declared:
        return "utf-8"
    encoding = declared[1].decode("ascii", "replace")
    try:
        name = codecs.lookup(encoding).name.replace("_", "-")
        # A file of UTF-16 that was saved again as UTF-8 may have kept its declaration.
        if name.startswith(("utf-16", "utf-32")):
            return "utf-8"
        if name not in _NO_ENCODINGS and _PROBE.decode(encoding) == _PROBE.decode("ascii"):
            return encoding
    except (LookupError, ValueError):
        pass
    raise UserError(f"{path}: its encoding {encoding!r} is unknown. Save it as UTF-8")

"""The clean-up of texts as tables of steps, which TensorFlow's graph and google-re2 both read.

A step is its name and what it needs:

- `("utf8",)`: bytes that are not UTF-8 become U+FFFD;
- `("replace", pattern, rewrite)`: an RE2 pattern is replaced wherever it matches;
- `("shorten", letters)`: three or more of one of these letters in a row become two;
- `("references",)`: HTML's references to characters by number are decoded;
- `("lower",)`: capitals become small letters.

`data.text.cleaning` applies them in TensorFlow, `models.portable.text` in plain Python.
"""

from html.entities import html5

from data.registry import LETTERS, STANDARDIZERS
from data.text.characters import INVISIBLE, is_invisible

USER, LINK, NUMBER = "<user>", "<url>", "<number>"

Step = tuple[str, ...]

_NAMED_ENTITIES = {"lt": "<", "gt": ">", "quot": '"', "apos": "'", "nbsp": " ", "amp": "&"}
# Names of invisible characters: &shy;, &zwj; and the like.
_INVISIBLE_ENTITIES = "|".join(
    sorted(
        name
        for name, character in html5.items()
        if name.endswith(";") and all(map(is_invisible, character))
    )
)
# So: emoji and pictographs; Sk: skin tones and modifiers; Co: private use, where old phones kept
# their emoji (U+E415 and the like are frequent in tweets of 2012-2015).
_SYMBOLS = r"[\p{So}\p{Sk}\p{Co}\x{2FFC}-\x{2FFF}\x{31EF}]"
# Control characters, every kind of white space but the space, and the pattern of Braille that has
# no dot. With `\p{Z}` in their place, every space would be replaced by itself, which takes time.
_BLANKS = r"[\p{Cc}\p{Zl}\p{Zp}\x{A0}\x{1680}\x{2000}-\x{200A}\x{202F}\x{205F}\x{3000}\x{2800}]"

# Bytes that are not UTF-8 become U+FFFD, control characters and every kind of white space spaces,
# and invisible characters (`data.text.characters`) are dropped.
VALID: tuple[Step, ...] = (("utf8",), ("replace", INVISIBLE, ""), ("replace", _BLANKS, " "))

# For valid texts without control characters.
ENTITIES: tuple[Step, ...] = (
    # Twitter escaped text that was already escaped: "&amp;#128514;" is an emoji, too.
    ("replace", "&amp;", "&"),
    *(("replace", f"&{name};", character) for name, character in _NAMED_ENTITIES.items()),
    ("replace", f"&(?:{_INVISIBLE_ENTITIES})", ""),
    ("references",),
)

# The escapes go first, then what they hid (an escaped line break) is cleaned as well.
_DECODED_AND_LOWER: tuple[Step, ...] = (*VALID, *ENTITIES, *VALID, ("lower",))

_TWEET: tuple[Step, ...] = (
    *_DECODED_AND_LOWER,
    ("replace", r"https?:\S*|www\.\S+", f" {LINK} "),
    ("replace", r"@\w+", f" {USER} "),
    ("replace", r"[’‘`´]", "'"),
    ("replace", r"[“”„«»]", '"'),
    ("replace", r"\d+(?:[.,:]\d+)*", f" {NUMBER} "),
    ("shorten", "abcdefghijklmnopqrstuvwxyz"),
    *(("replace", rf"(?:\{sign}\s*){{2,}}", f" {sign}{sign} ") for sign in "!?."),
    ("replace", rf"({_SYMBOLS}|[!?.,;:\"()\[\]#*/&=+~|{{}}])", r" \1 "),
)

_REVIEW: tuple[Step, ...] = (
    *_DECODED_AND_LOWER,
    ("replace", r"</?[a-z][^<>]{0,99}>", " "),
    ("replace", r"[’‘`´]", "'"),
    ("replace", rf"([^{LETTERS}\p{{M}}\p{{N}}_\s])", r" \1 "),
    # Every apostrophe stands alone now; those of contractions are joined to their letters again.
    ("replace", r"n\s+'\s+t\b", " n't"),
    ("replace", r"\s'\s+(s|m|d|re|ve|ll)\b", r" '\1"),
)

_PLAIN: tuple[Step, ...] = (
    *VALID,
    ("lower",),
    ("replace", rf"([^{LETTERS}\p{{M}}\p{{N}}_\s'])", r" \1 "),
)

# By the names of `data.registry.STANDARDIZERS`.
STEPS: dict[str, tuple[Step, ...]] = dict(
    zip(STANDARDIZERS, (_TWEET, _REVIEW, _PLAIN, VALID), strict=True)
)

"""Codes and names of languages in headers of tables and in TMX files."""

import functools
import re
import unicodedata
from collections.abc import Iterable

from data.errors import UserError, list_values

# A code, its three-letter codes (that of manythings.org first), and names: in English, in the
# language itself, and for some in other languages. Without accents and capitals.
_LANGUAGES = """
af | afr | afrikaans
ar | ara | arabic, العربية
az | aze | azerbaijani
be | bel | belarusian, беларуская
bg | bul | bulgarian, български
bn | ben | bengali, bangla, বাংলা
bs | bos | bosnian, bosanski
ca | cat | catalan, catala
cs | ces cze | czech, cestina, cesky
cy | cym wel | welsh, cymraeg
da | dan | danish, dansk
de | deu ger | german, deutsch, allemand, aleman, tedesco
el | ell gre | greek, ελληνικα
en | eng | english, anglais, englisch, ingles, inglese, engels
eo | epo | esperanto
es | spa | spanish, espanol, castellano, espagnol, spanisch, spagnolo
et | est | estonian, eesti
eu | eus baq | basque, euskara
fa | pes fas per | persian, farsi, فارسی
fi | fin | finnish, suomi
fr | fra fre | french, francais, franzosisch, frances, francese, frans
ga | gle | irish, gaeilge
gl | glg | galician, galego
gu | guj | gujarati, ગુજરાતી
he | heb | hebrew, עברית
hi | hin | hindi, हिन्दी
hr | hrv | croatian, hrvatski
hu | hun | hungarian, magyar
hy | hye arm | armenian, հայերեն
id | ind | indonesian, bahasa indonesia
is | isl ice | icelandic, islenska
it | ita | italian, italiano, italien, italienisch
ja | jpn | japanese, 日本語
ka | kat geo | georgian, ქართული
kk | kaz | kazakh
ko | kor | korean, 한국어
lt | lit | lithuanian, lietuviu
lv | lvs lav | latvian, latviesu
mk | mkd mac | macedonian, македонски
ml | mal | malayalam
mr | mar | marathi, मराठी
ms | zsm msa may | malay, bahasa melayu
mt | mlt | maltese, malti
nb | nob | norwegian bokmal, bokmal
nl | nld dut | dutch, nederlands, neerlandais, niederlandisch
nn | nno | norwegian nynorsk, nynorsk
no | nor | norwegian, norsk
pl | pol | polish, polski
pt | por | portuguese, portugues, portugais, portugiesisch
ro | ron rum | romanian, romana
ru | rus | russian, русский
sk | slk slo | slovak, slovencina
sl | slv | slovenian, slovene, slovenscina
sq | sqi alb | albanian, shqip
sr | srp | serbian, srpski, српски
sv | swe | swedish, svenska
sw | swa | swahili, kiswahili
ta | tam | tamil, தமிழ்
te | tel | telugu, తెలుగు
th | tha | thai, ไทย
tr | tur | turkish, turkce
uk | ukr | ukrainian, українська
ur | urd | urdu, اردو
vi | vie | vietnamese, tieng viet
zh | cmn zho chi | chinese, mandarin, 中文
"""
_LONGEST_NAME = 60


def fold(name: str) -> str:
    """Returns a name without accents and capitals, the parts of a code joined by hyphens."""
    letters = unicodedata.normalize("NFD", name.strip().casefold())
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return " ".join(plain.replace("_", "-").split())


_ROWS = [[cell.strip() for cell in line.split("|")] for line in _LANGUAGES.strip().splitlines()]
_THREE_LETTERS = {code: codes.split()[0] for code, codes, _ in _ROWS}
_CODES = {
    fold(name): code
    for code, codes, names in _ROWS
    for name in (code, *codes.split(), *names.split(","))
}


def language_code(name: str) -> str:
    """Returns the code of a language.

    Args:
        name: a code or name, such as `en`, `eng`, `en_GB`, `English` or `anglais`; an unknown one
            is its own code.

    Returns:
        A code of two letters where there is one, with the region or script that the name has, in
        lower case: `en`, `en-gb`.
    """
    return name if len(name) > _LONGEST_NAME else _known_code(name)


@functools.lru_cache(maxsize=1024)
def _known_code(name: str) -> str:
    folded = fold(name)
    language, hyphen, rest = folded.partition("-")
    return _CODES.get(folded) or _CODES.get(language, language) + hyphen + rest


def is_language(name: str) -> bool:
    """Returns whether a text is a known code, with or without region or script, or a known name."""
    language, *rest = language_code(name).split("-")
    return language in _THREE_LETTERS and all(re.fullmatch("[a-z0-9]{2,8}", part) for part in rest)


def three_letter_code(language: str) -> str:
    """Returns the code of three letters that manythings.org has for a language."""
    return _THREE_LETTERS.get(language_code(language), language)


def find_languages(wanted: str, names: Iterable[str], place: str, option: str) -> list[str]:
    """Finds a language among the names in a file; `en` finds `en-GB` too, but not the reverse.

    Args:
        wanted: a code or name; with a region, it finds that region alone.
        names: the names as the file writes them.
        place: the file, for the message.
        option: the option that chooses the language, for the message.

    Returns:
        The codes (`language_code`) of the language itself, and of its region if there is only one.

    Raises:
        UserError: the file has several regions or scripts of the language, but not the language
            itself.
    """
    spellings: dict[str, str] = {}
    for name in names:
        spellings.setdefault(language_code(name), name)
    code = language_code(wanted)
    itself = [code] if code in spellings else []
    regions = [name for name in spellings if name.startswith(f"{code}-")]
    if len(regions) > 1 and not itself:
        choices = list_values([spellings[region] for region in regions])
        raise UserError(
            f"{place} has several kinds of {wanted!r}: {choices}. Choose one with {option}"
        )
    return itself + (regions if len(regions) == 1 else [])

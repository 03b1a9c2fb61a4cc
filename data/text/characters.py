"""Characters that a text may hide or write in another way: HTML's references to characters."""

import html
import re

# Of longer numbers the first eight digits will do: they are beyond Unicode's last character, too.
_REFERENCE = re.compile(
    r"&#(?:0*(?P<decimal>[0-9]{1,8})[0-9]*|[xX]0*([0-9a-fA-F]{1,8})[0-9a-fA-F]*)"
)


def unescape(text: str) -> str:
    """Decodes HTML's references to characters (`&amp;`, `&#233;`, `&#xE9;`).

    As `html.unescape`, which ends with a ValueError at a number of more than 4,300 digits; here, as
    in browsers, a number beyond Unicode becomes U+FFFD.

    Args:
        text: any string.
    """
    return html.unescape(_REFERENCE.sub(_shorten, text)) if "&" in text else text


def _shorten(reference: re.Match) -> str:
    decimal = reference["decimal"]
    return f"&#{decimal}" if decimal else f"&#x{reference[2]}"

"""The words of a caption that are compared: in lower case, without punctuation."""

import re

# A point stays in "3.5", an apostrophe in "dog's", a hyphen in "t-shirt".
_WORD = re.compile(r"\w+(?:[.,'’-]\w+)*")


def compared_words(caption: str) -> list[str]:
    """Returns the words of a caption, in lower case and without punctuation.

    Published figures are of such words: the tokenizer of the COCO evaluation leaves punctuation
    out, too.
    """
    return _WORD.findall(caption.lower())

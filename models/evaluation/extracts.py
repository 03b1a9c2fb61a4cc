"""The baselines of summarizers: sentences of the text itself."""

import re

# A sentence ends with its line, or with a sign before a space and whatever begins a sentence.
_ENDS = re.compile(r"\n+|(?<=[.!?])[\"')\]]*\s+(?=[\"'(\[]*[A-Z0-9])")


def split_sentences(text: str) -> list[str]:
    """Splits a text into sentences, without white space at their ends."""
    return [part for each in _ENDS.split(text) if (part := each.strip())]


def leading_sentences(texts: list[str], count: int) -> list[str]:
    """Returns the first sentences of each text, `count` at most."""
    return [" ".join(split_sentences(text)[:count]) for text in texts]


class _Words:
    """The tokenizer that sumy asks for; its own one needs a download."""

    def to_words(self, text: str) -> list[str]:
        return re.findall(r"\w+", text.lower())


def central_sentences(texts: list[str]) -> list[str]:
    """Returns the sentence of each text that has most in common with its others, by TextRank
    (Mihalcea & Tarau 2004) of the package sumy.

    Raises:
        ImportError: there is no such package.
    """
    from sumy.models.dom import ObjectDocumentModel, Paragraph, Sentence
    from sumy.summarizers.text_rank import TextRankSummarizer

    rank, words = TextRankSummarizer(), _Words()
    found = []
    for text in texts:
        sentences = split_sentences(text)
        # One without words has no rank.
        ranked = [Sentence(each, words) for each in sentences if words.to_words(each)]
        document = ObjectDocumentModel([Paragraph(ranked)])
        chosen = rank(document, 1) if len(ranked) > 1 else ()
        found.append(str(chosen[0]) if chosen else " ".join(sentences[:1]))
    return found

"""Names that options accept, importable without TensorFlow, and what implements each."""

from pathlib import Path

# The files that ship with the suite.
SAMPLES = Path(__file__).parent / "samples"
IDENTITY_TERMS = Path(__file__).parent / "identity_terms" / "terms.csv"

# data.text.cleaning: functions there.
STANDARDIZERS = {
    "tweet": "clean_tweets",
    "review": "clean_reviews",
    "plain": "clean_plain",
    "none": "to_valid_utf8",
}

# data.text.preprocessor: the share of --max-length that is kept of a longer text's head; the rest
# is kept of its tail. A quarter and three quarters are what Sun et al. (2019), "How to Fine-Tune
# BERT for Text Classification?", found best for reviews.
TRUNCATIONS = {"head": 1.0, "tail": 0.0, "head-tail": 0.25}

# data.vectors: GloVe 6B, 50 numbers a word (Pennington et al. 2014).
GLOVE = "glove-6b-50d"

# How a word is written, and the pattern that says so; the first one that matches counts. Ids follow
# from 1 on; the last one is for what none matches.
CASES = {
    "number": r"[\p{P}\p{S}]*\p{N}[\p{N}\p{P}]*",
    "with digits": r".*\p{N}.*",
    "signs": r"[^\p{L}]*",
    "capital": r"[^\p{L}]*\p{Lu}[^\p{L}]*",
    "all capitals": r"[^\p{Ll}]*\p{Lu}[^\p{Ll}]*",
    "capitalised": r"[^\p{L}]*\p{Lu}[^\p{Lu}]*",
    "capitals inside": r".*\p{Lu}.*",
    "small": r".*",
}

# data.text.tokenizer: what a language model or a translator splits texts into, and writes them in.
TOKENIZERS = ("characters", "bytes", "words", "subwords")
# Tokenizers that can only read texts: those of the classifiers, with the name in `STANDARDIZERS` of
# the clean-up before each.
CLASSIFIER_TOKENS = {"tweet-tokens": "tweet", "review-tokens": "review", "plain-tokens": "plain"}
# And that of the taggers, in lower case and with zeros for digits.
TAGGER_TOKENS = "tagger-tokens"

"""The names that options accept, importable without TensorFlow, and what each stands for."""

from pathlib import Path

# The files that ship with the suite.
SAMPLES = Path(__file__).parent / "samples"
IDENTITY_TERMS = Path(__file__).parent / "identity_terms" / "terms.csv"

# data.text.cleaning: the ways to prepare a text for a classifier.
STANDARDIZERS = ("tweet", "review", "plain", "none")

# data.text.preprocessor: the share of --max-length that a longer text keeps at its head; it keeps
# the rest at its tail. Sun et al. (2019), "How to Fine-Tune BERT for Text Classification?", found a
# quarter and three quarters the best for reviews.
TRUNCATIONS = {"head": 1.0, "tail": 0.0, "head-tail": 0.25}

# data.vectors: GloVe 6B, vectors of 50 numbers (Pennington et al. 2014).
GLOVE = "glove-6b-50d"

# Letters and symbols for a class of RE2, with those that Unicode has had since 15.1: google-re2
# knows them, TensorFlow does not.
LETTERS, SYMBOLS = r"\p{L}\x{2EBF0}-\x{2EE5D}", r"\p{S}\x{2FFC}-\x{2FFF}\x{31EF}"

# The ways to write a word, and their patterns, of which the first one that matches counts. Their
# ids count from 1; the last one is for words that match no other.
CASES = {
    "number": rf"[\p{{P}}{SYMBOLS}]*\p{{N}}[\p{{N}}\p{{P}}]*",
    "with digits": r".*\p{N}.*",
    "signs": rf"[^{LETTERS}]*",
    "capital": rf"[^{LETTERS}]*\p{{Lu}}[^{LETTERS}]*",
    "all capitals": r"[^\p{Ll}]*\p{Lu}[^\p{Ll}]*",
    "capitalised": rf"[^{LETTERS}]*\p{{Lu}}[^\p{{Lu}}]*",
    "capitals inside": r".*\p{Lu}.*",
    "small": r".*",
}

# data.text.tokenizer: the tokens that language models and translators read and write.
TOKENIZERS = ("characters", "bytes", "words", "subwords")
# Tokens that can be read alone, not written: those of the classifiers, with the name of their
# clean-up in `STANDARDIZERS`.
CLASSIFIER_TOKENS = {"tweet-tokens": "tweet", "review-tokens": "review", "plain-tokens": "plain"}
# Those of the taggers, in lower case and with zeros for digits, can be read alone, too.
TAGGER_TOKENS = "tagger-tokens"

"""The special tokens before those of every vocabulary: their ids, and how they are written."""

# All vocabularies give these ids; those of texts that a model writes have END, too.
PADDING, UNKNOWN, START, END = range(4)

# The tokens in the vocabularies of classifiers and taggers.
PADDING_TOKEN, UNKNOWN_TOKEN, START_TOKEN = "", "<unk>", "<start>"

# How a token reads in a text that a model writes, where the vocabulary lacks it: U+FFFD.
UNKNOWN_TEXT = "\ufffd"

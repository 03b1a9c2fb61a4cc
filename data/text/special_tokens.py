"""The special tokens before those of every vocabulary: their ids, and how they are written."""

# The ids that they have everywhere; END is of the models that write texts alone.
PADDING, UNKNOWN, START, END = range(4)
# The id of the first entry of a classifier's or tagger's vocabulary, which is the start token.
FIRST_ENTRY = UNKNOWN + 1

# The tokens in the vocabularies of classifiers and taggers.
PADDING_TOKEN, UNKNOWN_TOKEN, START_TOKEN = "", "<unk>", "<start>"

# How a token reads in a text that a model writes, where the vocabulary lacks it: U+FFFD.
UNKNOWN_TEXT = "\ufffd"

"""Names that options accept, importable without TensorFlow, and what implements each."""

# data.text: functions there.
STANDARDIZERS = {"tweet": "clean_tweets", "plain": "clean_plain", "none": "to_valid_utf8"}

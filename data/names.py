"""Names that options accept, importable without TensorFlow, and what implements each."""

from pathlib import Path

# The files that ship with the suite.
SAMPLES = Path(__file__).parent / "samples"

# data.text: functions there.
STANDARDIZERS = {"tweet": "clean_tweets", "plain": "clean_plain", "none": "to_valid_utf8"}

# data.vectors: GloVe 6B, 50 numbers a word (Pennington et al. 2014).
GLOVE = "glove-6b-50d"

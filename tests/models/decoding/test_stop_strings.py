import pytest
import tensorflow as tf

from data.text.tokenizer import Tokenizer
from data.text.tokenizer_vocabulary import learn_vocabulary
from models.decoding.stop_strings import StopStrings


@pytest.mark.parametrize("kind", ["characters", "bytes", "words", "subwords"])
def test_a_string_is_found_whatever_tokens_it_is_written_in(kind):
    text = "He came. (Then é he went.)\nAnd so on.\n\nThe end"
    tokenizer = Tokenizer(learn_vocabulary(kind, [text], 60))
    stop = StopStrings(tokenizer.decode, ("é h", "\n\n", "nowhere"))
    ids = tokenizer.encode([text]).to_tensor()
    found = []
    for length in range(1, ids.shape[1] + 1):
        known = tf.pad(ids[:, :length], [[0, 0], [0, ids.shape[1] - length]])
        if stop(known, tf.constant([length])).numpy()[0]:
            found.append(tokenizer.decode(ids[:, :length]).numpy()[0].decode())
    assert "é h" in found[0] and all("é h" not in found[0][:-n] for n in [len(" he")])
    assert any(each.endswith("\n\n") for each in found)


def test_texts_end_before_the_first_string():
    stop = StopStrings(None, (".*", "(b\\"))
    texts = ["a. (b\\ c .* d", "a .* (b\\", "none.", "", "two\nlines .*\nand more"]
    cut = [text.decode() for text in stop.cut(tf.constant(texts)).numpy()]
    assert cut == ["a. ", "a ", "none.", "", "two\nlines "]


def test_rows_are_looked_at_by_themselves():
    tokenizer = Tokenizer(learn_vocabulary("characters", ["ab"], 9))
    stop = StopStrings(tokenizer.decode, ("ab",))
    ids = tokenizer.encode(["ab", "b", "aab", "ba"]).to_tensor()
    assert stop(ids, tf.constant([2, 1, 3, 2])).numpy().tolist() == [True, False, True, False]

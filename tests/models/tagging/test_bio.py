import tensorflow as tf

from models.tagging.bio import Bio

TAGS = ("O", "B-X", "I-X", "B-Y", "I-Y")


def test_repaired_tags_follow_each_other_within_texts():
    tags = tf.constant([2, 2, 4, 0, 2, 1, 2, 4])
    repaired = Bio(TAGS).repair(tags, tf.constant([0, 1, 5, 5, 8], tf.int64))
    assert repaired.numpy().tolist() == [1, 1, 3, 0, 1, 1, 2, 3]

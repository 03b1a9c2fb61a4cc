from typing import NamedTuple

import tensorflow as tf

from data.graphs import in_chunks


class Figures(NamedTuple):
    lengths: tf.Tensor
    letters: tf.RaggedTensor


def figures(texts):
    return Figures(tf.strings.length(texts), tf.strings.unicode_split(texts, "UTF-8"))


def test_a_structure_of_many_texts_is_joined_in_their_order():
    texts = [f"{i}é" for i in range(2500)]
    got = in_chunks(figures)(texts)
    assert got.lengths.numpy().tolist() == [len(text.encode()) for text in texts]
    assert [b"".join(row).decode() for row in got.letters.to_list()] == texts


def test_no_text_at_all_is_a_batch_of_none():
    got = in_chunks(figures)([])
    assert got.lengths.shape == (0,)
    assert got.letters.nrows() == 0


def test_one_graph_serves_all_lists():
    traced = []

    def lengths(texts):
        traced.append(texts)
        return tf.strings.length(texts)

    of_all = in_chunks(lengths)
    assert of_all(["a"] * 3000).numpy().sum() == 3000
    assert of_all([]).numpy().tolist() == []
    assert of_all(["bc"]).numpy().tolist() == [2]
    assert len(traced) == 1

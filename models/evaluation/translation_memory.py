"""The baseline of translators: a memory that gives the translation of the most similar text."""

import numpy as np

from data.examples.parallel import ParallelTexts


def memory_translations(train: ParallelTexts, texts: list[str]) -> list[str]:
    """Returns for each text the translation of the most similar training source, see
    `nearest_texts`."""
    return [train.rows[position].target for position in nearest_texts(train.texts, texts)[0]]


def nearest_texts(known_texts: list[str], texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Finds the most similar known text of each text.

    Similarity is the cosine of the TF-IDF vectors of words and pairs of words.

    Returns:
        Positions <int64>[texts] among the known ones, and similarities <float64>[texts].
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.neighbors import NearestNeighbors

    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"\S+")
    known = vectorizer.fit_transform(known_texts)
    nearest = NearestNeighbors(n_neighbors=1, metric="cosine", algorithm="brute").fit(known)
    distances, positions = nearest.kneighbors(vectorizer.transform(texts))
    return positions[:, 0], 1.0 - distances[:, 0]

"""The baseline of translators: a memory that gives the translation of the most similar text."""

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.neighbors import NearestNeighbors

from data.examples.parallel import ParallelTexts


def memory_translations(train: ParallelTexts, texts: list[str]) -> list[str]:
    """Returns for each text the translation of the most similar training source.

    Similarity is the cosine of the TF-IDF vectors of words and pairs of words.
    """
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"\S+")
    known = vectorizer.fit_transform(train.texts)
    nearest = NearestNeighbors(n_neighbors=1, metric="cosine", algorithm="brute").fit(known)
    _, positions = nearest.kneighbors(vectorizer.transform(texts))
    return [train.rows[position].target for position in positions[:, 0]]

"""A translation memory, to compare translators with: the translation of the most similar text."""

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.neighbors import NearestNeighbors

from data.examples.parallel import ParallelTexts


def memory_translations(train: ParallelTexts, texts: list[str]) -> list[str]:
    """The translation of the training source that is nearest to each text, by the cosine of their
    words and pairs of words, weighed by TF-IDF."""
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"\S+")
    known = vectorizer.fit_transform(train.texts)
    nearest = NearestNeighbors(n_neighbors=1, metric="cosine", algorithm="brute").fit(known)
    _, places = nearest.kneighbors(vectorizer.transform(texts))
    return [train.rows[place].target for place in places[:, 0]]

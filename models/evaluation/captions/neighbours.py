"""Baselines of captions: what people said of the training pictures that look most alike."""

from collections.abc import Iterator, Sequence

import numpy as np
import scipy.sparse

from models.evaluation.captions.words import compared_words

# Devlin et al. (2015), "Exploring Nearest Neighbor Approaches for Image Captioning", take 50 to 200
# of 80,000 training pictures; of thousands, fewer are alike.
NEIGHBOURS = 15
_LONGEST = 4
# Similarities of so many pictures at a time are held in memory.
_ROWS = 256


def nearest_captions(
    known: np.ndarray, captions: Sequence[Sequence[str]], features: np.ndarray
) -> list[str]:
    """Returns for each picture the first caption of the most similar training picture.

    Args:
        known: <float>[training pictures, size], their features; similar are those of a small angle.
        captions: by training picture, one or more sentences.
        features: <float>[pictures, size].
    """
    return [captions[places[0]][0] for places in _find_neighbours(known, features, 1)]


def consensus_captions(
    known: np.ndarray,
    captions: Sequence[Sequence[str]],
    features: np.ndarray,
    neighbours: int = NEIGHBOURS,
) -> list[str]:
    """Returns for each picture the caption that people agree on for similar training pictures.

    Of all captions of these pictures, it is the one that is most similar to the others, as CIDEr
    measures it, by the mean cosine of the TF-IDF vectors of n-grams of one to four words
    (Devlin et al. 2015).

    Args:
        known, captions, features: as in `nearest_captions`.
        neighbours: the number of training pictures.
    """
    sentences = [caption for group in captions for caption in group]
    ends = np.cumsum([len(group) for group in captions])
    vectors = _weigh(sentences)
    chosen = []
    for places in _find_neighbours(known, features, neighbours):
        rows = np.concatenate([np.arange(ends[i] - len(captions[i]), ends[i]) for i in places])
        candidates = vectors[rows]
        # The similarity to all is the product with their sum; that to itself says nothing.
        agreement = candidates @ np.asarray(candidates.sum(axis=0)).ravel()
        agreement -= np.asarray(candidates.multiply(candidates).sum(axis=1)).ravel()
        chosen.append(sentences[rows[int(np.argmax(agreement))]])
    return chosen


def _weigh(sentences: list[str]) -> scipy.sparse.csr_matrix:
    """Returns a row a sentence; the product of two rows is the sum of the cosines by length of
    n-grams."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    parts = []
    words = [compared_words(sentence) for sentence in sentences]
    for length in range(1, _LONGEST + 1):

        def grams(row: list[str], length: int = length) -> list[tuple[str, ...]]:
            return [tuple(row[i : i + length]) for i in range(len(row) - length + 1)]

        if any(len(row) >= length for row in words):
            parts.append(TfidfVectorizer(analyzer=grams, dtype=np.float32).fit_transform(words))
    return scipy.sparse.hstack(parts, format="csr")


def _find_neighbours(known: np.ndarray, features: np.ndarray, count: int) -> Iterator[np.ndarray]:
    """Yields for each row of features the positions of the most similar known ones, best first."""
    directions = _to_directions(known)
    count = min(count, len(known))
    for start in range(0, len(features), _ROWS):
        similarity = _to_directions(features[start : start + _ROWS]) @ directions.T
        # Of equally similar ones the first comes first.
        yield from np.argsort(-similarity, axis=1, kind="stable")[:, :count]


def _to_directions(features: np.ndarray) -> np.ndarray:
    features = np.asarray(features, np.float32)
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    return features / np.where(lengths > 0, lengths, 1)

"""Film reviews (Maas et al. 2011) with a validation split of films that training does not have."""

from data.corpora.download import download_once, find_original
from data.corpora.labelled.imdb import (
    CLASS_NAMES,
    FOLDERS,
    PLACES,
    URL,
    Review,
    label_reviews,
    read_reviews,
)
from data.examples.labelled import LabelledCorpus

_PLACES = ("imdb_films/aclImdb", "imdb_films/aclImdb*.tar*")
# The files whose reviews are for validation. Files are numbered by film, in the same order in both
# folders: first the films with reviews of both classes, then those with negative ones alone, from
# about 3,950 on. The first two ranges are the same films, the third are films of the other kind.
_VALIDATION = (
    ("pos", range(8_873, 10_189)),
    ("neg", range(2_700, 3_180)),
    ("neg", range(8_000, 8_836)),
)


def read(data_dir: str | None) -> LabelledCorpus:
    """Reads 22,368 reviews to train, 2,632 of other films for validation, and 25,000 to test.

    The test split has films of its own, too; so a figure on this validation split says more of it
    than one on that of `imdb`, whose films have other reviews in the training split. A few films
    stand twice among the reviews, or at the edge of a range, and remain on both sides.

    The source is the original, as for `imdb`; the copy of TFDS has no file numbers. Without the
    original it is downloaded once.

    Raises:
        UserError: the archive is damaged or not whole, or there is none and no network.
    """
    source = find_original(data_dir, *PLACES, *_PLACES)
    if source is None:
        remedy = f"the file of {URL} at <folder>/imdb_films/aclImdb_v1.tar.gz"
        source = download_once("imdb_films", URL, remedy, read_reviews)
    reviews = {name: sorted(part) for name, part in read_reviews(source).items()}
    splits = {
        "train": [review for review in reviews["train"] if not _is_held_out(review)],
        "validation": [review for review in reviews["train"] if _is_held_out(review)],
        "test": reviews["test"],
    }
    labelled = {name: label_reviews(part) for name, part in splits.items()}
    return LabelledCorpus.from_splits("imdb_films", labelled, CLASS_NAMES)


def _is_held_out(review: Review) -> bool:
    folder = FOLDERS[review.label]
    return any(folder == name and review.number in numbers for name, numbers in _VALIDATION)

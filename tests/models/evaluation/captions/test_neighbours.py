import numpy as np

from models.evaluation.captions.neighbours import consensus_captions, nearest_captions

# Three pictures that look one way, and one that looks another.
KNOWN = np.array([[1.0, 0.1], [1.0, 0.0], [2.0, -0.2], [0.0, 1.0]])
CAPTIONS = [
    ("a dog runs on the grass", "an animal"),
    ("happy puppy", "a dog runs on grass"),
    ("a dog on the grass", "a cat"),
    ("a red bus", "a red car", "one red car"),
]


def test_the_nearest_picture_is_that_of_the_smallest_angle():
    features = np.array([[5.0, 0.0], [0.1, 0.3]])
    assert nearest_captions(KNOWN, CAPTIONS, features) == ["happy puppy", "a red bus"]


def test_the_consensus_is_the_caption_that_is_most_like_all_of_the_neighbours():
    features = np.array([[5.0, 0.0], [0.0, 2.0]])
    assert consensus_captions(KNOWN, CAPTIONS, features, neighbours=3)[0] == (
        "a dog runs on the grass"
    )
    # Of one neighbour alone, it is what its other captions are most like.
    assert consensus_captions(KNOWN, CAPTIONS, features, neighbours=1)[1] == ("a red car")


def test_there_may_be_fewer_pictures_than_neighbours_and_features_of_nothing():
    assert consensus_captions(KNOWN[3:], CAPTIONS[3:], np.zeros((1, 2))) == ["a red car"]

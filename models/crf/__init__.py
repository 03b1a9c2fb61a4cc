"""Linear-chain conditional random fields."""

from models.crf.layer import LinearChainCRF, bio_constraints

__all__ = ["LinearChainCRF", "bio_constraints"]

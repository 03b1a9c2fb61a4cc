"""Several taggers as one: the mean of their emissions, and of the weights of their CRFs."""

from collections.abc import Sequence
from typing import Any, Self

import keras
import numpy as np
from keras import ops

from models.copies import inputs_like
from models.crf.layer import LinearChainCRF, bio_constraints
from models.members import OfMembers, check_members, copies_of, mean_logits
from models.tagging.tag_sequences import TagSequences


@keras.saving.register_keras_serializable(package="models")
class TaggerEnsemble(TagSequences, OfMembers, keras.Model):
    """A tagger that is the mean of several, see `OfMembers`.

    With a CRF the score of a sequence is the mean of its scores by the members, since a score is a
    sum of emissions and transitions: this CRF has the mean transitions and reads mean emissions.
    The probability of a sequence is then the geometric mean of its probabilities, normalised. With
    the head `softmax` the probabilities of each token's tags are averaged.

    Args:
        members: taggers with the same tags and the same head.

    Call arguments:
        inputs: what each member takes.

    Output shape:
        emissions <float32>[batch, time, len(tags)].
    """

    def __init__(self, members: Sequence[keras.Model], **kwargs: Any) -> None:
        check_members(members)
        settings = members[0].settings

        # === Functional graph ===
        inputs = inputs_like(members[0])
        emissions = [member(inputs) for member in members]
        if settings["head"] == "crf":
            tags = settings["tags"]
            allowed = bio_constraints(tags) if settings["constrained"] else None
            crf = LinearChainCRF(len(tags), allowed, name="crf")
            outputs = crf(ops.mean(ops.stack(emissions), axis=0))
        else:
            outputs = mean_logits(emissions)
        super().__init__(inputs=inputs, outputs=outputs, **kwargs)

        # === Config ===
        self.names = tuple(member.name for member in members)

    @classmethod
    def from_models(cls, models: Sequence[keras.Model], **options: Any) -> Self:
        """Makes the mean of copies of taggers, which may have one name."""
        return cls(copies_of(models), **options)._with_mean_transitions()

    def for_export(self) -> "TaggerEnsemble":
        """Returns the ensemble of its members' copies for export."""
        members = [member.for_export() for member in self.members]
        return TaggerEnsemble(members, name=self.name)._with_mean_transitions()

    def _with_mean_transitions(self) -> Self:
        if self.crf is not None:
            weights = [member.crf.get_weights() for member in self.members]
            self.crf.set_weights([np.mean(parts, axis=0) for parts in zip(*weights, strict=True)])
        return self

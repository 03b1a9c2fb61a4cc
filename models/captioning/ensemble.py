"""Several captioners as one: the search sees the mean of their next tokens."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from models.captioning.captioner import Captioner, FeatureCaptioner
from models.copies import inputs_like
from models.members import OfMembers, check_members, mean_logits
from models.seq2seq.ensemble import SearchedTogether


class HeadEnsemble(SearchedTogether):
    """The heads of several captioners; the methods are those of `FeatureCaptioner`.

    What they encode are features <float32>[batch, places, features], or those that each member's
    own encoder found, <float32>[batch, members, places, features].

    Args:
        members: the heads.
    """

    def __init__(self, members: Sequence[FeatureCaptioner]) -> None:
        self._members = members

    @property
    def members(self) -> list[Any]:
        """The heads."""
        return [*self._members]

    def sources_of_members(self, sources: tf.Tensor) -> Sequence[tf.Tensor]:
        """Returns the features that each member reads."""
        if len(sources.shape) == 3:
            return super().sources_of_members(sources)
        return tf.unstack(sources, num=len(self.members), axis=1)


@keras.saving.register_keras_serializable(package="models")
class CaptionerEnsemble(OfMembers, keras.Model):
    """A captioner that is the mean of several, see `OfMembers`.

    At each step of a search the probabilities of the next token are averaged, and all members read
    the token that was chosen. The methods are those of `Captioner`.

    Args:
        members: captioners of one vocabulary and one size of pictures.
        one_encoder: whether the encoders of all have the same weights, as those have that stay as
            they are: then a picture is encoded once.

    Call arguments:
        inputs: what each member takes.

    Output shape:
        logits <float32>[batch, captions * steps, vocabulary_size].
    """

    def __init__(
        self, members: Sequence[Captioner], one_encoder: bool = False, **kwargs: Any
    ) -> None:
        check_members(members)
        inputs = inputs_like(members[0])
        super().__init__(
            inputs=inputs, outputs=mean_logits([each(inputs) for each in members]), **kwargs
        )
        self.names = tuple(member.name for member in members)
        self.one_encoder = one_encoder

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "one_encoder": self.one_encoder}

    def for_export(self) -> "CaptionerEnsemble":
        """Returns the ensemble of its members' copies for export."""
        members = [each.for_export() for each in self.members]
        return CaptionerEnsemble(members, self.one_encoder, name=self.name)

    @property
    def image_encoder(self) -> keras.Model:
        """The encoder of the first member."""
        return self.members[0].image_encoder

    @property
    def head(self) -> HeadEnsemble:
        """All that comes after the image encoders."""
        return HeadEnsemble([member.head for member in self.members])

    def find_features(self, images: tf.Tensor) -> tf.Tensor:
        """Computes features of images, as `call` takes them: what `HeadEnsemble` encodes."""
        if self.one_encoder:
            return self.members[0].find_features(images)
        return tf.stack([each.find_features(images) for each in self.members], axis=1)


def have_one_encoder(captioners: Sequence[Captioner]) -> bool:
    """Returns whether the encoders of all captioners have the same weights."""
    first, *others = ([*each.image_encoder.get_weights()] for each in captioners)
    return all(all(map(np.array_equal, first, other)) for other in others)

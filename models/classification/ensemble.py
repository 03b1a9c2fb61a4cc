"""An ensemble: several models as one, with the mean of their probabilities as logits again."""

import math
from typing import Any, Self

import keras
from keras import ops

from models.copies import copy_with, inputs_like


@keras.saving.register_keras_serializable(package="models")
class Ensemble(keras.Model):
    """A model whose probabilities are the mean of its members'.

    Averaged probabilities are right more often than a member's, above all where members that
    differ only in their seeds disagree (Lakshminarayanan et al. 2017, "Simple and Scalable
    Predictive Uncertainty Estimation using Deep Ensembles"). Its outputs are logits, so that
    scores, decisions and serving work as with a single model.

    Args:
        members: models of this package with the same inputs and different names, as
            `from_models` makes them.
        multi_label: probabilities are sigmoids of the logits instead of their softmax.

    Call arguments:
        inputs: what each member takes.

    Output shape:
        logits <float32>[batch, ..., num_classes], see `mean_logits`.
    """

    def __init__(self, members: list[keras.Model], multi_label: bool, **kwargs: Any) -> None:
        if not members:
            raise ValueError("an ensemble has one member at least. Received none.")

        # === Functional graph ===
        inputs = inputs_like(members[0])
        logits = mean_logits([member(inputs) for member in members], multi_label)
        super().__init__(inputs=inputs, outputs=logits, **kwargs)

        # === Config ===
        self.multi_label = multi_label
        # Names, since the graph has the members already: twice, they would be saved twice.
        self.names = tuple(member.name for member in members)

    @classmethod
    def from_models(cls, models: list[keras.Model], multi_label: bool) -> Self:
        """Makes an ensemble of copies of models, which may have one name."""
        members = [copy_with(model, name=f"member_{number}") for number, model in enumerate(models)]
        return cls(members, multi_label)

    @property
    def members(self) -> list[keras.Model]:
        """The members, in the order in which they were given."""
        return [self.get_layer(name) for name in self.names]

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of the first member; the sizes of inputs and outputs are the same in all."""
        return self.members[0].settings

    def for_export(self) -> "Ensemble":
        """Returns the ensemble of its members' copies for export."""
        members = [member.for_export() for member in self.members]
        return Ensemble(members, self.multi_label, name=self.name)

    def get_config(self) -> dict[str, Any]:
        members = [keras.saving.serialize_keras_object(member) for member in self.members]
        return {"name": self.name, "members": members, "multi_label": self.multi_label}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        members = [keras.saving.deserialize_keras_object(member) for member in config["members"]]
        return cls(**{**config, "members": members})


def mean_logits(logits: list, multi_label: bool) -> Any:
    """Computes logits whose probabilities are the mean of the probabilities of others.

    All is computed with logarithms, so that large logits lose no precision.

    Args:
        logits: of each model, <float32>[..., num_classes].
        multi_label: probabilities are sigmoids of the logits instead of their softmax.

    Returns:
        <float32>[..., num_classes].
    """
    stacked = ops.stack(logits)
    if multi_label:
        # log(p / (1 - p)); the number of models cancels out.
        yes, no = ops.log_sigmoid(stacked), ops.log_sigmoid(-stacked)
        return ops.logsumexp(yes, axis=0) - ops.logsumexp(no, axis=0)
    return ops.logsumexp(ops.log_softmax(stacked), axis=0) - math.log(len(logits))

"""Several models as one: what ensembles of all kinds have in common."""

import math
from collections.abc import Sequence
from typing import Any, Self

import keras
from keras import ops

from models.copies import copy_with


class OfMembers:
    """A model that answers with the mean of several, which differ only in their seeds.

    Averaged probabilities are right more often than a member's, above all where the members
    disagree (Lakshminarayanan et al. 2017, "Simple and Scalable Predictive Uncertainty Estimation
    using Deep Ensembles"). Stands before `keras.Model` in the list of base classes; the first
    argument of the class is `members`, models of this package with the same inputs and different
    names, as `from_models` makes them.

    Attributes:
        names: of the members, in the order in which they were given. The model has the members
            themselves already: twice, they would be saved twice.
    """

    name: str
    names: tuple[str, ...]

    @classmethod
    def from_models(cls, models: Sequence[keras.Model], *arguments: Any, **options: Any) -> Self:
        """Makes an ensemble of copies of models, which may have one name; other arguments are those
        of the class."""
        make: Any = cls  # the class of a model, which takes its members first
        return make(copies_of(models), *arguments, **options)

    @property
    def members(self) -> list[Any]:
        """The members, in the order in which they were given."""
        model: Any = self
        return [model.get_layer(name) for name in self.names]

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of the first member; the sizes of inputs and outputs are the same in all."""
        return self.members[0].settings

    def get_config(self) -> dict[str, Any]:
        members = [keras.saving.serialize_keras_object(member) for member in self.members]
        return {"name": self.name, "members": members}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        members = [keras.saving.deserialize_keras_object(member) for member in config["members"]]
        return cls(**{**config, "members": members})


def copies_of(models: Sequence[keras.Model]) -> list[keras.Model]:
    """Returns copies of models under names that differ."""
    return [copy_with(model, name=f"member_{number}") for number, model in enumerate(models)]


def check_members(members: Sequence[keras.Model]) -> None:
    """Refuses an ensemble of none.

    Raises:
        ValueError: there is none.
    """
    if not members:
        raise ValueError("an ensemble has one member at least. Received none.")


def mean_logits(logits: list, multi_label: bool = False) -> Any:
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

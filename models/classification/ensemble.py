"""An ensemble: several models as one, with the mean of their probabilities as logits again."""

from typing import Any

import keras

from models.copies import inputs_like
from models.members import OfMembers, check_members, mean_logits


@keras.saving.register_keras_serializable(package="models")
class Ensemble(OfMembers, keras.Model):
    """A classifier whose probabilities are the mean of its members', see `OfMembers`.

    Its outputs are logits, so that scores, decisions and serving work as with a single model.

    Args:
        members: classifiers.
        multi_label: probabilities are sigmoids of the logits instead of their softmax.

    Call arguments:
        inputs: what each member takes.

    Output shape:
        logits <float32>[batch, ..., num_classes], see `mean_logits`.
    """

    def __init__(self, members: list[keras.Model], multi_label: bool, **kwargs: Any) -> None:
        check_members(members)

        # === Functional graph ===
        inputs = inputs_like(members[0])
        logits = mean_logits([member(inputs) for member in members], multi_label)
        super().__init__(inputs=inputs, outputs=logits, **kwargs)

        # === Config ===
        self.multi_label = multi_label
        self.names = tuple(member.name for member in members)

    def for_export(self) -> "Ensemble":
        """Returns the ensemble of its members' copies for export."""
        members = [member.for_export() for member in self.members]
        return Ensemble(members, self.multi_label, name=self.name)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "multi_label": self.multi_label}

import keras
import pytest

from models.layers.initial_states import InitialStatesFromEncoder, InitialStatesFromLabel
from models.layers.vocabulary_logits import VocabularyLogits


@pytest.mark.parametrize(
    ("renamed", "name"),
    [
        (InitialStatesFromEncoder, "StateBridge"),
        (InitialStatesFromLabel, "LabelBridge"),
        (VocabularyLogits, "UnitLogits"),
    ],
)
def test_a_saved_model_knows_a_renamed_class_and_its_weights_by_its_former_name(renamed, name):
    assert keras.saving.get_registered_object(f"models>{name}") is renamed
    # Keras makes the path of a layer's weights of this.
    assert renamed.__name__ == name

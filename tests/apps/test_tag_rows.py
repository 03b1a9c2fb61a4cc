import pytest

from apps.tag_rows import TagHeldOut


class Shifted:
    """Stands for a model that knows how far its O is shifted."""

    total = 0.0

    def shift_outside(self, by):
        self.total += by


class HeldOut(TagHeldOut):
    """A validation split whose F1 is a function of the shift."""

    def __init__(self, f1):
        self.f1 = f1

    def figures(self, model):
        return {"f1": self.f1(model.total)}


@pytest.mark.parametrize(
    ("f1", "best"),
    [
        (lambda shift: -abs(shift + 0.75), -0.75),
        (lambda shift: 0.5, 0.0),
        # one lucky shift beside bad ones is none
        (lambda shift: {-1.0: 0.6, -0.5: 0.5, -0.25: 0.5, 0.0: 0.5}.get(shift, 0.3), -0.25),
    ],
    ids=["a peak", "flat", "one jump"],
)
def test_the_score_of_no_entity_is_shifted_to_the_best_f1(f1, best):
    model = Shifted()
    assert HeldOut(f1).best_outside_shift(model) == best
    assert model.total == pytest.approx(0.0)

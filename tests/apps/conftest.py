"""What the tests of the applications share."""

import pytest


@pytest.fixture(scope="module", autouse=True)
def blank_pictures(request):
    """Figures are made but not rendered, a fifth of a tiny training, where no test looks at them:
    a file is marked `drawn` if its tests do."""
    from matplotlib.figure import Figure

    if request.node.get_closest_marker("drawn"):
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Figure, "savefig", lambda self, path, **options: path.touch())
        yield

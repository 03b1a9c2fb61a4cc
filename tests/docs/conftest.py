"""The builder of the site stands beside the pages, not in a package of the suite."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "docs"))

"""Builds the documentation site into `build/docs/site`: python docs/build.py

Needs `pip install ".[docs]"`. The pages are the Markdown files of this folder, the README, the
executed notebooks, and a reference made from the code. A dead link, a missing reference, a formula
that cannot be shown or anything that a browser would load from outside fails the build.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

# The repository's own packages, whatever is installed.
sys.path.insert(1, str(Path(__file__).parents[1]))

from builder import api, checks, commands, formulas, notebooks, outside, places, settings


def main() -> None:
    """Builds the site; exits with 1 and a line for each problem."""
    shutil.rmtree(places.BUILD, ignore_errors=True)
    try:
        places.copy_pages()
        made = settings.settings(
            notebooks.write_notebooks(), commands.write_command_pages(), api.write_api_pages()
        )
        places.CONFIG.write_text(json.dumps(made, indent=1), encoding="utf-8")  # JSON is YAML
        command = [sys.executable, "-m", "zensical", "build", "--strict", "-f", str(places.CONFIG)]
        subprocess.run(command, check=True, timeout=300)
        for page in (places.SITE / "reference").rglob("*.html"):
            api.show_array_types(page)
        rendered = [formulas.render_formulas(page) for page in places.SITE.rglob("*.html")]
        problems = [problem for _, broken in rendered for problem in broken]
        outside.remove_outside_addresses(places.SITE)
        problems += checks.find_problems(places.SITE)
    except places.DeadLink as error:
        problems = [str(error)]
    except subprocess.CalledProcessError:
        problems = ["the generator failed, see above"]
    if problems:
        sys.exit("\n".join(f"error: {problem}" for problem in problems))
    shown = sum(count for count, _ in rendered)
    print(f"{len(rendered)} pages with {shown} formulas: {places.SITE / 'index.html'}")


if __name__ == "__main__":
    main()

"""Builds the documentation site: python docs/build.py [FOLDER]

Needs `pip install ".[docs]"`. The site is FOLDER/site, by default build/docs/site. Its pages are
the Markdown files of this folder, the README, the executed notebooks, and a reference made from
the code. A dead link, a name that the code does not have, a formula that cannot be shown or
anything that a browser would load from outside fails the build.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
# The repository's own packages, whatever is installed.
sys.path.insert(1, str(ROOT))

from builder import api, checks, commands, formulas, names, notebooks, outside, places, settings  # noqa: E402


def main(folder: str = str(ROOT / "build" / "docs")) -> None:
    """Builds the site in a folder; exits with 1 and a line for each problem."""
    build = places.Build(Path(folder).absolute())
    for made in (build.pages, build.site):
        shutil.rmtree(made, ignore_errors=True)
    try:
        problems = _build(build)
    except places.DeadLink as error:
        problems = [str(error)]
    except subprocess.CalledProcessError:
        problems = ["the generator failed, see above"]
    if problems:
        sys.exit("\n".join(f"error: {problem}" for problem in problems))
    print(f"{len(build.html_files())} pages: {build.site / 'index.html'}")


def _build(build: places.Build) -> list[str]:
    """Builds the site and returns what is wrong with it."""
    places.copy_pages(build)
    made = settings.settings(
        notebooks.write_notebooks(build),
        commands.write_command_pages(build),
        api.write_api_pages(build),
    )
    build.settings.write_text(json.dumps(made, indent=1), encoding="utf-8")  # JSON is YAML
    # Without --clean, pages of modules that have changed are taken from its cache.
    flags = ["--strict", "--clean", "-f", str(build.settings)]
    subprocess.run([sys.executable, "-m", "zensical", "build", *flags], check=True, timeout=600)
    for page in build.html_files("reference"):
        api.show_array_types(page)
    names_of_code = names.Names(build)
    broken = [line for page in build.html_files() for line in names_of_code.link(page)]
    broken += [line for page in build.html_files() for line in formulas.render_formulas(page)]
    outside.remove_outside_addresses(build.site)
    return broken + checks.find_problems(build.site)


if __name__ == "__main__":
    main(*sys.argv[1:])

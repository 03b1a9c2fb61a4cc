"""Addresses of other hosts in the theme's scripts: features that this site does not use."""

import re
from pathlib import Path

_HOSTS = re.compile(r"https://(?:unpkg\.com|cdn\.jsdelivr\.net|api\.github\.com)/")


def remove_outside_addresses(site: Path) -> None:
    """Lets them lead to the site itself, so that nothing can be loaded from outside."""
    for file in (site / "assets" / "javascripts").rglob("*.js"):
        text = file.read_text(encoding="utf-8")
        file.write_text(_HOSTS.sub("absent/", text), encoding="utf-8")

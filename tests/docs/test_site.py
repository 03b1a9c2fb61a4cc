"""The built site: it builds without a problem, and a browser loads nothing from outside."""

import http.server
import mimetypes
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from apps import catalog

ROOT = Path(__file__).parents[2]
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    *["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"],
    *["--disable-background-networking", "--disable-component-update", "--disable-extensions"],
    *["--virtual-time-budget=5000", "--dump-dom"],
]
# What a browser asks for by itself, whatever the page is.
BROWSERS_OWN = re.compile(
    r"(?:https?://)?(?:www|accounts|android\.clients|clients\d|update|content-autofill|optimizationguide-pa)"
    r"\.google(?:apis)?\.com(?::443|/)"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("docs")
    command = [sys.executable, str(ROOT / "docs" / "build.py"), str(folder)]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return folder / "site"


@pytest.fixture
def browse(site, tmp_path):
    """Opens a page in a browser whose only way out is a proxy that knows nothing but the site.

    Returns the page as the browser has it after its scripts have run, and all that was asked for.
    """
    asked = []

    class Proxy(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            file = site / self.path.removeprefix("http://site.test/").partition("?")[0]
            if not self.path.startswith("http://site.test/") or not file.is_file():
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Type", mimetypes.guess_type(file.name)[0] or "text/plain")
            self.end_headers()
            self.wfile.write(file.read_bytes())

        def do_CONNECT(self):
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *arguments):
            """Writes nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def open_page(place):
        way_out = [f"--proxy-server=http://127.0.0.1:{server.server_port}"]
        profile = [f"--user-data-dir={tmp_path / 'profile'}"]
        answer = subprocess.run(
            [BROWSER, *FLAGS, *way_out, *profile, f"http://site.test/{place}"],
            capture_output=True,
            text=True,
            timeout=120,
        )
        return answer.stdout, [each for each in asked if not BROWSERS_OWN.match(each)]

    yield open_page
    server.shutdown()


def test_each_source_has_its_pages(site):
    pages = {file.relative_to(site).as_posix() for file in site.rglob("*.html")}
    notebooks = {f"course/{file.stem}.html" for file in (ROOT / "notebooks").glob("*.ipynb")}
    assert notebooks and not notebooks - pages
    assert not {f"reference/commands/{name}.html" for name in catalog.NAMES} - pages
    modules = {
        f"reference/api/{file.relative_to(ROOT).with_suffix('.html').as_posix()}"
        for package in ("apps", "models", "data")
        for file in (ROOT / package).rglob("*.py")
        if not file.name.startswith("__")
    }
    assert len(modules) > 150 and not modules - pages


def test_formulas_are_shown_without_a_script(site):
    text = (site / "course" / "04_inside_the_cells.html").read_text(encoding="utf-8")
    assert text.count('class="formula"') > 10 and "arithmatex" not in text


def test_a_module_is_described_by_its_docstrings(site):
    text = (site / "reference/api/models/recurrent/factory.html").read_text(encoding="utf-8")
    assert "Builds one recurrent layer" in text and "&lt;float32&gt;[batch, time, features]" in text


def test_a_command_is_described_with_all_its_options(site):
    text = (site / "reference" / "commands" / "ner.html").read_text(encoding="utf-8")
    assert all(f"<code>--{name}</code>" in text for name in ("head", "resume", "input", "refit"))


@pytest.mark.skipif(BROWSER is None, reason="there is no browser")
@pytest.mark.parametrize(
    "place",
    ["index.html", "reference/api/models/crf/layer.html", "course/04_inside_the_cells.html"],
)
def test_a_browser_asks_the_site_alone(browse, place):
    page, asked = browse(place)
    assert "<h1" in page
    assert f"http://site.test/{place}" in asked and len(asked) >= 5
    assert [each for each in asked if not each.startswith("http://site.test/")] == []

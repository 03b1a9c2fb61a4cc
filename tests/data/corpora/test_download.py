"""Tests of `data.corpora.download`: downloads, from a server on this machine."""

import errno
import http.server
import io
import threading
import urllib.request
from http.client import IncompleteRead

import pytest

from data.corpora import download as originals
from data.errors import UserError

CONTENT = b"the original file\n" * 1000


class Server(http.server.BaseHTTPRequestHandler):
    """`/whole` is there, `/short` ends too early, anything else is missing."""

    def do_GET(self):
        if self.path not in ("/whole", "/short") or "Mozilla" not in self.headers["User-Agent"]:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT if self.path == "/whole" else CONTENT[:5000])

    def log_message(self, *arguments):
        pass


@pytest.fixture
def url(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join(10)


def download(url, path, check=lambda path: None):
    originals.download("toy", url, path, "the file at <folder>/", check)


def test_a_download_is_whole_and_checked(url, tmp_path):
    path, seen = tmp_path / "cache" / "toy", []
    download(f"{url}/whole", path, lambda partial: seen.append(partial.read_bytes()))
    assert path.read_bytes() == CONTENT == seen[0]
    assert [file.name for file in path.parent.iterdir()] == ["toy"]


@pytest.mark.parametrize(
    ("name", "reason"), [("short", "IncompleteRead"), ("missing", "HTTPError")]
)
def test_a_download_that_ends_too_early_leaves_nothing(url, name, reason, tmp_path):
    message = rf"^cannot download toy \({reason}\)\. Put the file at <folder>/ and pass --data-dir"
    with pytest.raises(UserError, match=message):
        download(f"{url}/{name}", tmp_path / "toy")
    assert not list(tmp_path.iterdir())


def test_another_file_than_the_expected_one_is_not_kept(url, tmp_path):
    def refuse(path):
        raise UserError("another one")

    with pytest.raises(UserError, match=r"/whole is not the file that was expected\. Put the"):
        download(f"{url}/whole", tmp_path / "toy", refuse)
    assert not list(tmp_path.iterdir())


class Broken(io.BytesIO):
    """A connection that breaks in the middle."""

    def __init__(self, error):
        super().__init__(CONTENT)
        self.error = error

    def read(self, size=-1):
        if self.tell():
            raise self.error
        return super().read(5000)


@pytest.mark.parametrize(
    "error",
    [ConnectionResetError("reset"), TimeoutError("timed out"), IncompleteRead(b"", 3)],
    ids=lambda error: type(error).__name__,
)
def test_a_connection_that_breaks_is_one_line(error, tmp_path, monkeypatch):
    monkeypatch.setattr(urllib.request, "urlopen", lambda *_, **__: Broken(error))
    with pytest.raises(UserError, match=rf"^cannot download toy \({type(error).__name__}\)"):
        download("http://x", tmp_path / "toy")
    assert not list(tmp_path.iterdir())


def test_every_wait_for_a_server_has_a_limit(tmp_path, monkeypatch):
    limits = []

    def answer(request, timeout):
        limits.append(timeout)
        return io.BytesIO(CONTENT)

    monkeypatch.setattr(urllib.request, "urlopen", answer)
    download("http://x", tmp_path / "toy")
    originals.check_download("toy", "http://x", "the file")
    assert limits == [60, 10]


def test_a_download_without_an_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(originals, "_LARGEST_DOWNLOAD", len(CONTENT) - 1)
    monkeypatch.setattr(urllib.request, "urlopen", lambda *_, **__: io.BytesIO(CONTENT))
    with pytest.raises(UserError, match=r"cannot download toy \(ValueError\)"):
        download("http://x", tmp_path / "toy")


def test_a_disk_that_is_full_is_no_broken_connection(url, tmp_path):
    def fill(path):
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(UserError, match=r"cannot write .*toy: No space left on device"):
        download(f"{url}/whole", tmp_path / "toy", fill)

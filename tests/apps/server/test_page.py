import re
import shutil
import threading
import time

import pytest

from apps.server.page import FOLDER

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


def test_the_page_loads_nothing_from_outside_and_no_script_within_its_html(serving):
    client = serving(demo=True)
    page = client.get("/demo")
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert re.findall(r'(?:src|href)="([^"]+)"', page.text) == [
        "data:,",
        "/demo/page.css",
        "/demo/page.js",
        "/docs",
    ]
    assert client.get("/demo/page.js").headers["content-type"].startswith("text/javascript")
    assert client.get("/", follow_redirects=False).headers["location"] == "/demo"


def test_there_is_no_page_unless_asked_for(serving):
    assert serving().get("/demo").status_code == 404


def test_texts_reach_the_page_as_texts_alone():
    script = (FOLDER / "page.js").read_text()
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", script)


@pytest.fixture
def address(service):
    """The address of a server with the page and the toy models."""
    import uvicorn

    from apps.server.app import make_app

    app = make_app(service(demo=True))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="on"))
    thread = threading.Thread(target=server.run)
    thread.start()
    for _ in range(1000):
        if server.started:
            break
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(20)


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_a_person_types_clicks_and_sees_the_answer(address):
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        asked, problems = [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.append(message.text))
        page.goto(f"{address}/demo")
        page.wait_for_selector("#tabs button:nth-child(2)")

        text = "<img src=x onerror=alert(1)>"
        page.click("text=teller")
        page.fill("#panel-teller textarea", text)
        page.locator("#panel-teller input[name=max_length]").fill("3")
        page.click("#panel-teller .go")
        page.wait_for_selector("#panel-teller .go:enabled")
        answer = page.locator("#panel-teller .answer")
        assert answer.inner_text() == f"{text} w0 w1 w2", "what holds HTML stays text"
        assert answer.locator("img").count() == 0

        page.click("text=toy")
        page.click("#panel-toy summary")
        file = {"name": "a.csv", "mimeType": "text/csv", "buffer": b'id,text\n1,"a, ""b"""\n2,=c\n'}
        page.set_input_files("#panel-toy input[type=file]", files=[file])
        page.wait_for_selector("#panel-toy .download:enabled")
        with page.expect_download() as download:
            page.click("#panel-toy .download")
        lines = download.value.path().read_text().splitlines()
        assert lines == [
            '"text","predicted_label","score","mode"',
            '"a, ""b""","long","0.06",""',
            '"\'=c","long","0.02",""',
        ]
        assert problems == []
        assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == []
        browser.close()

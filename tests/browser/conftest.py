"""A headless Chromium that cannot reach the network, over the built site.

Fixtures: ``site`` (folder of the built pages), ``url(page, scheme)``, ``browser``, and
``page_factory(**options)``, whose pages carry a ``record`` of what they asked for and what went wrong.
"""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import pytest

# What no page of ours can prevent, all of it harmless: a message of sphinx-thebe, one of the theme on a first
# visit, and, with the theme that Python 3.10 gets, icon fonts that a browser refuses to a page over file://.
KNOWN_NOISE = re.compile(
    "Identifier 'THEBE_JS_URL' has already been declared|Got invalid theme mode"
    r"|file:///\S+/_static/vendor/fontawesome/"
)
OFFLINE = (
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
)


@dataclass
class Record:
    """What a page did: requests to other hosts, and errors that are ours (known noise left out)."""

    foreign: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def request(self, address: str) -> None:
        """Note ``address`` when it lies on another host; local pages, data: and blob: addresses do not."""
        parts = urlsplit(address)
        if parts.scheme in {"http", "https", "ws", "wss"} and parts.hostname != "127.0.0.1":
            self.foreign.append(address)

    def console(self, message: Any) -> None:
        """Note an error message of the console, with the address it speaks of."""
        if message.type == "error":
            self.error(f"{message.text} {message.location.get('url', '')}")

    def error(self, text: str) -> None:
        """Note an error unless it is one of the known harmless ones."""
        if not KNOWN_NOISE.search(text):
            self.errors.append(text)


class QuietHandler(SimpleHTTPRequestHandler):
    """Serve files without a line of log per request."""

    def log_message(self, *args: object) -> None:
        """Stay silent."""


@pytest.fixture(scope="session")
def site(root: Path) -> Path:
    """The folder of the built pages; skips where the site has not been built."""
    folder = root / "_build" / "html"
    if not (folder / "index.html").is_file():
        pytest.skip("the site is not built (run `make book` first)")
    return folder


@pytest.fixture(scope="session")
def server(site: Path) -> Iterator[str]:
    """Serve ``site`` on a free local port; the address ends without a slash."""
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(site)))
    Thread(target=httpd.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{httpd.server_port}"
    httpd.shutdown()
    httpd.server_close()


@pytest.fixture(scope="session")
def url(request: pytest.FixtureRequest, site: Path) -> Callable[..., str]:
    """Return ``url(page, scheme="http" | "file")``: the address of ``"book/index.html#top"``."""

    def address(page: str, scheme: str = "http") -> str:
        if scheme == "http":
            return f"{request.getfixturevalue('server')}/{page}"
        if scheme == "file":
            path, hash_sign, fragment = page.partition("#")
            return (site / path).as_uri() + hash_sign + fragment
        raise ValueError(f"unknown scheme {scheme!r}; choose 'http' or 'file'")

    return address


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[object]:
    """A headless Chromium without a way out; skips where playwright or Chromium is missing."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    # As root, Chromium refuses to start inside its own sandbox.
    sandbox = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with playwright.sync_playwright() as driver:
        chrome = driver.chromium.launch(executable_path=chromium, args=[*OFFLINE, *sandbox])
        yield chrome
        chrome.close()


@pytest.fixture
def page_factory(browser) -> Iterator[Callable[..., object]]:
    """Return ``page_factory(width=1280, height=900, theme="light", **context_options)`` -> a fresh page.

    ``page.record`` is its :class:`Record`. ``theme`` sets both the system's preference and the site's switch.
    """
    contexts = []

    def new_page(*, width: int = 1280, height: int = 900, theme: str = "light", **options):
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=theme,
            service_workers="block",
            **options,
        )
        contexts.append(context)
        record = Record()
        context.on("request", lambda request: record.request(request.url))
        context.on(
            "requestfailed", lambda request: record.error(f"failed: {request.url} ({request.failure})")
        )
        context.on(
            "response",
            lambda reply: record.error(f"{reply.status}: {reply.url}") if reply.status >= 400 else None,
        )
        page = context.new_page()
        page.on("pageerror", lambda error: record.error(str(error)))
        page.on("console", lambda message: record.console(message))
        page.add_init_script(
            f"try {{ for (const key of ['mode', 'theme']) localStorage.setItem(key, '{theme}') }} catch {{}}"
        )
        page.record = record
        return page

    yield new_page
    for context in contexts:
        context.close()

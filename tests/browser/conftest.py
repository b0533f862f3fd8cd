"""A headless Chromium that cannot reach the network, over the built site and over small pages with one widget.

Fixtures: ``site`` (folder of the built pages), ``url(page, scheme)``, ``browser``, and
``page_factory(**options)``, whose pages carry a ``record`` of what they asked for and what went wrong;
``tabs(**options)`` gives such pages for less, as others left them. A module that has a fixture ``widget`` gets
``open_widget``, ``javascript`` and ``live``; ``open_chapter`` opens the page of the book that a widget stands on.
"""

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.browser.live import live_story
from tests.browser.servers import QuietHandler, served  # noqa: F401
from tests.browser.tabs import KNOWN_NOISE, Record, Tabs, fresh_page  # noqa: F401
from tests.browser.widget_pages import IMPORT, opener, small_pages

OFFLINE = (
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
)


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
    with served(site) as address:
        yield address


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
    pages = []

    def new_page(**options):
        pages.append(fresh_page(browser, **options))
        return pages[-1]

    yield new_page
    for page in pages:
        page.context.close()


@pytest.fixture(scope="session")
def all_tabs(browser) -> Tabs:
    """The pages that the tests of a session hand on to each other."""
    return Tabs(browser)


@pytest.fixture
def tabs(all_tabs: Tabs) -> Iterator[Callable[..., object]]:
    """Return ``tabs(...)``, the same as ``page_factory(...)``, but the pages may have been used before."""
    yield all_tabs.lend
    all_tabs.take_back()


@pytest.fixture
def open_again(tabs) -> Callable[..., object]:
    """Return ``open_again(tab)`` -> another page at the address that ``tab`` shows, once as many widgets stand."""

    def opened(tab):
        again, mounted = tabs(), "document.querySelectorAll('[data-mounted=yes]').length"
        again.goto(tab.url)
        again.wait_for_function(f"{mounted} === {tab.evaluate(mounted)}")
        return again

    return opened


@pytest.fixture
def open_chapter(tabs, site: Path, url) -> Callable[..., object]:
    """Return ``open_chapter(page, holds, part, scheme)`` -> a page of the book, once its widget ``part`` stands.

    Skips where the page does not hold the words ``holds`` of the widget's module.
    """

    def opened(page: str, holds: str, part: str, scheme: str = "file"):
        if not (site / page).is_file() or holds not in (site / page).read_text(encoding="utf-8"):
            pytest.skip(f"{page} is not built with its widget")
        tab = tabs()
        tab.set_default_timeout(120_000)  # a large page, on a machine that may be busy
        tab.goto(url(page, scheme), wait_until="commit")  # its formulas are for other tests
        tab.wait_for_selector(f"[data-mounted=yes] {part}")
        return tab

    return opened


# --- One widget: its module brings a fixture ``widget``, and ``pages`` where others than these are wanted ---------


@pytest.fixture(scope="module")
def pages(widget) -> dict[str, str]:
    """What stands on the small pages, by their names; the first of them is opened where none is named."""
    html = widget.static_html()
    return {"one": html, "two": html + html}


@pytest.fixture(scope="module")
def address(pages: dict[str, str], root: Path, tmp_path_factory) -> Iterator[Callable[..., str]]:
    """Return ``address("one-light.html#...", scheme="file" | "http")`` of a small page."""
    with small_pages(tmp_path_factory.mktemp("pages with spaces"), root, **pages) as found:
        yield found


@pytest.fixture
def open_widget(tabs, address, pages: dict[str, str]) -> Callable[..., object]:
    """Return ``open_widget("one-light.html#...", scheme, **options)`` -> the page, once its widgets stand."""
    return opener(tabs, address, f"{next(iter(pages))}-light.html")


@pytest.fixture
def open_fresh(page_factory, address, pages: dict[str, str]) -> Callable[..., object]:
    """Return ``open_fresh(...)``, as ``open_widget(...)``, of pages with a history and a clock of their own."""
    return opener(page_factory, address, f"{next(iter(pages))}-light.html")


@pytest.fixture(scope="module")
def prelude() -> str:
    """JavaScript that stands before all that ``javascript`` runs, and knows ``module``."""
    return ""


@pytest.fixture(scope="module")
def javascript(browser, widget, prelude: str) -> Iterator[Callable[..., object]]:
    """Return ``javascript(code, argument)``: ``code`` is a function of the widget's module and of the argument."""
    tab = browser.new_page()
    module = tab.evaluate_handle(f"(source) => {IMPORT}", str(widget._esm))
    yield lambda code, argument=None: tab.evaluate(
        f"([module, argument]) => {{ {prelude} return ({code})(module, argument); }}", [module, argument]
    )
    tab.close()


@pytest.fixture
def live(tabs, widget) -> Callable[..., dict]:
    """Return :func:`tests.browser.live.live_story` of the widget, on a page of its own."""
    return partial(live_story, tabs(), widget)

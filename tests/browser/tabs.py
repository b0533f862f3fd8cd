"""Pages of a browser without a way out: what one did, fresh ones, and ones that are lent, taken back and lent again.

Not a test itself.
"""

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

# What no page of ours can prevent, all of it harmless: a message of sphinx-thebe, one of the theme on a first
# visit, and, with the theme that Python 3.10 gets, icon fonts that a browser refuses to a page over file://.
KNOWN_NOISE = re.compile(
    "Identifier 'THEBE_JS_URL' has already been declared|Got invalid theme mode"
    r"|file:///\S+/_static/vendor/fontawesome/"
)
PATIENCE = 30_000  # milliseconds: a condition comes true late on a busy machine


@dataclass
class Record:
    """What a page did: requests to other hosts, and errors that are ours (known noise left out)."""

    foreign: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def trouble(self) -> list[str]:
        """All that a silent page has none of: requests to other hosts, and errors."""
        return [*(f"asked {address}" for address in self.foreign), *self.errors]

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


def fresh_page(browser: Any, *, width: int = 1280, height: int = 900, theme: str = "light", **options: Any):
    """Return a page in a context of its own, as nobody has used it; ``page.record`` is its :class:`Record`.

    Args:
        browser: Where to open it.
        width: Of the window, in pixels.
        height: Of the window, in pixels.
        theme: Sets both the system's preference and the site's switch.
        options: What else playwright's ``new_context`` takes.

    Returns:
        The page, blank.

    Example:
        >>> fresh_page(browser, width=360, has_touch=True).record.trouble  # doctest: +SKIP
        []
    """
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=theme, service_workers="block", **options
    )
    page = context.new_page()
    page.record = Record()  # looked up anew at each event: a page that is lent again gets another
    context.on("request", lambda request: page.record.request(request.url))
    context.on(
        "requestfailed", lambda request: page.record.error(f"failed: {request.url} ({request.failure})")
    )
    context.on(
        "response",
        lambda reply: page.record.error(f"{reply.status}: {reply.url}") if reply.status >= 400 else None,
    )
    page.on("pageerror", lambda error: page.record.error(str(error)))
    page.on("console", lambda message: page.record.console(message))
    page.add_init_script(
        f"try {{ for (const key of ['mode', 'theme']) localStorage.setItem(key, '{theme}') }} catch {{}}"
    )
    return page


class Tabs:
    """Pages that are lent to one test after the other: to open one costs three times as much as to lead it on.

    A lent page is blank, its record is new, its window has the size that was asked for. Its history and what sites
    stored in it are those of all who had it before.

    Args:
        browser: Where they are opened.

    Example:
        >>> tabs = Tabs(browser)  # doctest: +SKIP
        >>> tabs.lend(width=360).goto("about:blank")  # doctest: +SKIP
        >>> tabs.take_back()  # doctest: +SKIP
    """

    def __init__(self, browser: Any):
        self.browser = browser
        self.free: dict[str, list] = {}  # by theme and options
        self.lent: list[tuple[str, Any]] = []

    def lend(self, *, width: int = 1280, height: int = 900, theme: str = "light", **options: Any):
        """Return a page that nobody has at the moment; the arguments are those of :func:`fresh_page`."""
        kind = repr((theme, sorted(options.items())))
        free = self.free.setdefault(kind, [])
        size = {"width": width, "height": height}
        page = free.pop() if free else fresh_page(self.browser, theme=theme, **size, **options)
        self.lent.append((kind, page))
        if page.viewport_size != size:
            page.set_viewport_size(size)
        page.record = Record()
        page.set_default_timeout(PATIENCE)
        return page

    def take_back(self) -> None:
        """Lead all pages that are lent to a blank one; close those that do not obey."""
        while self.lent:
            kind, page = self.lent.pop()
            try:
                page.mouse.move(0, 0)
                page.goto("about:blank")
                self.free[kind].append(page)
            except Exception:  # a page that hangs or crashed has failed its test already
                page.context.close()

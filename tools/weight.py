"""Say what each page loads at the first view: ``python -m tools.weight`` weighs every page of the built site.

A headless Chromium without a network opens each page once with an empty cache, at the top, and stays there; what it
asked for is counted as a server would send it, text compressed with gzip. Name pages to see their parts:
``python -m tools.weight book/16-dead-neurons.html``. Chromium is looked for on the path, or in ``$CHROMIUM``.
"""

import gzip
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from tests.browser.servers import served
from tools.chromium import find_chromium

SITE = Path("_build/html")
COMPRESSED = {".html", ".css", ".js", ".svg", ".xml", ".txt"}  # by servers; pictures and fonts already are
LIMIT = 1_200_000  # bytes of a chapter's first view


@dataclass(frozen=True)
class Part:
    """A file that a page loads: its name within the site, and its bytes as stored and as sent."""

    name: str
    stored: int
    sent: int


def weigh(addresses: Iterable[str], site: Path) -> list[Part]:
    """Return the parts behind the addresses that a page asked for, the heaviest first.

    Args:
        addresses: all that was requested; an address counts once, and those without a file (``data:``, ``blob:``)
            do not, since they travelled inside another part.
        site: the folder that was served at the root of its host.

    Returns:
        One part per file.

    Raises:
        FileNotFoundError: the site has no such file.
    """
    paths = {
        unquote(urlsplit(a).path.lstrip("/")) for a in addresses if urlsplit(a).scheme in {"http", "https"}
    }
    parts = []
    for name in paths:
        if not (site / name).is_file():
            raise FileNotFoundError(f"a page asked for {name!r}, and {str(site)!r} has no such file")
        content = (site / name).read_bytes()
        sent = len(gzip.compress(content, 6)) if Path(name).suffix in COMPRESSED else len(content)
        parts.append(Part(name, len(content), sent))
    return sorted(parts, key=lambda part: (-part.sent, part.name))


def requested(pages: list[str], site: Path) -> Iterator[tuple[str, list[str]]]:
    """Open each page of ``site`` in a fresh Chromium context and yield its name and the addresses it asked for."""
    from playwright.sync_api import sync_playwright

    sandbox = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with served(site) as host, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=find_chromium(), args=sandbox)
        for name in pages:
            addresses: list[str] = []
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.on("request", lambda request, seen=addresses: seen.append(request.url))
            settle(page, f"{host}/{name}")
            page.close()
            yield name, addresses
        browser.close()


def settle(page: Any, address: str) -> None:
    """Lead a browser's page to ``address`` and wait until it has asked for all that a first view needs."""
    page.goto(address, wait_until="load")
    page.evaluate("""async () => {
        await window.MathJax?.startup?.promise;
        await document.fonts.ready;
        for (let i = 0; i < 3; i++) await new Promise(requestIdleCallback); // for what is asked for late
    }""")


def leads_on(page: Path) -> bool:
    """Tell whether a page only sends its reader on: it has no first view, and the page it names is weighed itself."""
    return 'http-equiv="refresh"' in page.read_text(encoding="utf-8")


def main(pages: list[str]) -> int:
    """Print a line per page, and the parts of the pages that were named; return 1 when a chapter is too heavy."""
    if not (SITE / "index.html").is_file():
        raise SystemExit(f"{SITE} has no site; run: make book")
    files = [path for path in SITE.rglob("*.html") if "_static" not in path.parts and not leads_on(path)]
    every = sorted(path.relative_to(SITE).as_posix() for path in files)
    heavy = 0
    print(f"{'page':36}{'requests':>9}{'kB stored':>11}{'kB sent':>9}")
    for name, addresses in requested(pages or every, SITE):
        parts = weigh(addresses, SITE)
        sent = sum(part.sent for part in parts)
        heavy += sent > LIMIT and name[5:7].isdigit()
        stored = sum(part.stored for part in parts)
        print(
            f"{name:36}{len(parts):9}{stored / 1000:11.0f}{sent / 1000:9.0f}{' too heavy' * (sent > LIMIT)}"
        )
        for part in parts if pages else ():
            print(f"    {part.name:66}{part.stored / 1000:9.1f}{part.sent / 1000:9.1f}")
    return int(heavy > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

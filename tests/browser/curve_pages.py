"""Small pages that carry a widget the way a chapter does, over http and as files; not a test itself."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from tests.browser.test_neuron_ward import PAGE, THEMES


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def small_pages(folder: Path, root: Path, **widgets: str) -> Iterator[Callable[..., str]]:
    """Write ``NAME-light.html`` and ``NAME-dark.html`` for each of the widgets.

    Gives ``address("NAME-light.html#...", scheme="file")``.
    """
    for name, html in widgets.items():
        for theme, (back, ink) in THEMES.items():
            text = PAGE.format(theme=theme, back=back, ink=ink, widgets=html)
            (folder / f"{name}-{theme}.html").write_text(text, encoding="utf-8")
    script = (root / "assets" / "mount-widgets.js").read_text(encoding="utf-8")
    (folder / "mount-widgets.js").write_text(script, encoding="utf-8")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(folder)))
    Thread(target=server.serve_forever, daemon=True).start()

    def address(page: str, scheme: str = "file") -> str:
        name, hash_sign, fragment = page.partition("#")
        base = (
            (folder / name).as_uri() if scheme == "file" else f"http://127.0.0.1:{server.server_port}/{name}"
        )
        return base + hash_sign + fragment

    yield address
    server.shutdown()
    server.server_close()

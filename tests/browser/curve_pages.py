"""Small pages that carry a widget the way a chapter does, over http and as files; not a test itself."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from tests.browser.test_neuron_ward import PAGE, THEMES


def repaint_milliseconds(tab: Any, name: str, many: int = 10) -> float:
    """Return what one step of the slider ``name`` costs the page's main thread, from input to layout.

    It is the thread's own time: on a busy machine a clock would tell of the others.
    """
    client = tab.context.new_cdp_session(tab)
    client.send("Performance.enable", {"timeDomain": "threadTicks"})

    def spent() -> float:
        metrics = client.send("Performance.getMetrics")["metrics"]
        return 1000 * next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration")

    move = """([name, many]) => {
        const input = document.querySelector(`input[name=${name}]`);
        for (let i = 0; i < many; i++) {
            input.value = Number(input.value) + Number(input.step);
            input.dispatchEvent(new Event("input", { bubbles: true }));
            document.body.offsetHeight;
        }
    }"""
    tab.evaluate(move, [name, 3])  # compiled by now
    before = spent()
    tab.evaluate(move, [name, many])
    return (spent() - before) / many


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

"""The playground's network of two times eight units: its steps in a browser, in Node and in torch, and its pictures."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from benchmarks.pairs import ratio, side_by_side
from labs.playground import Run, Setup
from labs.widgets import Playground
from tools.chromium import DownloadError, blank_page

SETUP = Setup()  # 2-8-8-2 and batches of 32
BURST = 300  # steps: the least that the page should do in a second
BEGIN = "globalThis.run = new E.Run(E.readSetup({text}).setup);"
STEPS = "for (let i = 0; i < {count}; i++) run.step();"
IN_THE_PAGE = (
    "async ([source, begin]) => {"
    " globalThis.E = await import(URL.createObjectURL(new Blob([source], { type: 'text/javascript' })));"
    " (0, eval)(begin); }"
)
IN_NODE = """
import { createInterface } from "node:readline";
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const { source, begin } = JSON.parse((await lines.next()).value); // too long for the command line
globalThis.E = await import("data:text/javascript;base64," + Buffer.from(source).toString("base64"));
(0, eval)(begin);
for await (const line of lines) {
    (0, eval)(line);
    console.log("done");
}
"""
# The widget on an empty page, with a stand-in for anywidget's model; it stands at step 200.
SHOW = """(state) => {
    const el = document.body.appendChild(document.createElement("div"));
    const model = { get: (name) => state[name], set: (name, value) => { state[name] = value; } };
    E.default.render({ model: { ...model, on() {}, off() {}, save_changes() {}, isStatic: true }, el });
}"""
PRESS = """async () => { // one step, drawn: from the press of the button to the next picture
    const spent = [];
    for (let i = 0; i < 20; i++) {
        await new Promise(requestAnimationFrame);
        const started = performance.now();
        document.querySelector("[data-do=step]").click();
        document.body.offsetHeight;
        spent.push(performance.now() - started);
    }
    return spent.slice(5);
}"""


def steps(rounds: int = 20) -> dict:
    """Steps of 2-8-8-2 with batches of 32 in headless Chromium and in Node, against torch with one thread; a picture.

    Chromium or Node that is missing is left out.
    """
    threads, run = torch.get_num_threads(), Run(SETUP)
    torch.set_num_threads(1)
    ways: dict[str, Callable[[], Any]] = {"torch": lambda: [run.step() for _ in range(BURST)]}
    try:
        with _page() as page, _node() as node:
            burst = STEPS.format(count=BURST)
            if page is not None:
                ways["Chromium"] = lambda: page.evaluate(burst)
            if node is not None:
                ways["Node"] = lambda: node(burst)
            seconds = side_by_side(ways, rounds=rounds, warm_up=2)
            pictures = _pictures(page) if page is not None else {}
    finally:
        torch.set_num_threads(threads)
    rates = {name: BURST / statistics.median(seconds[name]) for name in ways}
    return {
        "torch / the browser's engine": {
            name: ratio(seconds, "torch", name) for name in ways if name != "torch"
        },
        "steps per second": rates,
        "at least 300 a second": all(rates[name] >= BURST for name in rates if name != "torch"),
        **pictures,
    }


@contextmanager
def _page() -> Iterator[Any]:
    """A page of Chromium with the widget's module as ``E`` and a run; None where there is no Chromium."""
    try:
        opened = blank_page(viewport={"width": 1280, "height": 900})
        page = opened.__enter__()
    except DownloadError:
        yield None
        return
    try:
        page.evaluate(IN_THE_PAGE, [Playground._esm, BEGIN.format(text=json.dumps(SETUP.text()))])
        page.add_style_tag(content=Playground._css)
        yield page
    finally:
        opened.__exit__(None, None, None)


@contextmanager
def _node() -> Iterator[Callable[[str], str] | None]:
    """A function that lets a process of Node carry out a line of code; None where there is no Node."""
    path = shutil.which("node")
    if path is None:
        yield None
        return
    told = json.dumps({"source": Playground._esm, "begin": BEGIN.format(text=json.dumps(SETUP.text()))})
    command = [path, "--input-type=module", "--eval", IN_NODE]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def carry_out(line: str) -> str:
            process.stdin.write(line + "\n")
            process.stdin.flush()
            return process.stdout.readline()

        process.stdin.write(told + "\n")
        yield carry_out
        process.stdin.close()


def _pictures(page: Any) -> dict:
    """How long the page takes for one step and all its pictures [ms], median, of the network that is measured."""
    widget = Playground(SETUP, step=200)
    page.evaluate(SHOW, {name: getattr(widget, name) for name in ("data", "setup", "step", "controls")})
    page.wait_for_function("document.querySelector('.play-wait')?.hidden !== false")
    return {"a step and its picture [ms]": statistics.median(page.evaluate(PRESS))}

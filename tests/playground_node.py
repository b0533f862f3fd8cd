"""The engine of the playground in node, for tests that need no page; not a test itself."""

import importlib.util
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from labs.widgets.playground import MODULES
from tests.conftest import ROOT

#: The engine's files in the order in which the widget joins them; what draws on the page comes after them.
ENGINE = MODULES[: MODULES.index("curve_drawing.js")]
_PROGRAM = """
const E = await import("data:text/javascript;base64," + Buffer.from({source}).toString("base64"));
const given = ({code})(E, {argument});
const plain = (_, v) => ArrayBuffer.isView(v) ? [...v]
    : typeof v === "number" && !Number.isFinite(v) ? {{ float: String(v).replace("Infinity", "inf") }} : v;
process.stdout.write(JSON.stringify({{ given }}, plain));
"""


def find_node() -> str | None:
    """Return the path of node: the system's, or the one that drives playwright; None where there is neither."""
    found = importlib.util.find_spec("playwright")
    driver = Path(found.origin).parent / "driver" if found else ""
    return shutil.which("node") or shutil.which("node", path=driver)


def engine(code: str, argument: Any = None, also: tuple[str, ...] = ()) -> Any:
    """Return what ``code`` gives, a function of the engine's module and of ``argument``; skip without node.

    Args:
        code: a JavaScript function whose result has a form in JSON; NaN and infinities, and typed arrays, have one too.
        argument: in JSON's types.
        also: further files of the widget, which come after those of the engine.
    """
    node = find_node()
    if node is None:
        pytest.skip(
            "no node on this machine (install the package nodejs, or playwright, which brings one along)"
        )
    folder = ROOT / "labs" / "widgets"
    source = "\n".join((folder / name).read_text(encoding="utf-8") for name in (*ENGINE, *also))
    program = _PROGRAM.format(source=json.dumps(source), code=code, argument=json.dumps(argument))
    done = subprocess.run(
        [node, "--input-type=module", "-"], input=program, capture_output=True, text=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout, object_hook=_float_or_dict).get("given")


def _float_or_dict(found: dict) -> Any:
    return float(found["float"]) if list(found) == ["float"] else found


def losses_of(setups: list[str], steps: int, numbers: dict) -> list[dict]:
    """Return for each text of a setup what ``steps`` steps give: losses, parameters at the end, and the trouble.

    Args:
        setups: texts as in the link.
        steps: how many to take.
        numbers: how Rational, BSpline and Fourier start, from :func:`labs.playground.start_numbers`.
    """
    code = """(E, [setups, steps, numbers]) => setups.map((text) => {
        const { setup, faults } = E.readSetup(text), run = new E.Run(setup, numbers), first = run.network.values.slice();
        while (run.at < steps && run.step());
        const { data, history, trouble } = run;
        return { faults, first, losses: history.loss.slice(0, history.steps), values: run.network.values, score: run.score(), data, trouble };
    })"""  # noqa: E501
    return engine(code, [setups, steps, numbers])

"""A widget in a live notebook, where Python answers: told by a stand-in for anywidget's model.

Not a test itself.
"""

import json
import re
from typing import Any

LIVE = """async ([source, state, { sets, shows, does, keeps }]) => {
    const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    const module = await import(address), saved = [];
    let heard = [];
    const model = {
        get: (name) => state[name],
        set: (name, value) => {
            if (state[name] === value) return;
            state[name] = value;
            heard.filter(([event]) => event === `change:${name}`).forEach(([, f]) => f());
        },
        save_changes: () => saved.push(keeps.map((name) => state[name])),
        on: (event, f) => heard.push([event, f]),
        off: (event, f) => (heard = heard.filter(([e, g]) => e !== event || g !== f)),
    };
    const el = document.body.appendChild(document.createElement("div"));
    const leave = module.default.render({ model, el });
    Object.entries(sets).forEach(([name, value]) => model.set(name, value)); // from Python
    await Promise.resolve(); // a widget may draw after the last of several changes
    const part = el.querySelector(shows), shown = part.value ?? part.textContent, listened = heard.length;
    for (const [kind, selector, value] of does) {
        const target = el.querySelector(selector);
        if (kind === "click") target.click();
        else {
            target.value = value;
            target.dispatchEvent(new Event(kind, { bubbles: true }));
        }
    }
    leave();
    el.remove();
    const then = JSON.stringify(state);
    for (let frame = 0; frame < 20; frame++) await new Promise(requestAnimationFrame);
    return { shown, saved, listened, left: heard.length, still: JSON.stringify(state) === then };
}"""


def static_state(widget: Any) -> dict:
    """Return the state of ``widget`` as its page carries it."""
    return json.loads(re.search(r"<script[^>]*>(.*?)</script>", widget.static_html(), re.DOTALL)[1])["state"]


def live_story(tab: Any, widget: Any, *, sets: dict, shows: str, does: list, keeps: list[str]) -> dict:
    """Return what a widget shows and saves that Python and a hand change, before it goes.

    Args:
        tab: Any page.
        widget: The widget.
        sets: What Python sets, by the names of the traits.
        shows: A selector: what this part shows then is told.
        does: What a hand does: ``["click", selector]``, or ``["input", selector, value]`` for another event.
        keeps: The names of the traits that are noted whenever the widget saves.

    Returns:
        ``shown``, ``saved`` (a list of what ``keeps`` names, for each save), ``listened`` and ``left`` (the number of
        listeners, before and after the widget went), and ``still``, whether the state stayed as it was once it had.

    Raises:
        playwright.sync_api.Error: If the page has no such part, or the widget throws.

    Example:
        >>> live_story(tab, NeuronBench(), sets={"b": 1}, shows="[name=b]", does=[], keeps=[])  # doctest: +SKIP
        {'shown': '1', 'saved': [], 'listened': 6, 'left': 0, 'still': True}
    """
    told = {"sets": sets, "shows": shows, "does": does, "keeps": keeps}
    return tab.evaluate(LIVE, [str(widget._esm), static_state(widget), told])

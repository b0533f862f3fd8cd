"""What a reader meets on a page: sizes, places, what stands behind, what is written.

Not a test itself.
"""

from typing import Any


def sizes_of(tab: Any, selector: str) -> list[list[float]]:
    """Return width and height in pixels of all that ``selector`` finds."""
    return tab.eval_on_selector_all(
        selector, "all => all.map(e => e.getBoundingClientRect()).map(r => [r.width, r.height])"
    )


def places_of(tab: Any, selector: str) -> list[list[float]]:
    """Return left edge, right edge and height in pixels of all that ``selector`` finds."""
    return tab.eval_on_selector_all(
        selector, "all => all.map(e => e.getBoundingClientRect()).map(r => [r.left, r.right, r.height])"
    )


def letters_of(tab: Any, selector: str) -> list[float]:
    """Return the size in pixels of the letters of all SVG texts that ``selector`` finds."""
    return tab.eval_on_selector_all(
        selector, "all => all.map(e => parseFloat(getComputedStyle(e).fontSize) * e.getScreenCTM().a)"
    )


def styles_of(tab: Any, selector: str, name: str) -> list[str]:
    """Return one computed property, such as ``"stroke"``, of all that ``selector`` finds."""
    return tab.eval_on_selector_all(
        selector, "(all, name) => all.map((e) => getComputedStyle(e)[name])", name
    )


def plates_behind(tab: Any, selector: str) -> set[str]:
    """Return the background colours from what ``selector`` finds up to the page."""
    return set(
        tab.eval_on_selector(
            selector,
            """(e) => {
                const plates = [];
                for (; e !== document.documentElement; e = e.parentElement)
                    plates.push(getComputedStyle(e).backgroundColor);
                return plates;
            }""",
        )
    )


def unnamed(tab: Any, selector: str) -> int:
    """Return how many of the controls that ``selector`` finds have no label."""
    return tab.eval_on_selector_all(selector, "all => all.filter((e) => !e.labels.length).length")


def text_without(tab: Any, selector: str, without: str = "[aria-live]") -> str:
    """Return the text of what ``selector`` finds first, without its parts that ``without`` finds."""
    return tab.eval_on_selector(
        selector,
        """(e, without) => {
            const copy = e.cloneNode(true);
            copy.querySelectorAll(without).forEach((part) => part.remove());
            return copy.textContent;
        }""",
        without,
    )

"""Every built page, in a browser without a network: complete, silent, and readable on any screen."""

import re
from pathlib import Path

import pytest

SITE = Path(__file__).resolve().parents[2] / "_build" / "html"
# Without index.html, which only leads on to the front page and has a test of its own.
PAGES = sorted(
    {str(path.relative_to(SITE)) for path in SITE.rglob("*.html") if "_static" not in path.parts}
    - {"index.html"}
)
SCHEMES = ("http", "file")
FORMULA = re.compile(r'class="[^"]*\bmath\b')

every_page = pytest.mark.parametrize("page_name", PAGES)
both_schemes = pytest.mark.parametrize("scheme", SCHEMES)


def brightness(colour):
    """Of a CSS colour such as ``rgb(34, 40, 50)``: 0 is black, 1 is white."""
    return sum(map(int, re.findall(r"\d+", colour)[:3])) / (3 * 255)


def open_page(page, address):
    """Open ``address`` and wait until its scripts, formulas and fonts are done."""
    page.goto(address, wait_until="load")
    page.evaluate("""async () => {
        await window.MathJax?.startup?.promise;
        await document.fonts.ready;
        for (let i = 0; i < 2; i++) await new Promise(requestIdleCallback); // for what scripts ask for late
    }""")
    return page


def looked_over(page):
    """Return what a page of the book must have none of, by name: faults that its formulas and pictures show."""
    return page.evaluate("""async () => {
        const all = (selector) => [...document.querySelectorAll(`article ${selector}`)];
        const images = all("img");
        const decode = (image) => {
            image.loading = "eager";
            return image.decode().then(() => "", () => image.src);
        };
        return {
            "formulas not set": all(".math").filter((f) => !f.querySelector("mjx-container")).map((f) => f.textContent),
            "formulas with an error": [...document.querySelectorAll("mjx-merror")].map((f) => f.textContent),
            "broken images": (await Promise.all(images.map(decode))).filter(Boolean),
            "images without a text": images.filter((i) => !i.alt || i.alt.includes("_images/")).map((i) => i.src),
        };
    }""")


def assert_complete(page, source):
    """Assert that an open page is complete, silent, and asked no other host; ``source`` is its HTML."""
    assert {fault: found for fault, found in looked_over(page).items() if found} == {}
    assert bool(FORMULA.search(source)) <= (page.locator("article .math").count() > 0)
    assert page.record.trouble == []


@every_page
def test_a_page_is_complete_and_asks_nobody_else(tabs, url, site, page_name):
    page = open_page(tabs(), url(page_name))

    assert_complete(page, (site / page_name).read_text(encoding="utf-8"))


@every_page
def test_from_disk_on_a_narrow_screen_a_page_is_complete_and_readable_in_both_themes(
    tabs, url, site, page_name
):
    page = open_page(tabs(width=360, height=740, theme="dark"), url(page_name, "file"))

    assert_complete(page, (site / page_name).read_text(encoding="utf-8"))
    for theme in ("dark", "light"):
        too_wide, ground, text = page.evaluate(
            """theme => {
                const root = document.documentElement;
                root.dataset.theme = theme;
                const style = getComputedStyle(document.body);
                return [root.scrollWidth - root.clientWidth, style.backgroundColor, style.color];
            }""",
            theme,
        )
        assert too_wide <= 0, "the page scrolls sideways"
        dark, bright = (ground, text) if theme == "dark" else (text, ground)
        assert brightness(dark) < 0.4
        assert brightness(bright) > 0.6


@both_schemes
def test_the_search_finds_a_chapter(tabs, url, scheme):
    page = tabs()

    page.goto(url("search.html", scheme) + "?q=neuron")
    page.locator("#search-results li a").first.wait_for()

    assert any(
        "dead-neurons" in (a.get_attribute("href") or "") for a in page.locator("#search-results a").all()
    )
    assert page.record.foreign == []


@both_schemes
def test_the_front_door_leads_into_the_book(tabs, url, scheme):
    page = tabs()

    page.goto(url("index.html", scheme), wait_until="commit")
    page.wait_for_url("**/book/index.html")

    assert "Nonlinear" in page.title()
    assert page.record.foreign == []


@pytest.mark.parametrize("page_name", [name for name in PAGES if re.search(r"/\d\d-", name)])
def test_a_chapter_can_be_launched_and_is_edited_through_its_source(site, page_name):
    source = (site / page_name).read_text(encoding="utf-8")
    stem = page_name.removesuffix(".html")

    links = re.findall(r'href="(https://[^"]+)"', source)

    assert any(link.startswith("https://colab.") and link.endswith(f"{stem}.ipynb") for link in links)
    assert any(link.startswith("https://mybinder.org/") and link.endswith(f"{stem}.ipynb") for link in links)
    assert any("/edit/" in link and link.endswith(f"{stem}.md") for link in links)
    assert not any("/edit/" in link and link.endswith(".ipynb") for link in links)


def test_the_site_is_small(site):
    # The budget of the whole output; most of it is the theme and MathJax.
    assert sum(path.stat().st_size for path in site.rglob("*") if path.is_file()) <= 40e6

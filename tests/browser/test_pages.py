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
    page.evaluate("() => window.MathJax?.startup?.promise")
    page.evaluate("() => document.fonts.ready.then(() => true)")
    return page


@both_schemes
@every_page
def test_a_page_is_complete_and_asks_nobody_else(page_factory, url, site, page_name, scheme):
    page = open_page(page_factory(), url(page_name, scheme))
    formulas = page.locator("article .math")

    unset = formulas.evaluate_all(
        "all => all.filter(f => !f.querySelector('mjx-container')).map(f => f.textContent)"
    )
    wrong = page.locator("mjx-merror").all_text_contents()
    images = page.locator("article img")
    broken = images.evaluate_all(
        "all => Promise.all(all.map(i => { i.loading = 'eager';"
        " return i.decode().then(() => '', () => i.src) }))"
    )
    nameless = images.evaluate_all(
        "all => all.filter(i => !i.alt || i.alt.includes('_images/')).map(i => i.src)"
    )
    page.wait_for_timeout(300)  # for what scripts ask for late

    assert page.record.foreign == []
    assert page.record.errors == []
    assert bool(FORMULA.search((site / page_name).read_text(encoding="utf-8"))) <= (formulas.count() > 0)
    assert unset == []
    assert wrong == []
    assert [source for source in broken if source] == []
    assert nameless == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@every_page
def test_a_page_is_readable_on_a_narrow_screen_in_both_themes(page_factory, url, page_name, theme):
    page = open_page(page_factory(width=360, height=740, theme=theme), url(page_name))

    too_wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    ground, text = page.evaluate(
        "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]"
    )

    assert too_wide <= 0, "the page scrolls sideways"
    dark, bright = (ground, text) if theme == "dark" else (text, ground)
    assert brightness(dark) < 0.4
    assert brightness(bright) > 0.6


@both_schemes
def test_the_search_finds_a_chapter(page_factory, url, scheme):
    page = page_factory()

    page.goto(url("search.html", scheme) + "?q=neuron")
    page.locator("#search-results li a").first.wait_for(timeout=15_000)

    assert any(
        "dead-neurons" in (a.get_attribute("href") or "") for a in page.locator("#search-results a").all()
    )
    assert page.record.foreign == []


@both_schemes
def test_the_front_door_leads_into_the_book(page_factory, url, scheme):
    page = page_factory()

    page.goto(url("index.html", scheme), wait_until="commit")
    page.wait_for_url("**/book/index.html")

    assert "Nonlinear" in page.title()
    assert page.record.foreign == []


@pytest.mark.parametrize("page_name", [name for name in PAGES if re.search(r"/\d\d-", name)])
def test_a_chapter_can_be_launched_and_is_edited_through_its_source(page_factory, url, page_name):
    page = open_page(page_factory(), url(page_name))
    stem = page_name.removesuffix(".html")

    links = page.locator("a[href^='https://']").evaluate_all("all => all.map(a => a.href)")

    assert any(link.startswith("https://colab.") and link.endswith(f"{stem}.ipynb") for link in links)
    assert any(link.startswith("https://mybinder.org/") and link.endswith(f"{stem}.ipynb") for link in links)
    assert any("/edit/" in link and link.endswith(f"{stem}.md") for link in links)
    assert not any("/edit/" in link and link.endswith(".ipynb") for link in links)


def test_the_site_is_small(site):
    # The budget of the whole output; most of it is the theme and MathJax.
    assert sum(path.stat().st_size for path in site.rglob("*") if path.is_file()) <= 40e6

"""The issue button in a browser: at the click it knows the section in view; until then nobody is asked."""

from urllib.parse import parse_qs, urlsplit

import pytest

import labs

PAGE = "book/16-dead-neurons.html"
LINK = "a.btn-source-issues-button"
LONGEST = 2000  # characters of an address that every server takes


def where_at_click(page, section=None, event="click"):
    """Scroll to ``section``, click on the link without following it, and return its address and the field."""
    if section:
        page.evaluate(
            "id => document.getElementById(id).querySelector(':is(h2, h3)').scrollIntoView()", section
        )
    page.evaluate(
        """([selector, event]) => {
            const link = document.querySelector(selector);
            link.addEventListener(event, (e) => e.preventDefault(), { once: true });
            link.querySelector("span").dispatchEvent(new MouseEvent(event, { bubbles: true, cancelable: true }));
        }""",
        [LINK, event],
    )
    address = page.locator(LINK).get_attribute("href")
    return address, parse_qs(urlsplit(address).query)["where"][0]


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_the_section_in_view_is_in_the_address_at_each_click(tabs, url, scheme):
    page = tabs()
    page.goto(url(PAGE, scheme))

    first, at_first = where_at_click(page, "the-big-untrained-network")
    _, at_second = where_at_click(page, "the-neuron-ward", "contextmenu")

    begin = f"Version {labs.__version__}, page {PAGE}, section "
    assert at_first == f'{begin}"The big untrained network"'
    assert at_second == f'{begin}"The neuron ward"'
    assert "+" not in first
    assert page.record.trouble == []


def test_above_the_first_section_the_page_alone_is_named(tabs, url):
    page = tabs()
    page.goto(url(PAGE))

    _, where = where_at_click(page)

    assert where == f"Version {labs.__version__}, page {PAGE}"


def test_a_long_heading_with_signs_is_encoded_and_cut(tabs, url):
    page = tabs()
    page.goto(url(PAGE))
    page.evaluate(
        "document.querySelector('#what-a-dead-neuron-is h2').textContent = '1 + 1 & \"ä\" #' + '€'.repeat(999)"
    )

    address, where = where_at_click(page, "what-a-dead-neuron-is")

    section = where.split("section ", 1)[1]
    assert section.startswith('"1 + 1 & "ä" #€€')
    assert len(section) == 120 + 2
    assert len(address) < LONGEST


def test_without_javascript_the_plain_link_names_page_and_version(tabs, url):
    page = tabs(java_script_enabled=False)
    page.goto(url(PAGE))

    address = page.locator(LINK).get_attribute("href")

    assert parse_qs(urlsplit(address).query)["where"] == [f"Version {labs.__version__}, page {PAGE}"]

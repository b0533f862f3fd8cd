"""The issue button: the form it opens exists, and page and version are filled in."""

from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

import labs
from tools.site_hooks import ISSUE_FORM, book_version, issue_address, prefill_issue

ROOT = Path(__file__).resolve().parents[1]
THEMES = "https://github.com/owner/book/issues/new?title=Issue%20on%20page%20%2Fa.html&body=Your%20issue"


def query_of(address: str) -> dict[str, str]:
    return {
        name: values[0] for name, values in parse_qs(urlsplit(address).query, strict_parsing=True).items()
    }


def test_the_version_is_that_of_labs():
    assert book_version(ROOT) == labs.__version__


def test_the_address_names_page_and_version_and_nothing_of_the_theme_is_left():
    address = issue_address(THEMES, "book/16-dead-neurons", "0.1.0")

    assert address.startswith("https://github.com/owner/book/issues/new?")
    assert query_of(address) == {
        "template": ISSUE_FORM,
        "title": "16-dead-neurons: ",
        "where": "Version 0.1.0, page book/16-dead-neurons.html",
    }


@pytest.mark.parametrize("name", ["a b&c=d", "ä+ö", 'e"f<g>'])
def test_odd_names_survive_the_address(name):
    address = issue_address(THEMES, f"book/{name}", "1")

    assert query_of(address)["title"] == f"{name}: "
    assert not set(' "<>+') & set(address)


def test_the_form_exists_and_has_the_field_that_is_filled_in():
    form = yaml.safe_load((ROOT / ".github" / "ISSUE_TEMPLATE" / ISSUE_FORM).read_text(encoding="utf-8"))

    assert "where" in {field["id"] for field in form["body"]}


@pytest.mark.parametrize("grouped", [True, False])
def test_only_the_issue_button_changes_alone_or_in_a_group(grouped):
    issue = {"label": "source-issues-button", "url": THEMES}
    other = {"label": "source-repository-button", "url": "https://github.com/owner/book"}
    buttons = [{"label": "source-buttons", "buttons": [other, issue]}] if grouped else [other, issue]

    prefill_issue(SimpleNamespace(srcdir=ROOT), "book/index", "page.html", {"header_buttons": buttons}, None)

    assert query_of(issue["url"])["where"].endswith("page book/index.html")
    assert other["url"] == "https://github.com/owner/book"


def test_a_button_of_another_host_and_a_page_without_buttons_are_left_alone():
    elsewhere = {"label": "source-issues-button", "url": "https://gitlab.com/o/b/-/issues/new?issue[title]=x"}

    prefill_issue(SimpleNamespace(srcdir=ROOT), "a", "", {"header_buttons": [elsewhere]}, None)
    prefill_issue(SimpleNamespace(srcdir=ROOT), "a", "", {}, None)

    assert elsewhere["url"].endswith("issue[title]=x")

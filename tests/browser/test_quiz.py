"""Quizzes on a page: answers fold out, the first choice is counted, and it is still there after a reload."""

import pytest

PAGE = "book/04-neuron.html"


@pytest.fixture(params=["http", "file"])
def page(request, page_factory, url):
    """A chapter with quizzes, opened over http and from disk."""
    page = page_factory()
    page.goto(url(PAGE, request.param), wait_until="load")
    page.locator(".quiz-count").first.wait_for()
    return page


def answer(page, number, right):
    """The first answer of quiz ``number`` that is right, or wrong."""
    return page.locator(".quiz").nth(number).locator(f".quiz-answer[data-right={right}]").first


def test_answers_are_told_apart_and_the_first_choice_is_counted_and_remembered(page):
    total = page.locator(".quiz").count()
    status = page.locator(".quiz-count [role=status]")
    assert status.inner_text() == f"0 of {total} answered, 0 right at the first try."
    assert not page.locator(".quiz-count button").is_visible()

    answer(page, 0, "no").locator("summary").click()
    page.get_by_text(f"1 of {total} answered, 0 right at the first try.").wait_for()
    assert answer(page, 0, "no").locator(".quiz-feedback").inner_text().startswith("Not quite.")

    answer(page, 0, "yes").locator("summary").click()  # a second choice: read, not counted
    answer(page, 1, "yes").locator("summary").focus()
    page.keyboard.press("Enter")
    page.get_by_text(f"2 of {total} answered, 1 right at the first try.").wait_for()
    assert answer(page, 1, "yes").locator(".quiz-feedback").inner_text().startswith("Right.")

    page.reload(wait_until="load")
    page.get_by_text(f"2 of {total} answered, 1 right at the first try.").wait_for()
    assert answer(page, 0, "no").get_attribute("open") is not None

    page.get_by_role("button", name="Forget my answers").click()
    page.get_by_text(f"0 of {total} answered, 0 right at the first try.").wait_for()
    assert page.locator(".quiz-answer[open]").count() == 0
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
    assert page.record.errors == []
    assert page.record.foreign == []


def test_without_a_script_and_on_paper_the_questions_remain(page_factory, url):
    page = page_factory(java_script_enabled=False)
    page.goto(url(PAGE, "file"))

    answer(page, 0, "yes").locator("summary").click()
    assert answer(page, 0, "yes").locator(".quiz-feedback").is_visible()

    page.emulate_media(media="print")
    assert answer(page, 0, "yes").locator("summary").is_visible()
    assert not answer(page, 0, "yes").locator(".quiz-feedback").is_visible()

"""The point fit in a browser: its least squares against numpy, and dragging, keys, address, themes, screens."""

import math
import re

import numpy as np
import pytest
from numpy.polynomial import legendre
from sklearn.linear_model import Ridge

from labs.widgets import PointFit
from tests.browser.looks import places_of, sizes_of, styles_of
from tests.browser.widget_pages import THEMES, contrast, repaint_milliseconds

CHAPTER = "book/01-supervised-learning.html"
both_schemes = pytest.mark.parametrize("scheme", ["http", "file"])
RIDGES = [0.0, 1e-6, 1e-4, 0.01, 1.0, 100.0]
GRID = np.linspace(-1, 1, 41)


@pytest.fixture(scope="module")
def widget():
    return PointFit.precompute()


def solved(u, y, degree, ridge):
    """The same fit with numpy: least squares with the penalty as extra rows, the smallest solution of several."""
    rows = np.vstack([legendre.legvander(u, degree), math.sqrt(len(u) * ridge) * np.eye(degree + 1)])
    return np.linalg.lstsq(rows, np.concatenate([y, np.zeros(degree + 1)]), rcond=1e-10)[0]


def degree_of(tab):
    return int(tab.locator("input[name=degree]").input_value())


def errors_of(tab):
    """Training and test error as they are written."""
    return re.search(r"Training error (\S+), test error (\S+)\.$", tab.inner_text(".pf-readout")).groups()


def middle(tab, number):
    box = tab.locator(".pf-point").nth(number).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def address_tells(tab, moved):
    """Wait until the address tells of these moved points; ``moved`` is a regular expression."""
    tab.wait_for_function(f"/^{moved}$/.test(location.hash.split(',')[3])")


# --- The numbers --------------------------------------------------------------------------------------


def test_the_fit_is_that_of_numpy_at_many_points(javascript):
    generator = np.random.default_rng(0)
    cases = []
    for number in range(20):
        many = (5, 10, 12, 30)[number % 4]
        # one point in each part, as in the samples; every fifth set anywhere, which may leave gaps
        place = (
            generator.random(many) if number % 5 == 0 else (np.arange(many) + generator.random(many)) / many
        )
        u, y = 2 * place - 1, generator.normal(size=many)
        cases += [[u.tolist(), y.tolist(), degree, RIDGES[(number + degree) % 6]] for degree in range(13)]

    found = javascript(
        """({ fitPolynomial, polynomial }, [cases, grid]) => cases.map(([us, ys, degree, ridge]) => {
            const c = fitPolynomial(us, ys, degree, ridge);
            return grid.map((u) => polynomial(c, u));
        })""",
        [cases, GRID.tolist()],
    )

    assert len(cases) * len(GRID) >= 10_000
    for (u, y, degree, ridge), values in zip(cases, found, strict=True):
        expected = legendre.legval(GRID, solved(np.array(u), np.array(y), degree, ridge))
        # where a curve shoots up to a million between the points, a millionth of its height
        assert np.allclose(values, expected, rtol=0, atol=1e-6 * max(1, abs(expected).max())), (degree, ridge)


def test_the_fits_of_the_samples_are_exact_to_a_millionth_and_so_are_their_errors(javascript, widget):
    data = widget.data
    test_x, test_y = map(np.array, data["test"])
    code = """({ allFits }, [samples, test, ridges, interval]) => samples.map(([xs, ys], i) =>
        allFits(xs.map((x, j) => [x, ys[j]]), test, ridges[i % ridges.length], interval)
            .map((widget) => [widget.train, widget.test]))"""

    found = np.array(javascript(code, [data["samples"], data["test"], RIDGES, data["interval"]]))

    for i, (x, y) in enumerate(data["samples"]):
        for degree in range(13):
            theta = solved(np.array(x), np.array(y), degree, RIDGES[i % 6])
            train, test = (
                ((legendre.legval(np.array(u), theta) - np.array(v)) ** 2).mean()
                for u, v in ((x, y), (test_x, test_y))
            )
            assert found[i, degree, 0] == pytest.approx(train, rel=1e-6, abs=1e-9)
            assert found[i, degree, 1] == pytest.approx(test, rel=1e-6, abs=1e-9)


def test_the_ridge_is_that_of_scikit_learn(javascript, widget):
    x, y = widget.data["samples"][2]
    design = legendre.legvander(np.array(x), 9)
    library = Ridge(alpha=len(x) * 0.01, fit_intercept=False).fit(
        design, y
    )  # it adds squares, we average them

    found = javascript("({ fitPolynomial }, [x, y]) => fitPolynomial(x, y, 9, 0.01)", [x, y])

    assert np.allclose(found, library.coef_, atol=1e-9)


@pytest.mark.parametrize(
    ("u", "y", "degree", "expected"),
    [
        ([0.5, 0.5, 0.5], [1.0, 2.0, 3.0], 12, 2.0),  # all in one place: their mean
        ([0.3], [1.5], 5, 1.5),
        ([-0.5, -0.5, 0.5], [0.0, 2.0, 1.0], 1, 1.0),
    ],
)
def test_points_above_each_other_are_no_accident(javascript, u, y, degree, expected):
    code = "({ fitPolynomial, polynomial }, [u, y, d]) => polynomial(fitPolynomial(u, y, d, 0), u[0])"

    assert javascript(code, [u, y, degree]) == pytest.approx(expected, abs=1e-9)


def test_more_coefficients_than_points_go_through_all_and_are_the_limit_of_a_small_ridge(javascript, widget):
    x, y = widget.data["samples"][0]
    code = """({ fitPolynomial, polynomial, meanSquared }, [x, y]) => {
        const [none, small] = [0, 1e-13].map((ridge) => fitPolynomial(x, y, 12, ridge));
        return [meanSquared(none, x, y), polynomial(none, 0.9), polynomial(small, 0.9)];
    }"""

    error, limit, near = javascript(code, [x, y])

    assert error < 1e-12
    assert near == pytest.approx(limit, rel=1e-3, abs=1e-3)


def test_the_browser_places_moved_points_as_python_does(javascript, widget):
    for moved in ("", "0_-500_250", "3_0_0~11_2000_-9000"):
        expected = PointFit(widget.data, sample=4, moved=moved).points().tolist()

        found = javascript(
            "({ placed }, [s, moved, x, y]) => placed(s, moved, x, y)",
            [widget.data["samples"][3], moved, widget.data["interval"], widget.data["limits"]],
        )

        assert found == expected


# --- The page -----------------------------------------------------------------------------------------


@both_schemes
def test_it_mounts_alone_and_in_silence(open_widget, scheme):
    tab = open_widget(scheme=scheme)

    assert degree_of(tab) == 3
    assert tab.locator(".pf-point").count() == 12
    assert tab.locator(".labs-widget-note").count() == 0
    assert tab.record.trouble == []


def test_degree_and_ridge_follow_the_keyboard(open_widget):
    tab = open_widget()
    degree, ridge = (tab.get_by_role("slider", name=name, exact=False) for name in ("Degree", "Ridge"))

    degree.focus()
    tab.keyboard.press("End")
    train_at_12 = float(errors_of(tab)[0].split("×")[0])
    ridge.focus()
    tab.keyboard.press("ArrowRight")

    assert degree_of(tab) == 12
    assert train_at_12 == 0
    assert ridge.get_attribute("aria-valuetext") == "λ = 1.0×10⁻⁶"
    assert float(errors_of(tab)[0].split("×")[0]) > 0
    tab.keyboard.press("End")
    assert tab.inner_text(".pf-ridge") == "100"
    tab.keyboard.press("Home")
    assert tab.inner_text(".pf-ridge") == "0 (none)"


def test_a_training_error_of_zero_comes_with_a_large_test_error(open_widget):
    tab = open_widget("one-light.html#points=11,0,1,,shown")

    train, test = errors_of(tab)

    assert train == "0"
    assert float(test.split("×")[0]) > 1
    assert "test error is smallest at degree" in tab.locator(".pf svg[role=group]").get_attribute(
        "aria-label"
    )


def test_the_mouse_drags_a_point_and_the_fit_follows(open_widget):
    tab = open_widget()
    before, (x, y) = errors_of(tab), middle(tab, 5)

    tab.mouse.move(x + 3, y - 2)  # not its middle: it must not jump
    tab.mouse.down()
    tab.mouse.move(x + 10, y - 30, steps=3)
    tab.mouse.move(x + 23, y - 62, steps=3)
    tab.mouse.up()
    tab.mouse.move(x + 200, y)
    after = middle(tab, 5)

    assert after == pytest.approx((x + 20, y - 60), abs=3)
    assert errors_of(tab) != before
    address_tells(tab, "5_.*")
    assert tab.record.errors == []


def test_a_finger_drags_a_point_and_the_page_stays(open_widget):
    tab = open_widget(width=360, height=740, has_touch=True, is_mobile=True)
    tab.locator(".pf-point").nth(4).scroll_into_view_if_needed()
    before, (x, y), at = errors_of(tab), middle(tab, 4), tab.evaluate("scrollY")
    client = tab.context.new_cdp_session(tab)

    def touch(kind, *points):
        client.send(
            "Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": a, "y": b} for a, b in points]}
        )

    touch("touchStart", (x, y))
    for far in (10, 20, 30, 40):
        touch("touchMove", (x, y - far))
    touch("touchEnd")

    assert middle(tab, 4)[1] == pytest.approx(y - 40, abs=4)
    assert errors_of(tab) != before
    assert tab.evaluate("scrollY") == at


def test_the_arrow_keys_move_a_point_and_say_where_it_is(open_widget):
    tab = open_widget()
    point = tab.get_by_role("slider", name="Training point 7 of 12")
    point.focus()
    (x, y), before = middle(tab, 6), float(point.get_attribute("aria-valuenow"))

    for key in ("ArrowUp", "ArrowUp", "ArrowRight", "Shift+ArrowDown"):
        tab.keyboard.press(key)

    after = middle(tab, 6)
    assert after[0] > x
    assert after[1] > y
    assert float(point.get_attribute("aria-valuenow")) == pytest.approx(before - 8 * 0.05, abs=1e-3)
    assert point.get_attribute("aria-valuetext").startswith("x ")
    assert tab.evaluate("document.activeElement.getAttribute('aria-label')") == "Training point 7 of 12"
    tab.wait_for_function(
        "document.querySelector('.pf [aria-live]').textContent.startsWith('Degree 3, λ = 0')"
    )


def test_a_point_stays_inside_the_picture(open_widget):
    tab = open_widget()
    tab.locator(".pf-point").nth(0).focus()

    for key in ["Shift+ArrowUp"] * 12 + ["Shift+ArrowLeft"] * 3:
        tab.keyboard.press(key)

    address_tells(tab, "0_-1000_2500")


def test_the_points_go_back_and_a_new_sample_is_the_same_for_everyone(open_widget, widget):
    tab = open_widget("one-light.html#points=5,0,11,2_100_100,shown")
    back, fresh = (tab.get_by_role("button", name=name) for name in ("Put the points back", "New sample"))
    moved = errors_of(tab)

    back.click()
    assert back.is_disabled()
    original = errors_of(tab)
    fresh.click()
    twelfth = tab.locator(".pf-point").nth(0).get_attribute("aria-valuenow")
    fresh.click()

    assert original != moved
    assert float(twelfth) == widget.data["samples"][11][1][0]
    assert "Sample 1 of 12" in tab.inner_text(".pf-note")


def test_the_true_curve_can_be_hidden(open_widget):
    tab = open_widget()
    shown = tab.locator(".pf-back .curve.three").count()

    tab.get_by_role("checkbox", name="true curve").uncheck()

    assert shown == 2  # itself, and its test error
    assert tab.locator(".pf-back .curve.three").count() == 0
    assert "true curve itself" not in tab.inner_text(".pf-note")


@pytest.mark.parametrize(
    "nonsense",
    ["points=99,-3,77,x,maybe", "points=2.6,0,1,99_0_0~3_0", "points=", "points=x", "points=3,500"],
)
def test_a_nonsense_address_shows_what_there_is(open_widget, nonsense):
    tab = open_widget(f"one-light.html#{nonsense}")

    assert 0 <= degree_of(tab) <= 12
    assert not re.search("NaN|undefined", tab.inner_html(".pf"))
    assert tab.record.errors == []


@both_schemes
def test_the_address_reproduces_what_is_seen(open_widget, open_again, scheme):
    tab = open_widget("one-light.html#points=7,0.01,3,2_100_100,hidden", scheme=scheme)
    tab.locator(".pf-point").nth(4).focus()
    tab.keyboard.press("ArrowUp")
    tab.wait_for_function("location.hash.includes('~4_')")

    again = open_again(tab)

    for part in (".pf-readout", ".pf-note", ".pf-ridge"):
        assert again.inner_text(part) == tab.inner_text(part)
    assert again.inner_html(".pf-back") == tab.inner_html(".pf-back")
    assert not again.locator("input[name=truth]").is_checked()


def test_two_on_a_page_keep_apart(open_widget):
    tab = open_widget("two-light.html#points=2,0,1,,shown&points2=3,0,1,,shown")
    tab.wait_for_function("document.querySelectorAll('[data-mounted=yes]').length === 2")

    tab.get_by_role("button", name="New sample").nth(1).click()
    tab.wait_for_function("location.hash === '#points=2,0,1,,shown&points2=3,0,2,,shown'")

    assert [field.input_value() for field in tab.locator("input[name=degree]").all()] == ["2", "3"]


@pytest.mark.parametrize(("width", "height"), [(320, 640), (360, 740), (768, 900), (1500, 900)])
def test_it_fits_every_screen_and_every_finger(open_widget, width, height):
    tab = open_widget("one-light.html#points=9,0,1,0_-1000_2000,shown", width=width, height=height)

    sizes = sizes_of(tab, ".pf :is(button, select, input, .pf-point)")
    letters = places_of(tab, ".pf .curves-picture text")

    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert min(min(size) for size in sizes) >= 24
    assert min(left for left, _, _ in letters) >= 0
    assert max(right for _, right, _ in letters) <= width
    assert min(height for _, _, height in letters) >= 11


@pytest.mark.parametrize("theme", THEMES)
def test_marks_and_lines_stand_out_and_differ_without_colour(open_widget, theme):
    tab = open_widget(f"one-{theme}.html", theme=theme)
    back, _ = THEMES[theme]

    dashes = styles_of(tab, ".swatch .curve", "strokeDasharray")
    colours = styles_of(tab, ".swatch .curve", "stroke")
    filled = tab.eval_on_selector(".pf-point .pf-train", "e => getComputedStyle(e).fill")

    assert len(set(dashes)) == 3
    assert tab.locator(".pf-legend circle").count() == 1
    assert all(contrast(colour, back) >= 3 for colour in [*colours, filled])


def test_it_repaints_within_a_tenth_of_a_second(open_widget):
    tab = open_widget("one-light.html#points=12,0,1,,shown")

    assert repaint_milliseconds(tab, "ridge") <= 100


def test_in_a_live_notebook_both_sides_hear_each_other_until_the_widget_goes(live):
    story = live(
        sets={"degree": 7},
        shows="input[name=degree]",
        does=[["click", "[name=next]"]],
        keeps=["sample"],
    )

    assert story["shown"] == "7"
    assert story["saved"][0] == [2]
    assert story["listened"] > 0
    assert story["left"] == 0
    assert story["still"]


@both_schemes
def test_the_point_fit_of_the_chapter_lives(open_chapter, scheme):
    tab = open_chapter(CHAPTER, "// Drag the points:", ".pf", scheme)

    tab.locator("input[name=degree]").focus()
    tab.keyboard.press("End")

    assert errors_of(tab)[0] == "0"
    assert tab.record.trouble == []

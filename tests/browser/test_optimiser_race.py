"""The optimiser race in a browser: its steps against torch, and running, dragging, keys, address, themes, screens."""

import re

import pytest
import torch

from labs.widgets import OptimiserRace
from labs.widgets.optimiser_race import OPTIMISERS, SURFACES
from tests.browser.looks import places_of, sizes_of
from tests.browser.widget_pages import THEMES, contrast, frames, repaint_milliseconds

CHAPTER = "book/11-optimisation.html"
ALL = "~".join(OPTIMISERS)
LIVE = "document.querySelector('.race [aria-live]').textContent"
both_schemes = pytest.mark.parametrize("scheme", ["http", "file"])


@pytest.fixture(scope="module")
def widget():
    return OptimiserRace()


def button(tab, name):
    return tab.get_by_role("button", name=name, exact=True)


def slider(tab, name):
    return tab.locator(f"input[name={name}]")


def fates(tab):
    """What the table says: for each optimiser its loss and what became of it."""
    rows = tab.eval_on_selector_all(
        ".race tbody tr", "all => all.map(row => [...row.cells].map(cell => cell.textContent.trim()))"
    )
    return {name: (loss, word) for name, loss, word in rows}


def middle(tab):
    box = tab.locator(".race-ring").bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


# --- The numbers --------------------------------------------------------------------------------------


def loss_of(surface, w):
    x, y = w[..., 0], w[..., 1]
    if surface == "valley":
        return 3 * x**2 + 300 * y**2
    if surface == "turned":
        return 3 * ((x + y) / 2**0.5) ** 2 + 300 * ((y - x) / 2**0.5) ** 2
    if surface == "bend":
        return (1 - x) ** 2 / 2 + 10 * (y - x**2) ** 2
    if surface == "saddle":
        return x**2 / 2 + (y**2 - 1) ** 2 / 4
    return -torch.expm1(-(x**2 + y**2) / 2)


def judge(name, w, rate, momentum, adaptive, beta):
    """The optimiser of torch that stands behind a name."""
    if name == "RMSProp":
        return torch.optim.RMSprop([w], lr=adaptive, alpha=beta)
    if name == "Adam":
        return torch.optim.Adam([w], lr=adaptive, betas=(momentum, beta))
    mu = 0 if name == "descent" else momentum
    return torch.optim.SGD([w], lr=rate, momentum=mu, nesterov=name == "Nesterov" and mu > 0)


def by_torch(surface, name, start, settings, steps):
    w = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    optimizer, path, losses = judge(name, w, **settings), [], []
    for _ in range(steps):
        path.append(w.tolist())
        loss = loss_of(surface, w)
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return path, losses


def test_losses_and_slopes_are_those_of_autograd(javascript):
    points = {}
    for surface, given in SURFACES.items():
        low, high = torch.tensor(given["box"], dtype=torch.float64).T
        noise = torch.rand(250, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
        points[surface] = low + (high - low) * noise

    found = javascript(
        """({ LOSSES }, all) => Object.fromEntries(Object.entries(all).map(
            ([name, points]) => [name, points.map(([x, y]) => LOSSES[name](x, y))]))""",
        {surface: w.tolist() for surface, w in points.items()},
    )

    assert sum(len(w) for w in points.values()) >= 1000
    for surface, w in points.items():
        w.requires_grad_()
        loss = loss_of(surface, w)
        (slopes,) = torch.autograd.grad(loss.sum(), w)
        wanted = torch.cat([loss[:, None], slopes], dim=1).detach()
        torch.testing.assert_close(
            torch.tensor(found[surface], dtype=torch.float64), wanted, rtol=1e-12, atol=1e-12
        )


def test_a_hundred_steps_are_those_of_torch(javascript):
    cases = []
    for surface, given in SURFACES.items():
        start = given["start"]
        for factor, momentum, beta in [
            (1.0, 0.8, 0.99),
            (0.3, 0.9, 0.999),
            (0.5, 0.0, 0.95),
        ]:  # a smaller beta makes rounding grow
            settings = {
                "rate": factor * start["rate"],
                "momentum": momentum,
                "adaptive": factor * start["adaptive"],
                "beta": beta,
            }
            cases.append([surface, [start["x"], start["y"]], settings])

    found = javascript("({ race }, cases) => cases.map((one) => race(...one, 100))", cases)

    compared = 0
    for (surface, start, settings), runs in zip(cases, found, strict=True):
        assert [run["name"] for run in runs] == list(OPTIMISERS)
        for run in runs:
            path, losses = by_torch(surface, run["name"], start, settings, len(run["path"]))
            compared += len(path)
            # a run that diverges grows, and its last digits with it
            size = max(1.0, max(abs(w) for point in path for w in point))
            for here, there in zip(run["path"], path, strict=True):
                assert here == pytest.approx(there, rel=0, abs=1e-9 * size), (surface, run["name"], settings)
            assert run["losses"] == pytest.approx(losses, rel=1e-6, abs=1e-9)
    assert compared >= 5000


def test_turning_the_valley_changes_nothing_for_the_first_three_and_much_for_the_other_two(javascript):
    given = [[name, [*[SURFACES[name]["start"][w] for w in "xy"]]] for name in ("valley", "turned")]
    given[1][1] = [(1.0 - 0.3) / 2**0.5, (1.0 + 0.3) / 2**0.5]  # to the last digit
    settings = {"rate": 0.003, "momentum": 0.8, "adaptive": 0.02, "beta": 0.99}

    straight, turned = javascript(
        "({ race }, [given, settings]) => given.map(([name, start]) => race(name, start, settings, 60))",
        [given, settings],
    )

    for here, there in zip(straight[:3], turned[:3], strict=True):
        assert here["losses"] == pytest.approx(there["losses"], rel=1e-6, abs=1e-12)
    assert all(b["losses"][60] > 10 * a["losses"][60] for a, b in zip(straight[3:], turned[3:], strict=True))


def test_the_first_passing_of_a_thousandth_and_of_a_thousand_times_is_told(javascript):
    settings = {"rate": 0.003, "momentum": 0.8, "adaptive": 0.02, "beta": 0.99}
    code = """({ race, fate }, [settings, box]) => race("valley", [1, 0.3], settings).map(
        (run) => [run.losses, run.low, run.high, [0, 20, 300].map((k) => fate(run, k, box))])"""

    # JSON has no infinity: playwright hands it over as a float
    found = dict(zip(OPTIMISERS, javascript(code, [settings, SURFACES["valley"]["box"]]), strict=True))

    for losses, low, high, _ in found.values():
        small = [k for k, loss in enumerate(losses) if loss < losses[0] / 1000]
        large = [k for k, loss in enumerate(losses) if loss > 1000 * losses[0]]
        assert low == (small[0] if small else float("inf"))
        assert high == (large[0] if large else float("inf"))
    assert found["momentum"][3] == [
        "at the start",
        "on its way",
        f"a thousandth at step {found['momentum'][1]}",
    ]
    assert found["Nesterov"][3][1:] == [f"diverged at step {found['Nesterov'][2]}"] * 2
    assert len(found["Nesterov"][0]) == found["Nesterov"][2] + 1


def test_the_lines_lie_on_their_level(javascript):
    code = """({ contours, LOSSES }, all) => Object.entries(all).map(([name, { box, levels }]) =>
        contours((x, y) => LOSSES[name](x, y)[0], box, levels).map(
            (pieces) => pieces.map(([a, b]) => LOSSES[name](a, b)[0])))"""

    found = javascript(code, SURFACES)

    for given, lines in zip(SURFACES.values(), found, strict=True):
        for level, heights in zip(given["levels"], lines, strict=True):
            assert heights
            assert sum(heights) / len(heights) == pytest.approx(level, rel=0.1)


# --- The page -----------------------------------------------------------------------------------------


@both_schemes
def test_it_mounts_alone_and_in_silence(open_widget, scheme):
    tab = open_widget(scheme=scheme)

    assert tab.inner_text("[data-of=step]") == "0 of 300"
    assert {word for _, word in fates(tab).values()} == {"at the start"}
    assert tab.locator("select option").all_inner_texts() == [given["title"] for given in SURFACES.values()]
    assert tab.locator(".labs-widget-note").count() == 0
    assert tab.locator(".race [id]").count() == 0
    assert tab.record.trouble == []


def test_the_race_of_the_chapter_and_the_limit_of_descent(open_widget):
    tab = open_widget(f"one-light.html#race=valley,1,0.3,0.003,0.8,0.02,0.99,100,{ALL}")

    before = fates(tab)
    slider(tab, "rate").focus()
    tab.keyboard.press("ArrowRight")
    inside = fates(tab)["descent"][1], tab.inner_text("[data-of=rate]")
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press("ArrowRight")
    beyond = fates(tab)["descent"][1], tab.inner_text("[data-of=rate]")
    slider(tab, "step").focus()
    tab.keyboard.press("End")

    assert before["descent"][1] == "on its way"
    assert before["momentum"][1].startswith("a thousandth at step")
    assert before["Nesterov"][1].startswith("diverged at step")
    assert inside == ("on its way", "0.0033")  # 2/600 lies between these two
    assert beyond[1] == "0.004"
    assert beyond[0].startswith("diverged at step")
    assert tab.inner_text("[data-of=step]") == "300 of 300"
    assert "Step 300 of 300" in tab.locator(".race svg[role=group]").get_attribute("aria-label")
    tab.wait_for_function(f"{LIVE}.startsWith('Step 300 of 300. descent ')")


def test_step_run_pause_and_reset(open_widget):
    tab = open_widget()

    button(tab, "Step").focus()
    tab.keyboard.press("Enter")
    tab.keyboard.press("Enter")
    two = tab.inner_text("[data-of=step]")
    button(tab, "Run").click()
    tab.wait_for_function("parseInt(document.querySelector('[data-of=step]').textContent) > 6")
    button(tab, "Pause").click()
    held = tab.inner_text("[data-of=step]")
    frames(tab)
    still = tab.inner_text("[data-of=step]")
    slider(tab, "step").fill("295")
    button(tab, "Run").click()
    tab.wait_for_function("document.querySelector('[data-of=step]').textContent === '300 of 300'")
    button(tab, "Run").wait_for()  # it has stopped by itself
    button(tab, "Reset").click()
    calm = open_widget(reduced_motion="reduce")
    button(calm, "Run").click()

    assert two == "2 of 300"
    assert held == still
    assert tab.inner_text("[data-of=step]") == "0 of 300"
    assert calm.inner_text("[data-of=step]") == "300 of 300"  # who wants no motion sees the end at once


def test_the_start_follows_mouse_and_keys(open_widget):
    tab = open_widget(f"one-light.html#race=saddle,1.6,0.01,0.1,0.8,0.03,0.99,300,{ALL}")
    (x, y), start = middle(tab), tab.locator(".race-start")

    tab.mouse.move(x + 3, y - 2)  # not its middle: it must not jump
    tab.mouse.down()
    tab.mouse.move(x - 20, y - 10, steps=3)
    tab.mouse.move(x - 47, y - 42, steps=3)
    tab.mouse.up()
    dragged = middle(tab)
    tab.mouse.click(x - 150, y + 60)
    clicked = middle(tab)
    start.focus()
    for key in ("ArrowUp", "ArrowRight", "Shift+ArrowDown"):
        tab.keyboard.press(key)
    after, told = middle(tab), start.get_attribute("aria-valuetext")
    for _ in range(12):
        tab.keyboard.press("Shift+ArrowRight")

    assert dragged == pytest.approx((x - 50, y - 40), abs=2)
    assert clicked == pytest.approx((x - 150, y + 60), abs=2)
    assert after[0] > clicked[0]
    assert after[1] > clicked[1]
    assert told.startswith("x ")
    assert start.get_attribute("aria-valuetext").startswith("x 2,")  # the edge of the map
    assert tab.record.errors == []


def test_on_the_ridge_nobody_leaves_the_saddle(open_widget):
    tab = open_widget(f"one-light.html#race=saddle,1.6,0,0.1,0.8,0.03,0.99,300,{ALL}")

    ridge = fates(tab)
    tab.locator(".race-start").focus()
    tab.keyboard.press("ArrowUp")

    assert all(
        ridge[name] == ("0.25", "stands still") for name in ("descent", "momentum", "Nesterov", "Adam")
    )
    assert all(word.startswith("a thousandth at step") for _, word in fates(tab).values())


def test_a_finger_drags_the_start_and_the_page_stays(open_widget):
    tab = open_widget(width=360, height=740, has_touch=True, is_mobile=True)
    tab.locator(".race-start").scroll_into_view_if_needed()
    (x, y), at, client = middle(tab), tab.evaluate("scrollY"), tab.context.new_cdp_session(tab)

    def touch(kind, *points):
        client.send(
            "Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": a, "y": b} for a, b in points]}
        )

    touch("touchStart", (x, y))
    for far in (10, 20, 30, 40):
        touch("touchMove", (x - far, y + far))
    touch("touchEnd")

    assert middle(tab) == pytest.approx((x - 40, y + 40), abs=4)
    assert tab.evaluate("scrollY") == at


def test_another_map_brings_its_start_and_an_optimiser_can_be_hidden(open_widget):
    tab = open_widget()
    curves = tab.locator(".race-paths .curve")
    many = curves.count()

    tab.get_by_role("checkbox", name="RMSProp").uncheck()
    fewer = curves.count()
    tab.locator("select[name=surface]").select_option("plateau")
    there = tab.locator(".race-start").get_attribute("aria-valuetext")
    slider(tab, "adaptive").fill("0")
    changed = tab.inner_text("[data-of=adaptive]")
    button(tab, "First settings").click()

    assert (many, fewer) == (10, 8)  # one on the map and one in the chart
    assert there == "x 3, y 1.5"
    assert changed == "0.0001"
    assert tab.inner_text("[data-of=adaptive]") == "0.03"
    assert curves.count() == 8


def test_a_nonsense_address_shows_what_there_is(open_widget):
    for nonsense in ("hill,99,-99,77,5,-1,2,1000,Lion", "saddle,a,b,,,,,1.5,", "", "turned"):
        tab = open_widget(f"one-light.html#race={nonsense}")

        assert len(fates(tab)) == 5
        assert not re.search("NaN|undefined|Infinity", tab.inner_html(".race"))
        assert tab.record.errors == []


def test_the_address_reproduces_what_is_seen_and_two_on_a_page_keep_apart(open_widget):
    first = f"valley,1,0.3,0.003,0.8,0.02,0.99,40,{ALL}"
    tab = open_widget(
        f"two-light.html#race={first}&race2=bend,-1,1,0.01,0.8,0.03,0.99,50,Adam", scheme="http"
    )
    tab.wait_for_function("document.querySelectorAll('[data-mounted=yes]').length === 2")

    button(tab, "Step").nth(1).click()
    tab.locator(".race-start").nth(1).focus()
    tab.keyboard.press("ArrowUp")
    wanted = f"#race={first}&race2=bend,-1,1.04,0.01,0.8,0.03,0.99,51,Adam"
    tab.wait_for_function(f"decodeURIComponent(location.hash) === '{wanted}'")
    pictures = [part.inner_html() for part in tab.locator(".race-paths").all()]
    tab.reload()
    tab.wait_for_function("document.querySelectorAll('[data-mounted=yes]').length === 2")

    assert [part.inner_html() for part in tab.locator(".race-paths").all()] == pictures


@pytest.mark.parametrize(("width", "height"), [(320, 640), (768, 900)])
def test_it_fits_every_screen_and_every_finger(open_widget, width, height):
    tab = open_widget(
        f"one-light.html#race=plateau,3,1.5,0.1,0.8,0.03,0.99,60,{ALL}", width=width, height=height
    )

    sizes = sizes_of(tab, ".race :is(button, select, input, .race-start)")
    letters, cells = (places_of(tab, f".race {part}") for part in (".curves-picture text", ":is(td, th)"))
    clipped = tab.eval_on_selector_all(
        ".race :is(td, th)", "all => all.map(e => e.scrollWidth - e.clientWidth)"
    )

    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert min(min(size) for size in sizes) >= 24
    assert min(left for left, _, _ in [*letters, *cells]) >= 0
    assert max(right for _, right, _ in [*letters, *cells]) <= width
    assert min(height for _, _, height in letters) >= 11
    assert max(clipped) <= 0


def test_the_five_stand_out_in_both_themes_and_differ_without_colour(open_widget):
    for theme, (back, _) in THEMES.items():
        tab = open_widget(f"one-{theme}.html", theme=theme)

        dashes, colours = (
            tab.eval_on_selector_all(
                ".race .swatch .curve", f"all => all.map(e => getComputedStyle(e).{kind})"
            )
            for kind in ("strokeDasharray", "stroke")
        )
        shapes = tab.eval_on_selector_all(".swatch .dot", "all => all.map(e => e.getAttribute('d'))")
        quiet = tab.eval_on_selector(".race-note", "e => getComputedStyle(e).color")

        assert len(set(dashes)) == len(set(shapes)) == len(set(colours)) == 5
        assert min(contrast(colour, back) for colour in colours) >= 3
        assert contrast(quiet, back) >= 4.5


def test_it_repaints_within_a_tenth_of_a_second(open_widget):
    tab = open_widget(f"one-light.html#race=bend,-1.2,1,0.0001,0.8,0.03,0.99,300,{ALL}")

    assert repaint_milliseconds(tab, "rate") <= 100


def test_in_a_live_notebook_both_sides_hear_each_other_until_the_widget_goes(live):
    story = live(
        sets={"step": 3},
        shows="[name=step]",
        does=[["click", "[data-do=step]"], ["click", "[data-do=run]"]],
        keeps=["x", "step"],
    )

    assert story["shown"] == "3"
    assert [1, 4] in story["saved"]
    assert story["listened"] > 0
    assert story["left"] == 0
    assert story["still"]


def test_the_race_of_the_chapter_lives(open_chapter):
    tab = open_chapter(CHAPTER, "// The optimiser race:", ".race")

    tab.locator(".race").get_by_role("button", name="Step", exact=True).click()

    assert tab.inner_text("[data-of=step]").endswith(" of 300")
    assert tab.record.trouble == []

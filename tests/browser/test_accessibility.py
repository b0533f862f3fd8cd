"""Every page is open to those who do not see it, use no mouse, enlarge it, want it still, or print it.

axe-core judges what a program can judge (WCAG 2.2, levels A and AA, and its best practices), in light and dark. It is
slow where a page is long. So formulas are left untypeset, of the words of a program one of each kind is kept, of the
reference a dozen entries of each kind, of a list or a table thirty rows, and for contrast one text of each look is
judged. One chapter is judged whole.
"""

import re
from pathlib import Path

import pytest

from tests.browser.test_pages import SITE, every_page, open_page

axe_package = pytest.importorskip("axe_playwright_python", reason="axe-playwright-python is not installed")
AXE = Path(axe_package.__file__).with_name("axe.min.js").read_text(encoding="utf-8")
LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"]
CONTRAST = ["color-contrast", "link-in-text-block"]
NARROW = ["scrollable-region-focusable", "target-size"]
# Off by default in axe, yet WCAG 2.5.3 is of level A.
EXTRA = {"label-content-name-mismatch": {"enabled": True}}
CHAPTER = "book/16-dead-neurons.html"  # long, with tables, formulas, answers that open, and a widget
HALF = 640  # a window of 1280 pixels, enlarged twice
PAPER = 673  # the width of a column on A4 between its margins, in pixels

# What one run of axe found: the rule, and where.
JUDGE = """async ([where, options]) => {
    const { violations } = await axe.run(where ? window.looks : document, { resultTypes: ["violations"], ...options });
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).slice(0, 3)}`);
}"""
THIN = """() => {
    for (const formula of document.querySelectorAll(".math"))  // what is not set would be wider than what is
        formula.style.cssText = "white-space: normal; overflow-wrap: anywhere";
    for (const program of document.querySelectorAll(".highlight")) {
        const seen = new Set();
        for (const word of program.querySelectorAll("span"))
            seen.has(word.className) ? word.replaceWith(...word.childNodes) : seen.add(word.className);
        program.normalize();
    }
    const many = {};  // the reference of labs: a dozen functions, a dozen methods, and so on
    for (const entry of document.querySelectorAll("dl.py"))
        if (entry.isConnected && (many[entry.className] = (many[entry.className] || 0) + 1) > 12) entry.remove();
    for (const list of document.querySelectorAll("article :is(tbody, ul, ol, dl)"))
        [...list.children].slice(30).forEach((one) => one.remove());
}"""
# One element of each look: colour, size and weight of its text, and what lies behind it.
LOOKS = """() => {
    const looks = new Map();
    for (const element of document.body.querySelectorAll("*")) {
        if (![...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim())) continue;
        if (!element.checkVisibility()) continue;
        const { color, fontSize, fontWeight } = getComputedStyle(element), behind = [];
        for (let at = element; at; at = at.parentElement) {
            const { opacity, backgroundColor, backgroundImage } = getComputedStyle(at);
            behind.push(opacity, backgroundColor, backgroundImage);
            if (/^rgb\\(/.test(backgroundColor)) break;
        }
        const look = [color, fontSize, fontWeight, element.tagName === "A", ...behind].join();
        if (!looks.has(look)) looks.set(look, element);
    }
    window.looks = { include: [...looks.values()] };
    return looks.size;
}"""
# What the keyboard reaches, one of each kind, without a ring of enough contrast (3 to 1) when it is there.
BLIND = """() => {
    const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    const light = (...layers) => {
        canvas.clearRect(0, 0, 1, 1);
        for (const layer of layers) { canvas.fillStyle = layer; canvas.fillRect(0, 0, 1, 1); }
        const linear = (v) => ((v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        const [red, green, blue] = [...canvas.getImageData(0, 0, 1, 1).data].map(linear);
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05;
    };
    const ground = (element) => {
        const layers = [];
        for (let at = element; at; at = at.parentElement) layers.unshift(getComputedStyle(at).backgroundColor);
        return layers;
    };
    const rings = (element) => {
        const style = getComputedStyle(element), found = [];
        if (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2) found.push(style.outlineColor);
        found.push(...(style.boxShadow.match(/\\w+\\([^)]*\\)(?= 0px 0px 0px [2-9]px)/g) || []));
        const back = ground(element.parentElement), dark = light(...back);
        return found.filter((ring) => Math.max(light(...back, ring) / dark, dark / light(...back, ring)) >= 3);
    };
    const STOPS = "a[href], button, input, select, textarea, summary, [tabindex='0']";
    // In a drawing the shape itself may change: a wider line, or one of another colour.
    const drawn = (element) => [element, ...element.querySelectorAll("*")].map((shape) => {
        const { stroke, strokeWidth } = getComputedStyle(shape);
        return [stroke, strokeWidth].join();
    });
    const redrawn = (element, before) => {
        const back = ground(element.ownerSVGElement.parentElement), dark = light(...back);
        return drawn(element).some((shape, i) => {
            const line = light(...back, shape.slice(0, shape.lastIndexOf(",")));
            return shape !== before[i] && Math.max(line / dark, dark / line) >= 3;
        });
    };
    const seen = new Set(), blind = [];
    let reached = 0;
    for (const element of document.querySelectorAll(STOPS)) {
        const look = element.getAttribute("class") || element.parentElement.className;
        const kind = `${element.tagName} ${element.type || ""} ${look}`;
        if (seen.has(kind) || element.disabled || !element.checkVisibility({ visibilityProperty: true })) continue;
        seen.add(kind);
        const before = element.ownerSVGElement ? drawn(element) : null;
        element.focus({ preventScroll: true });
        if (document.activeElement !== element) continue;
        reached += 1;
        const places = [element, element.closest("label"), element.nextElementSibling].filter(Boolean);
        if (before && redrawn(element, before)) continue;
        if (!places.some((place) => rings(place).length)) blind.push(element.outerHTML.slice(0, 160));
    }
    return [reached, blind];
}"""
MOVING = """() => {
    const lasts = (time) => time.split(", ").some((one) => parseFloat(one) > 0);
    return [...document.querySelectorAll("*")].filter((element) => {
        const { animationName, animationDuration, transitionDuration } = getComputedStyle(element);
        return lasts(transitionDuration) || (animationName !== "none" && lasts(animationDuration));
    }).map((element) => element.outerHTML.slice(0, 120));
}"""


def judged(page, levels, *, one_of_each_look=False, **options):
    """Return what axe finds wrong on an open page, one line for each rule."""
    if one_of_each_look:
        assert page.evaluate(LOOKS) > 1
    return page.evaluate(JUDGE, [one_of_each_look, {"runOnly": levels, **options}])


def ready(page, address):
    """Open ``address``, wait for its widgets, and give it axe."""
    page.set_default_timeout(120_000)
    open_page(page, address)
    mounted = (
        "() => [...document.querySelectorAll('.labs-widget')].every((box) => box.dataset.mounted === 'yes')"
    )
    page.wait_for_function(mounted, timeout=60_000)
    page.evaluate(AXE)
    return page


@every_page
def test_a_page_is_open_to_everyone_in_both_themes(page_factory, url, page_name):
    page = page_factory(reduced_motion="reduce")
    page.route("**/vendor/mathjax/**", lambda route: route.fulfill(body="", content_type="text/javascript"))
    ready(page, url(page_name)).evaluate(THIN)
    page.keyboard.press("Tab")  # from here on the focus is shown
    faults = {"moves": page.evaluate(MOVING)}

    faults["rules"] = judged(page, LEVELS, rules={**EXTRA, "color-contrast": {"enabled": False}})
    for theme in ("light", "dark"):
        page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
        faults[theme] = judged(page, CONTRAST, one_of_each_look=True)
        reached, faults[f"focus not seen, {theme}"] = page.evaluate(BLIND)
        assert reached > 3
    page.set_viewport_size({"width": HALF, "height": 450})
    page.wait_for_timeout(500)  # the theme then lets the keyboard into what has begun to scroll
    faults["narrow"] = judged(page, NARROW)
    too_wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")

    assert [f"{name}: {one}" for name, found in faults.items() for one in found] == []
    assert too_wide <= 0, "enlarged twice, the page scrolls sideways"


def test_axe_finds_what_is_planted(page_factory, url):
    page = ready(page_factory(), url("search.html"))
    page.evaluate("""() => document.querySelector("main").insertAdjacentHTML("beforeend", `
        <img src="data:,"><p style="color: #aaa; background: #fff">pale</p>
        <a href="#" style="outline: none">x</a>`)""")
    page.keyboard.press("Tab")

    found = "".join(judged(page, LEVELS) + judged(page, CONTRAST, one_of_each_look=True))
    _, blind = page.evaluate(BLIND)

    assert {"image-alt", "color-contrast"} <= set(re.findall(r"[\w-]+(?=: )", found))
    assert [text for text in blind if ">x</a>" in text]


def test_a_whole_chapter_is_open_to_everyone(page_factory, url):
    page = ready(page_factory(), url(CHAPTER))

    assert judged(page, LEVELS, rules=EXTRA) == []


def test_the_tab_key_goes_through_a_whole_chapter_and_through_its_widget(page_factory, url):
    page = ready(page_factory(), url(CHAPTER))
    wanted = page.evaluate("""() => {
        const list = [...document.querySelectorAll("article :is(a[href], button, input, select, summary)")];
        const usable = (e) => !e.disabled && e.tabIndex >= 0 && e.checkVisibility({ visibilityProperty: true });
        window.missing = new Set(list.filter((e) => usable(e) && e.type !== "radio"));
        window.passed = (e) => { window.missing.delete(e); return e === document.body || !e; };
        document.querySelector("article h1").tabIndex = -1;
        document.querySelector("article h1").focus();
        return window.missing.size;
    }""")

    for _ in range(3 * wanted):
        page.keyboard.press("Tab")
        if page.evaluate("() => window.passed(document.activeElement) || !window.missing.size"):
            break

    assert wanted > 50
    assert page.evaluate("() => [...window.missing].map((e) => e.outerHTML.slice(0, 120))") == []


def test_a_chapter_prints_well(page_factory, url):
    page = ready(page_factory(width=PAPER), url(CHAPTER))
    page.emulate_media(media="print")

    left, cut, closed = page.evaluate("""() => {
        const shown = (selector) => [...document.querySelectorAll(selector)].filter((e) => e.checkVisibility());
        const beside = "nav, header, footer, article button, .labs-widget, .headerlink, [class*=bd-sidebar]";
        const named = (list) => list.map((e) => e.outerHTML.slice(0, 100));
        const answer = ".admonition.toggle > :not(.admonition-title)";
        const wide = "article :is(pre, table, img, figure, .output)";
        return [
            named(shown(beside).filter((e) => e.textContent.trim())),
            named(shown(wide).filter((e) => e.getBoundingClientRect().right > innerWidth + 1)),
            named(shown(answer).filter((e) => !e.offsetHeight && e.textContent.trim())),
        ];
    }""")
    paper = page.pdf(format="A4")

    assert left == []
    assert cut == []
    assert closed == []
    assert paper.startswith(b"%PDF")
    assert 10 < len(re.findall(rb"/Type\s*/Page\b", paper)) < 80


TABLE = re.compile(r"<table\b(?![^>]*role=\"presentation\").*?</table>", re.S)
FORMULA = re.compile(r"<(span|div) class=\"math[^>]*>.*?</\1>", re.S)


def words(html):
    """Return the words of a piece of a page, without its formulas, which not every reader hears."""
    return re.findall(r"\w+", re.sub("<[^>]*>", " ", FORMULA.sub(" ", html)))


@every_page
def test_each_table_has_a_caption_and_headers_with_words(page_name):
    for table in TABLE.findall((SITE / page_name).read_text(encoding="utf-8")):
        caption = re.search(r"<caption>(.*?)</caption>", table, re.S)
        heads = re.findall(r"<th\b[^>]*>(.*?)</th>", table, re.S)
        of_columns = re.findall(r"<th\b[^>]*>(.*?)</th>", table.partition("</thead>")[0], re.S)

        assert caption is not None, table[:300]
        assert words(caption[1]), table[:300]
        assert 0 < len(heads) <= table.count(' scope="'), table[:300]
        assert [head for head in of_columns if "<thead" in table and not words(head)] == [], table[:300]

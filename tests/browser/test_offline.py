"""The site as it is handed out: packed, unpacked elsewhere, opened from disk, held to its policy, and light.

Each built page is opened by ``test_pages.py``; here a few pages of the archive stand for all, since it holds the very
files of the site.
"""

import gzip
import hashlib
import re
import zipfile
from urllib.parse import urlsplit

import pytest

from tools.site_zip import contents, pack
from tools.weight import LIMIT, settle, weigh

HEAVIEST = (
    3  # chapters to weigh: those with the largest text, since the parts that all pages share weigh the same
)
WARD = "book/16-dead-neurons.html"


@pytest.fixture(scope="module")
def unpacked(site, root, tmp_path_factory):
    """The one folder of the archive, unpacked where nothing of the project is."""
    place = tmp_path_factory.mktemp("a stick with spaces")
    with zipfile.ZipFile(pack(root)) as archive:
        archive.extractall(place)
    (folder,) = place.iterdir()
    return folder


def digests(folder):
    """A checksum for each file below a folder."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_archive_holds_the_site_and_opens_in_one_folder(unpacked, site, root):
    packed = digests(unpacked)
    beside = {"README.txt", "LICENSE", "LICENSE-CONTENT"}

    assert digests(site) == {name: digest for name, digest in packed.items() if name not in beside}
    assert packed.keys() == contents(root).keys()


def test_from_disk_a_chapter_its_widget_its_icons_and_the_search_work(unpacked, page_factory):
    page = page_factory()
    page.set_default_timeout(120_000)  # a large page, on a machine that may be busy

    page.goto((unpacked / WARD).as_uri())
    page.wait_for_selector("[data-mounted=yes] select")
    formulas = page.evaluate(
        "() => MathJax.startup.promise.then(() => document.querySelectorAll('mjx-container').length)"
    )
    before, after = page.evaluate("""() => {
        const box = document.querySelector("[data-mounted=yes]"), select = box.querySelector("select");
        const before = box.innerText;
        select.selectedIndex += select.selectedIndex ? -1 : 1;
        for (const kind of ["input", "change"]) select.dispatchEvent(new Event(kind, { bubbles: true }));
        return [before, box.innerText];
    }""")
    icons = page.evaluate("""async () => {
        await document.fonts.ready;
        const family = (e) => getComputedStyle(e, "::before").fontFamily + getComputedStyle(e, "::before").content;
        return {
            shown: [...document.querySelectorAll("i[class*='fa-']")].map(family),
            loaded: [...document.fonts].filter((f) => f.status === "loaded").map((f) => f.family.replace(/"/g, "")),
        };
    }""")
    page.evaluate("() => { window.print = () => { window.printed = true }; }")
    page.evaluate("() => document.querySelector('[onclick=\"window.print()\"]').click()")
    printed = page.evaluate("window.printed")
    page.locator(".search-button-field").click()
    page.keyboard.type("dead neuron")
    page.keyboard.press("Enter")
    page.locator(f"#search-results a[href='{WARD}']").first.wait_for()

    assert formulas > 50
    assert before != after
    assert icons["shown"]
    assert all(re.fullmatch(r'"Font Awesome 6 (Free|Brands)"".+"', icon) for icon in icons["shown"]), icons
    assert {"Font Awesome 6 Free", "Font Awesome 6 Brands"} <= set(icons["loaded"])
    assert printed
    assert page.record.trouble == []


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_the_policy_refuses_other_hosts_and_other_scripts(tabs, url, scheme):
    page = tabs()
    page.goto(url("book/notation.html", scheme))

    refused = page.evaluate("""async () => {
        const refused = [];
        document.addEventListener("securitypolicyviolation", (e) => refused.push(e.effectiveDirective));
        const add = (name, more) => document.body.append(Object.assign(document.createElement(name), more));
        add("img", { src: "https://elsewhere.test/a.png" });
        add("script", { src: "https://elsewhere.test/a.js" });
        add("script", { textContent: "window.ran = true" });
        add("iframe", { src: "https://elsewhere.test/" });
        await fetch("https://elsewhere.test/").catch(() => {});
        await new Promise((done) => setTimeout(done, 200));
        return [...refused.sort(), window.ran ?? "not run"];
    }""")

    assert refused == ["connect-src", "frame-src", "img-src", "script-src-elem", "script-src-elem", "not run"]
    # The browser notes what a page asks for, and then refuses to ask.
    assert all(f"failed: {address} (csp)" in page.record.errors for address in page.record.foreign)


def test_each_page_says_what_it_is_and_leads_only_to_files_that_exist(site):
    pages = [path for path in site.rglob("*.html") if "_static" not in path.parts]
    listed = re.findall(r"<loc>([^<]+)</loc>", (site / "sitemap.xml").read_text(encoding="utf-8"))
    lost, silent, described = [], [], {}
    for path in pages:
        name, text = path.relative_to(site).as_posix(), path.read_text(encoding="utf-8")
        head = text.partition("</head>")[0]
        wanted = ["<title>", 'http-equiv="Content-Security-Policy"', '<html lang="en"']
        if name.startswith("book/"):
            wanted += [
                'rel="canonical"',
                'name="description" content="',
                'property="og:image" content="https://',
            ]
            described[name] = re.search(r'name="description" content="([^"]*)"', head)[1]
        silent += [f"{name}: {sign}" for sign in wanted if sign not in head]
        for link in set(re.findall(r'\b(?:href|src)="([^"#]+)', text)):
            parts = urlsplit(link)
            if not parts.scheme and parts.path and not (path.parent / parts.path).exists():
                lost.append(f"{name} -> {link}")

    assert len(pages) > 30
    assert silent == []
    assert lost == []
    assert {address.partition("/nonlinear/")[2] for address in listed} == described.keys()
    assert [name for name, text in described.items() if not 40 <= len(text) <= 210] == []
    assert len(set(described.values())) == len(described)


def heaviest_chapters(site):
    """The chapters with the largest text, as it is sent."""
    chapters = sorted(
        site.glob("book/[0-9][0-9]-*.html"), key=lambda path: -len(gzip.compress(path.read_bytes()))
    )
    return [path.relative_to(site).as_posix() for path in chapters[:HEAVIEST]]


def test_the_first_view_of_the_heaviest_chapters_stays_below_its_limit(site, page_factory, url):
    weights = {}
    for name in heaviest_chapters(site):
        page, asked = page_factory(), []
        page.on("request", lambda request, asked=asked: asked.append(request.url))
        settle(page, url(name))
        parts = weigh(asked, site)
        weights[name] = sum(part.sent for part in parts)
        assert any(part.name.endswith("mathjax/tex-mml-chtml.js") for part in parts)

    assert len(weights) == HEAVIEST
    assert {name: weight for name, weight in weights.items() if weight > LIMIT} == {}

"""What is done to the site once it is built: slimmed, its icons cut, its policy and metadata written, and packed."""

import base64
import random
import re
import zipfile
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import pytest
from docutils import nodes
from docutils.utils import new_document
from fontTools.ttLib import TTFont
from PIL import Image

import labs
from tools import icons, metadata, policy, site_zip, slim, weight

ROOT = Path(__file__).resolve().parents[1]
HOST = "https://somewhere.test/book/"


def builder(folder, name="html", **more):
    """What the hooks see of Sphinx."""
    return SimpleNamespace(outdir=str(folder), builder=SimpleNamespace(name=name), **more)


# --- slim


def asset(filename=None, **attributes):
    return SimpleNamespace(filename=filename, attributes=attributes)


def test_a_page_gets_what_it_uses_and_each_line_of_script_once():
    assets = [
        asset("_static/mount-widgets.js"),
        asset("_static/proof.css"),
        asset("_static/styles/theme.css"),
        asset("_static/sphinx-thebe.js"),
        asset(body='const THEBE_JS_URL = "https://unpkg.com/thebe"'),
        asset(body="let a = 1"),
        asset(body="let a = 1"),
    ]
    context = {"css_files": [], "script_files": assets, "body": '<div class="labs-widget"></div>'}

    slim.choose_assets(builder(ROOT), "book/a", "page.html", context, None)

    assert context["script_files"] == [assets[0], assets[2], assets[5]]


def test_other_formats_keep_all():
    context = {"css_files": [asset("_static/proof.css")], "script_files": [], "body": ""}

    slim.choose_assets(builder(ROOT, "epub"), "book/a", "page.html", context, None)

    assert len(context["css_files"]) == 1


def test_the_search_page_keeps_its_index_and_the_others_do_not_load_it():
    scripts = '<script src="../_static/searchtools.js"></script><script src="../searchindex.js"></script>'

    assert slim.slimmed(scripts, Path("search.html")) == scripts
    assert slim.slimmed(scripts, Path("book/a.html")) == ""


def test_a_picture_waits_in_a_box_of_its_size(tmp_path):
    (tmp_path / "_images").mkdir()
    (tmp_path / "_images" / "a.png").write_bytes((ROOT / "assets" / "social.png").read_bytes())
    page = tmp_path / "book" / "a.html"
    page.parent.mkdir()

    def picture(attributes):
        return slim.slimmed(f"<img {attributes} />", page)

    assert picture('alt="x" src="../_images/a.png"') == (
        '<img loading="lazy" width="1200" height="630" alt="x" src="../_images/a.png" />'
    )
    for asis in ('loading="eager" src="../_images/a.png"', 'src="../_static/images/logo.svg"'):
        assert picture(asis) == f"<img {asis} />"
    assert picture('style="width: 50%" src="../_images/a.png"') == (
        '<img loading="lazy" style="width: 50%" src="../_images/a.png" />'
    )


def test_a_search_that_asks_otherwise_for_summaries_is_an_error(tmp_path):
    (tmp_path / "documentation_options.js").write_text("const DOCUMENTATION_OPTIONS = {};", encoding="utf-8")

    with pytest.raises(ValueError, match="SHOW_SEARCH_SUMMARY"):
        slim.quiet_search(tmp_path / "documentation_options.js")


# --- icons


@pytest.fixture(scope="module")
def fonts():
    """The folder of the theme's icon fonts, as the theme brings them."""
    pydata = pytest.importorskip("pydata_sphinx_theme")
    return next(Path(pydata.__file__).parent.rglob("fa-solid-900.ttf")).parent


def test_a_cut_font_holds_the_wanted_signs_its_licence_and_nothing_else(fonts):
    rocket, unknown = 0xF135, 0xE000

    written = icons.cut_font(fonts / "fa-solid-900.ttf", [rocket, unknown])
    font = TTFont(BytesIO(written))

    assert set(font.getBestCmap()) == {rocket}
    assert any("Awesome" in str(name) for name in font["name"].names)
    assert len(written) < 3000
    assert written == icons.cut_font(fonts / "fa-solid-900.ttf", [rocket, unknown])


def test_the_site_keeps_the_icons_of_pages_scripts_and_styles(fonts, tmp_path):
    css = (
        r'.fa-rocket:before{content:"\f135"}.fa-at:before{content:"\40"}.fa-xmark:before,.fa-times:before'
        '{content:"\\f00d"}@font-face{font-family:Font Awesome\\ 6 Free;'
        'src:url(../w/fa-solid-900.woff2) format("woff2"),'
        'url(../w/fa-solid-900.ttf) format("truetype")}:root{--note:"\uf05a"}'
    )
    styles = tmp_path / "_static" / "styles"
    styles.mkdir(parents=True)
    (styles / "theme.css").write_text(css, encoding="utf-8")
    (tmp_path / "_static" / "scripts").mkdir()
    (tmp_path / "_static" / "scripts" / "pydata-sphinx-theme.js").write_text('i.className="fa-xmark"')
    web = tmp_path / "_static" / "vendor" / "fontawesome" / "webfonts"
    web.mkdir(parents=True)
    (web / "fa-solid-900.ttf").symlink_to(fonts / "fa-solid-900.ttf")
    (tmp_path / "a.html").write_text('<i class="fas fa-rocket"></i>')

    icons.keep_used_icons(builder(tmp_path), None)
    left = (styles / "theme.css").read_text(encoding="utf-8")

    assert ".fa-rocket:before" in left
    assert ".fa-times:before" in left
    assert ".fa-at" not in left
    assert re.findall(r"url\(([^)]{8})", left) == ["data:fon"]
    encoded = re.search(r"base64,([^)]+)", left)[1]
    font = TTFont(BytesIO(base64.b64decode(encoded)))
    assert set(font.getBestCmap()) == {0xF135, 0xF00D, 0xF05A}


# --- policy


def test_scripts_handlers_and_nothing_else_are_allowed_by_their_hash():
    page = (
        "<html><head><meta charset='utf-8'><script>let a = 1</script><script src='a.js'>no</script>"
        "<script type='application/json'>{}</script></head><button onclick=\"go('&lt;')\">on=\"x\"</button></html>"
    )

    found = policy.with_policy(page)
    content = re.search(r'content="([^"]*)"', found)[1]
    scripts = next(part for part in content.split("; ") if part.startswith("script-src "))

    assert set(scripts.split()[1:]) == {
        "'self'",
        "blob:",
        "'unsafe-hashes'",
        policy.digest("let a = 1"),
        policy.digest("go('<')"),
    }
    assert found.index("Content-Security-Policy") < found.index("<script>")
    assert "default-src 'none'" in content
    assert not re.search(r"https?:|\*|'unsafe-eval'|script-src[^;]*'unsafe-inline'", content)


def test_only_the_search_may_read_other_pages():
    assert "connect-src 'none'" in policy.policy("<p>")
    assert "connect-src 'self'" in policy.policy("<p>", searches=True)


def test_a_page_without_a_head_has_no_place_for_a_policy():
    with pytest.raises(ValueError, match="<head>"):
        policy.with_policy("<p>text</p>")


# --- metadata


def test_a_description_is_whole_sentences_of_the_first_paragraph_that_says_something():
    first = "A network of seven hidden layers, 2048 units wide, is shown all sixty thousand images."
    second = "Not one of the units of its last layer says anything but zero, whatever image it is that it sees here."
    third = "What may the reason be, and does it lie in the weights?"

    told = metadata.describe(
        ["Make a guess.", "at x = 4, " * 12 + "where it is 9.", f"{first} {second} {third}"]
    )

    assert told == f"{first} {second}"


def test_a_sentence_that_is_too_long_ends_in_dots_between_words():
    told = metadata.describe(["Words " * 60 + "end."])

    assert told.endswith("Words …")
    assert len(told) <= metadata.LONGEST + 2


def test_a_page_without_such_a_paragraph_has_no_description():
    assert metadata.describe(["Look.", "as before"]) == ""


def page_of(*paragraphs):
    document = new_document("a")
    section = nodes.section()
    section += [nodes.paragraph(text, text) for text in paragraphs]
    document += section
    return document


def test_the_head_of_a_page_tells_what_it_is_with_full_addresses():
    text = 'The "dead" neurons of a ReLU network are counted & explained on this page, one after the other.'
    title = nodes.title("", "Dead <neurons>")
    app = builder(
        ROOT,
        config=SimpleNamespace(html_baseurl=HOST, root_doc="index"),
        env=SimpleNamespace(titles={"b/a": title}),
    )
    context = {"metatags": "<meta name='kept'>"}

    metadata.add_metadata(app, "b/a", "page.html", context, page_of("Look.", text))
    tags = dict(re.findall(r'<meta (?:name|property)="([^"]+)" content="([^"]*)"', context["metatags"]))

    assert "kept" in context["metatags"]
    assert tags["og:title"] == "Dead &lt;neurons&gt;"
    assert tags["description"] == tags["og:description"] == text.replace("&", "&amp;").replace('"', "&quot;")
    assert tags["og:url"] == f"{HOST}b/a.html"
    assert tags["og:image"] == f"{HOST}_static/social.png"


def test_the_picture_of_a_link_exists_in_the_size_that_is_promised():
    picture = ROOT / "assets" / Path(metadata.PICTURE).name

    assert slim.imagesize.get(picture) == (1200, 630)
    assert picture.stat().st_size <= 150_000


def test_an_address_without_a_slash_at_its_end_is_an_error():
    app = builder(ROOT, config=SimpleNamespace(html_baseurl=HOST.rstrip("/"), root_doc="a"), env=None)

    with pytest.raises(ValueError, match="html.baseurl"):
        metadata.add_metadata(app, "a", "page.html", {}, page_of("x"))


# --- weight and zip


def test_a_file_weighs_once_and_text_weighs_what_gzip_leaves(tmp_path):
    (tmp_path / "a b.css").write_text("a" * 5000)
    (tmp_path / "a.png").write_bytes(b"a" * 5000)
    host = "http://127.0.0.1:80"

    parts = weight.weigh(
        [f"{host}/a%20b.css?v=1", f"{host}/a%20b.css", f"{host}/a.png", "data:x,y"], tmp_path
    )

    assert [(part.name, part.stored) for part in parts] == [("a.png", 5000), ("a b.css", 5000)]
    assert parts[0].sent == 5000
    assert parts[1].sent < 100


def test_a_request_without_a_file_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="gone.js"):
        weight.weigh(["http://127.0.0.1/gone.js"], tmp_path)


def test_a_chapter_that_is_too_heavy_is_named_and_a_page_that_only_leads_on_is_not_weighed(
    chromium, tmp_path, monkeypatch, capsys
):
    pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    site = tmp_path / weight.SITE
    (site / "book").mkdir(parents=True)
    (site / "index.html").write_text(
        '<meta http-equiv="refresh" content="0; url=book/01-a.html"><link rel="icon" href="data:,">'
    )
    for name, side in (("01-a", 4), ("02-b", 800)):
        picture = Image.frombytes("RGB", (side, side), random.Random(0).randbytes(3 * side**2))
        picture.save(site / "book" / f"{name}.png")
        (site / "book" / f"{name}.html").write_text(f'<link rel="icon" href="data:,"><img src="{name}.png">')
    monkeypatch.chdir(tmp_path)

    status = weight.main([])

    _, *lines = capsys.readouterr().out.splitlines()
    assert [line.partition(" ")[0] for line in lines] == ["book/01-a.html", "book/02-b.html"]
    assert [line.endswith(" too heavy") for line in lines] == [False, True]
    assert status == 1


def test_the_same_site_makes_the_same_archive_with_one_folder(tmp_path):
    site = tmp_path / "_build" / "html"
    (site / "book").mkdir(parents=True)
    (site / "index.html").write_text("door")
    (site / "book" / "a.html").write_text("page")
    (tmp_path / "labs").mkdir()
    for name in (*site_zip.LICENCES, "labs/__init__.py"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())

    first = site_zip.pack(tmp_path)
    written = first.read_bytes()
    (site / "index.html").touch()
    folder = f"nonlinear-site-{labs.__version__}"

    assert site_zip.pack(tmp_path).read_bytes() == written
    assert first == tmp_path / "_build" / f"{folder}.zip"
    assert {name.removeprefix(f"{folder}/") for name in zipfile.ZipFile(first).namelist()} == {
        *site_zip.LICENCES,
        "README.txt",
        "book/a.html",
        "index.html",
    }
    assert sorted(path.name for path in first.parent.iterdir()) == ["html", first.name]


def test_without_a_site_there_is_nothing_to_pack(tmp_path):
    with pytest.raises(FileNotFoundError, match="make book"):
        site_zip.contents(tmp_path)

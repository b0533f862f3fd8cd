"""EPUB and PDF of a book of two pages: formulas, figures, links, and what e-readers and paper cannot do."""

import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from tools import cover, pages, pdf
from tools.chromium import DownloadError, find_chromium
from tools.epub import write_epub

ROOT = Path(__file__).resolve().parents[1]
XHTML, MATHML = "{http://www.w3.org/1999/xhtml}", "{http://www.w3.org/1998/Math/MathML}"
FIRST = """<html><body><nav>Site</nav><article class="bd-article"><section id="first"><h1>1. First & <em>best</em>
<a class="headerlink" href="#first">#</a></h1>
<p>See <a href="two.html#there">two</a>, <a href="two.html#gone">gone</a>, <a href="../_sources/a.ipynb">a file</a>,
<a href="https://example.org/">outside</a> and <a class="reference internal" href="#equation-e">(1)</a>.<br>
<span class="math notranslate">\\(\\mathcal{L} < \\tfrac{1}{2}\\)</span></p>
<div class="math notranslate" id="equation-e"><span class="eqno">(1)<a class="headerlink" href="#">#</a></span>
\\[a = b\\]</div>
<section id="sub"><h2>Below</h2><figure id="fig"><img loading="lazy" width="900"
height="8" alt="A black square" src="../_images/abc.png"></figure>
<div class="labs-widget"><p class="labs-widget-note">n</p><script type="application/json">{"x": 1}</script></div>
<details class="admonition hide above-input"><summary aria-label="T"><p class="collapsed">Show</p></summary>
<pre>hidden_code()</pre></details>
<pre><span class="k">def</span><span class="w"> </span><span class="n">f</span><span class="p">():</span></pre>
<div class="admonition dropdown"><p class="admonition-title">Answer</p><p>Because.</p></div>
<div class="quiz" role="group" data-quiz="quiz-a-b"><p>Which?</p><details class="quiz-answer" data-right="yes">
<summary>This</summary><p>Right.</p></details></div></section></section></article></body></html>"""
SECOND = """<html><body><article class="bd-article"><section id="second"><h1>Second</h1><p id="there">Here.</p>
<p id="there">Twice the same id.</p><table style="white-space: nowrap"><tr><td>WORDS</td></tr></table>
</section></article>""".replace("WORDS", "wide " * 80)


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """The root of a repository with a built site of two pages."""
    root = tmp_path_factory.mktemp("a book with a space")
    site = root / "_build" / "html"
    for folder in (site / "book", site / "_images", root / "labs"):
        folder.mkdir(parents=True)
    (site / "book" / "01-first.html").write_text(FIRST, encoding="utf-8")
    (site / "book" / "two.html").write_text(SECOND, encoding="utf-8")
    Image.new("RGB", (8, 8)).save(site / "_images" / "abc.png")
    (root / "_toc.yml").write_text(
        "root: book/01-first\nparts:\n- caption: I & II\n  chapters:\n  - file: book/two\n", encoding="utf-8"
    )
    for name in ("_config.yml", "CITATION.cff", "labs/__init__.py"):
        shutil.copy(ROOT / name, root / name)
    return SimpleNamespace(root=root, site=site)


@pytest.fixture(scope="module")
def epub(book, chromium):
    """The EPUB, and its documents as trees."""
    path = write_epub(book.root / "book.epub", book.site, book.root)
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    trees = {
        name.rpartition("/")[2]: ElementTree.fromstring(content)
        for name, content in files.items()
        if name.endswith(("xhtml", "opf"))
    }
    return SimpleNamespace(path=path, files=files, trees=trees)


def test_the_files_of_the_epub_are_those_that_its_package_lists(epub):
    package = epub.trees["package.opf"]
    listed = {item.get("href") for item in package.iter("{http://www.idpf.org/2007/opf}item")}

    names = {name.removeprefix("EPUB/") for name in epub.files if name.startswith("EPUB/")}

    assert next(iter(epub.files)) == "mimetype"
    assert listed == names - {"package.opf"}
    assert {"images/abc.png", "cover.png", "01-first.xhtml", "two.xhtml"} <= listed
    assert epub.files["EPUB/cover.png"].startswith(b"\x89PNG")


def test_formulas_are_mathml_with_their_tex_beside_them(epub):
    formulas = list(epub.trees["01-first.xhtml"].iter(f"{MATHML}math"))

    assert [formula.get("alttext") for formula in formulas] == ["\\mathcal{L} < \\tfrac{1}{2}", "a = b"]
    assert [formula.get("display") for formula in formulas] == [None, "block"]
    assert len(list(formulas[0].iter(f"{MATHML}mfrac"))) == 1
    assert "-tex-" not in ElementTree.tostring(formulas[0], encoding="unicode")
    assert "\\(" not in epub.files["EPUB/01-first.xhtml"].decode()


def test_links_lead_to_what_is_in_the_book_or_to_another_host(epub):
    links = {"".join(a.itertext()): a.get("href") for a in epub.trees["01-first.xhtml"].iter(f"{XHTML}a")}

    assert links == {
        "two": "two.xhtml#there",
        "gone": "two.xhtml",
        "outside": "https://example.org/",
        "(1)": "01-first.xhtml#equation-e",
    }


def test_what_needs_a_script_is_replaced_and_what_folds_still_folds(epub):
    tree, text = epub.trees["01-first.xhtml"], epub.files["EPUB/01-first.xhtml"].decode()

    summaries = ["".join(summary.itertext()) for summary in tree.iter(f"{XHTML}summary")]

    assert summaries == ["Code of this cell", "Answer", "This"]
    assert "An interactive figure stands here on the site" in text
    assert "<script" not in text
    assert "headerlink" not in text
    assert "lazy" not in text  # on paper nobody scrolls to a picture
    assert '<pre><span class="k">def</span> f():</pre>' in text  # marks without a look of their own are gone
    assert "hidden_code()" in text


def test_the_contents_list_parts_pages_and_sections(epub):
    nav = epub.trees["contents.xhtml"].find(f".//{XHTML}nav")

    assert [" ".join("".join(li.itertext()).split()) for li in nav.findall(f"{XHTML}ol/{XHTML}li")] == [
        "1. First & bestBelow",
        "I & IISecond",
    ]
    assert [a.get("href") for a in nav.iter(f"{XHTML}a")] == [
        "01-first.xhtml",
        "01-first.xhtml#sub",
        "two.xhtml",
    ]


def test_epubcheck_finds_nothing(epub):
    jar = shutil.which("epubcheck")
    if not (jar and shutil.which("java")):
        pytest.skip("no epubcheck on this machine (Debian, Ubuntu: apt install epubcheck)")

    # On Debian the command is the program itself, which not every kernel can start by its name.
    command = ["java", "-jar", jar] if Path(jar).read_bytes()[:2] == b"PK" else [jar]
    done = subprocess.run([*command, str(epub.path)], capture_output=True, text=True)

    assert "0 fatals / 0 errors / 0 warnings" in done.stdout + done.stderr


def test_the_pdf_has_outline_tags_links_figures_and_formulas_and_nothing_is_cut_off(book, chromium, capsys):
    path = pdf.write_pdf(book.root / "book.pdf", book.site, book.root)

    content = path.read_bytes()

    assert content.startswith(b"%PDF-")
    # Chromium writes these words plainly: outline, structure, a link inside the file, a picture, MathJax's fonts.
    for word in (rb"/Outlines", rb"/StructTreeRoot", rb"/Dest", rb"/Subtype /Image", rb"MJX|MathJax"):
        assert re.search(word, content), word
    # Cover, imprint, contents and the two pages; the wide table stands on one of its own, turned on its side.
    sizes = re.findall(rb"/MediaBox \[0 0 (\d+)[\d.]* (\d+)", content)
    assert [int(width) > int(height) for width, height in sizes] == [False] * 5 + [True]
    assert capsys.readouterr().err == ""  # no warning of something that sticks out
    assert not list(book.root.glob(".*.tmp"))


def test_a_formula_that_cannot_be_read_stops_the_epub_and_names_page_and_formula(book, chromium, tmp_path):
    site = shutil.copytree(book.site, tmp_path / "html")
    broken = SECOND.replace("Here.", '<span class="math">\\(\\frac{1\\)</span>')
    (site / "book" / "two.html").write_text(broken, encoding="utf-8")

    with pytest.raises(DownloadError, match=r"book/two: .*cannot read: \\frac\{1"):
        write_epub(tmp_path / "book.epub", site, book.root)

    assert not (tmp_path / "book.epub").exists()


def test_a_missing_page_an_empty_one_and_a_missing_browser_say_what_to_do(tmp_path, monkeypatch):
    (tmp_path / "empty.html").write_text("<p>Not found</p>")
    for name in ("missing", "empty"):
        with pytest.raises(DownloadError, match=f"{name}.*make book"):
            pages.read_page(tmp_path / f"{name}.html")

    monkeypatch.setenv("CHROMIUM", "no-such-browser")
    with pytest.raises(DownloadError, match=r"'no-such-browser'.*set CHROMIUM to its path"):
        find_chromium()


def test_sections_follow_the_page_they_belong_to():
    chapters = [{"file": "b", "sections": [{"file": "c"}]}, {"file": "d"}]

    order = pages.reading_order({"root": "a", "parts": [{"caption": "I", "chapters": chapters}]})

    assert [(part.caption, part.names) for part in order] == [("", ["a"]), ("I", ["b", "c", "d"])]


def test_the_curves_of_the_cover_are_the_functions():
    points = re.findall(r"([\d.]+),([\d.]+)", cover.curve(abs))
    centre = (cover.LEFT + cover.RIGHT) / 2

    assert len(points) == (cover.RIGHT - cover.LEFT) / 4 + 1
    for x, y in points:
        assert float(y) == pytest.approx(
            cover.ZERO - abs(float(x) - centre), abs=0.06
        )  # printed with one digit

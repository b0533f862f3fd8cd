"""Read a chapter: its sections with what they say, and with what they show (cells with their outputs, equations)."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

from labs.results import load_result
from tools.sources import NotebookError

BLOCKS = r"(?m)\n\s*\n|^(?=#{1,3} |\* - |\d\. |- )"
QUIZ = r"(?ms)^(`{3,})\{quiz\}.*?^\1$"  # wrong answers are no statements, and feedback repeats the chapter
DISPLAY = r"(?ms)\s*^(?:```\{math\}(.*?)^```|\$\$(.*?)\$\$(?: \((.*?)\))?)\s*?(?:\n+([a-z])|$)"
STOP = r"\s*(#|\||:::|```|:[\w-]+:|\(.*\)=$|%|\+\+\+)"
SEEDS = (
    r"(?:set_seed|make_generator|manual_seed|default_rng)\(\d+\)|\b(?:seed|random_state)=\d+"
    r"|\bseeds? in (?:range\([^()]*\)|\w+)|\bseeds = (?:range|[\[(])[^\n#]*"
)


@dataclass
class Exhibit:
    """A cell with what it prints and asserts, or a display equation: something that a sentence may rest on.

    Args:
        section: the label of its section.
        number: which visible code cell of the section it is, from 1; 0 for an equation.
        name: the label of the figure or the equation, if it has one.
        code: what the cell holds, or the LaTeX.
        printed: the lines of the outputs, or the LaTeX.
        asserted: the lines that assert something.
        shown: all of it in small letters, with caption and alternative text; empty if the cell shows nothing.
        compared: whether the tests compare the outputs with those of a new run.
        results: the results files that the cell reads.
        seeds: where the code sets its seeds, in this cell or else in the last one of the section that does.
    """

    section: str
    number: int
    name: str
    code: str
    printed: list[str]
    asserted: list[str] = field(default_factory=list)
    shown: str = ""
    compared: bool = True
    results: list[str] = field(default_factory=list)
    seeds: list[str] = field(default_factory=list)


@dataclass
class Section:
    """A ``##`` section: its label, title and text, its sentences, each with its paragraph, and its exhibits."""

    label: str = ""
    title: str = ""
    text: str = ""
    sentences: list[tuple[str, str]] = field(default_factory=list)
    exhibits: list[Exhibit] = field(default_factory=list)

    @property
    def shows(self) -> bool:
        """Whether anything in it can be looked at."""
        return any(exhibit.shown for exhibit in self.exhibits)


@dataclass
class Chapter:
    """A chapter with its sections, the settings of the results that it loads, and its labels.

    Args:
        stem: the name of its source, such as ``16-dead-neurons``.
        title: its heading.
        sections: the opening, and one for each ``##``.
        settings: the configurations of its results files, by name.
        labels: the section in which each label stands.
    """

    stem: str
    title: str = ""
    sections: list[Section] = field(default_factory=lambda: [Section()])
    settings: dict[str, str] = field(default_factory=dict)
    labels: dict[str, Section] = field(default_factory=dict)


def read_chapter(source: Path, root: Path) -> Chapter:
    """Return what a chapter says and shows, from its source and the outputs of its twin."""
    chapter, variables = Chapter(source.stem), {}
    for cell in _cells(source):
        if cell["cell_type"] == "code":
            exhibit = _exhibit(cell, chapter.sections[-1], variables)
            for name in re.findall(r'load_result\("(\w+)"', exhibit.code):
                made = load_result(name, folder=root / "results")["provenance"]
                chapter.settings[name] = str(made["config"])
            if exhibit.name:
                chapter.labels[exhibit.name] = chapter.sections[-1]
            continue
        text = re.sub(QUIZ, "", "".join(cell["source"]))
        for block in re.split(BLOCKS, re.sub(DISPLAY, _joined, text)):
            _add(block, chapter)
    return chapter


def _cells(source: Path) -> list[dict]:
    """The cells of the twin, which is read in a hundredth of the time of the source and has to say the same."""
    twin, text = source.with_suffix(".ipynb"), source.read_text(encoding="utf-8")
    remedy = f"run: python -m tools.notebooks --prose {source.stem}"
    if not twin.is_file():
        raise NotebookError(f"{twin}: missing; run: make notebook NAME={source.stem}")
    cells = json.loads(twin.read_text(encoding="utf-8"))["cells"]
    if any("".join(cell["source"]) not in text for cell in cells):
        raise NotebookError(f"{source} does not say what its twin says; {remedy}")
    return cells


def _exhibit(cell: dict, section: Section, variables: dict[str, str]) -> Exhibit:
    """Add a cell to the exhibits of its section; ``variables`` knows which names hold which results."""
    code, meta = "".join(cell["source"]), cell["metadata"]
    tags = meta.get("tags", [])
    # What a picture calls itself is no output.
    outputs = [o for o in cell["outputs"] if "image/png" not in o.get("data", {})]
    text = "\n".join("".join(o.get("text") or o.get("data", {}).get("text/plain", "")) for o in outputs)
    for name in re.findall(r"(?m)^(\w+) = ", code):
        variables.pop(name, None)
    variables |= dict(re.findall(r'(\w+) = load_result\("(\w+)"\)', code))
    used = re.findall(r'load_result\("(\w+)"', code)
    used += [result for name, result in variables.items() if re.search(rf"\b{name}\b", code)]
    earlier = [exhibit for exhibit in section.exhibits if exhibit.number]
    exhibit = Exhibit(
        section.label,
        number=("remove-cell" not in tags) + len(earlier),
        name=meta.get("mystnb", {}).get("figure", {}).get("name", ""),
        code=code,
        printed=text.splitlines(),
        asserted=re.findall(r"assert .*", code),
        shown=f" {code} {text} {meta.get('mystnb', '')}".lower() if cell["outputs"] else "",
        compared="nbval-ignore-output" not in tags,
        results=list(dict.fromkeys(used)),
        seeds=list(dict.fromkeys(re.findall(SEEDS, code))) or (earlier[-1].seeds if earlier else []),
    )
    section.exhibits.append(exhibit)
    return exhibit


def _joined(equation: re.Match) -> str:
    """Put a display equation at the end of the sentence before it, which may go on behind it."""
    text = equation[1] or equation[2]
    label = next(iter(re.findall(r":label: (\S+)", text)), equation[3] or "")
    text = " ".join(re.sub(r":label: \S+", "", text).split())
    return f" $display [{label}] {text}$ " + (equation[4] or "\n\n")


def _add(block: str, chapter: Chapter) -> None:
    """Begin a section with a heading, or add a paragraph to the last one: sentences, equations, labels."""
    # The pages that are no chapters have one experiment for each heading of the third level.
    if heading := re.match("## " if chapter.stem[0].isdigit() else "##+ ", block):
        before = re.findall(r"\(([\w-]+)\)=\s*$", chapter.sections[-1].text)
        chapter.sections.append(Section("".join(before), block.splitlines()[0][heading.end() :]))
        chapter.labels |= dict.fromkeys(before, chapter.sections[-1])
    section = chapter.sections[-1]
    if block.startswith("# ") and not chapter.title:
        chapter.title, section.label = block.splitlines()[0][2:], "".join(chapter.labels)
    for label, equation in re.findall(r"\$display \[(.*?)\]([^$]*)\$", block):
        section.exhibits.append(
            Exhibit(section.label, 0, label, equation, [equation], shown=equation.lower())
        )
        chapter.labels[label] = section
    for pair in re.findall(r"(?m)^\(([\w-]+)\)=$|^:name: (\S+)$", block):
        chapter.labels["".join(pair)] = section
    section.text += f"{block}\n"
    section.sentences += [(sentence, block) for sentence in sentences(block)]


def sentences(block: str) -> list[str]:
    """Return the sentences of a paragraph, without questions, headings and directives."""
    found = []
    for line in block.splitlines():
        if not re.match(STOP, line):
            line = re.sub(r"^\s*(?:[-*] |\d+\. |> )*", "", line)
            found += re.split(r"(?<=[.!?])[\"”*)]*\s+(?=[\"“*(\[$`{]*[A-Z{$])", line)
    return [" ".join(s.split()) for s in found if s.strip() and not s.rstrip('*") ').endswith("?")]


def prose(sentence: str) -> str:
    """Return a sentence without code, roles, and formulas that are more than a number."""
    sentence = re.sub(r"\{[\w:]+\}`[^`]*`|`[^`]*`", "", sentence).replace("{,}", ",")
    sentence = re.sub(r"\$([-+]?[\d.,\\ %]+)\$|\$[^$]*\$", r"\1", sentence)
    return re.sub(r"\\,|[\u00a0\u202f]", " ", sentence).replace("\\%", "%").translate({36: None, 42: None})


def formulas(text: str) -> str:
    """Return the mathematics of a text."""
    return " ".join(re.findall(r"\$(?:display \[.*?\])?([^$]*)\$", text))

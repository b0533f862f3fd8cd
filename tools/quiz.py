"""Sphinx extension: a question with answers to choose from, each with its feedback; no account, no server.

A page writes one like this, with the right answer ticked, and the reader's answers stay in the browser::

    ```{quiz} quiz-neuron-bias
    What does the bias of a neuron do?

    - [ ] It turns the boundary.
      > That is what the weights do.
    - [x] It moves the boundary.
      > Along the weight vector, by $-b / \\lVert w \\rVert$.
    ```

The answers are ``<details>`` elements, so they work by keyboard and without a script; ``assets/quiz.js`` remembers
which was chosen first, and counts.
"""

import re
from typing import Any, NamedTuple

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

ANSWER = re.compile(r"- \[([ x])\] ")
VERDICT = {True: "Right.", False: "Not quite."}


class QuizError(ValueError):
    """A quiz that cannot be asked; the text says what is missing."""


class Answer(NamedTuple):
    """One answer: its lines, those of its feedback, and whether it is the right one."""

    text: list[str]
    feedback: list[str]
    right: bool


def parse(lines: list[str]) -> tuple[list[str], list[Answer]]:
    """Return the lines of the question, and the answers.

    Args:
        lines: what stands between the fences.

    Raises:
        QuizError: if there is no question, if there are fewer than two answers, if not exactly one of them is
            right, or if one has no text or no feedback.

    Example:
        >>> question, answers = parse(["Even?", "- [ ] 3", "  > Odd.", "- [x] 4", "  > Twice two."])
        >>> question, [answer.feedback for answer in answers if answer.right]
        (['Even?'], [['Twice two.']])
    """
    starts = [number for number, line in enumerate(lines) if ANSWER.match(line)]
    question = lines[: starts[0]] if starts else lines
    answers = [_answer(lines[start:end]) for start, end in zip(starts, [*starts, None][1:], strict=True)]
    if not any(line.strip() for line in question):
        raise QuizError("no question in front of the answers")
    if len(answers) < 2 or sum(answer.right for answer in answers) != 1:
        found = f"{len(answers)} answers, {sum(answer.right for answer in answers)} of them right"
        raise QuizError(f"{found}; wanted at least two, '- [ ] ...', and just one of them right, '- [x] ...'")
    for answer in answers:
        if not (" ".join(answer.text).strip() and " ".join(answer.feedback).strip()):
            raise QuizError(f"{' '.join(answer.text)!r} wants a text, and feedback below it, '  > ...'")
    return question, answers


def _answer(lines: list[str]) -> Answer:
    right = ANSWER.match(lines[0])[1] == "x"
    inner = [
        ANSWER.sub("", lines[0], count=1),
        *(line[2:] if line[:2] == "  " else line for line in lines[1:]),
    ]
    feedback = [line[1:].removeprefix(" ") for line in inner if line.startswith(">")]
    return Answer([line for line in inner if not line.startswith(">")], feedback, right)


class quiz(nodes.General, nodes.Element):  # noqa: N801 (docutils names its nodes in small letters)
    """The whole: a question, and answers."""


class quiz_answer(nodes.General, nodes.Element):  # noqa: N801
    """One answer with its feedback."""


class quiz_choice(nodes.General, nodes.TextElement):  # noqa: N801
    """The text of an answer, which stands in a line and is chosen."""


class QuizDirective(SphinxDirective):
    """The directive ``quiz``; its argument is a name that stays the same, since answers are kept under it."""

    has_content = True
    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the quiz as a node, or a warning that names what is wrong."""
        name = self.arguments[0]
        try:
            question, answers = parse(list(self.content))
        except QuizError as error:
            raise self.error(f"quiz {name}: {error}") from error
        whole = quiz("", name=name)
        asked = nodes.container(classes=["quiz-question"])
        asked += self._read(question)
        whole += asked
        for answer in answers:
            option = quiz_answer("", right=answer.right)
            option += quiz_choice("", "", *self._read(answer.text)[0].children)
            told = nodes.container(classes=["quiz-feedback"])
            told += self._read(answer.feedback)
            told[0][:0] = [nodes.strong("", VERDICT[answer.right]), nodes.Text(" ")]
            option += told
            whole += option
        return [whole]

    def _read(self, lines: list[str]) -> list[nodes.Node]:
        """Return the nodes of some lines, which begin with a paragraph."""
        found = self.parse_text_to_nodes("\n".join(lines).strip(), offset=self.content_offset)
        if not isinstance(found[0], nodes.paragraph):
            raise self.error(f"quiz {self.arguments[0]}: {lines[0]!r} has to begin with a sentence")
        return found


def unlink_choices(app: Any, doctree: nodes.document, docname: str) -> None:
    """Take the links out of the texts of the answers: a press there chooses, and must not lead away as well."""
    for choice in doctree.findall(quiz_choice):
        for link in list(choice.findall(nodes.reference)):
            link.replace_self(link.children)


def visit_quiz(self: Any, node: quiz) -> None:
    """Open the group of a question and its answers."""
    self.body.append(
        f'<div class="quiz" role="group" aria-label="Question" data-quiz="{self.attval(node["name"])}">'
    )


def visit_answer(self: Any, node: quiz_answer) -> None:
    """Open an answer, which the reader can fold out."""
    self.body.append(f'<details class="quiz-answer" data-right="{"yes" if node["right"] else "no"}">')


def setup(app: Any) -> dict[str, bool]:
    """Connect to Sphinx; builders that are not HTML show question, answers and feedback as paragraphs."""

    def closing(tag: str) -> Any:
        return lambda self, node: self.body.append(f"</{tag}>\n")

    def nothing(self: Any, node: nodes.Node) -> None:
        return None

    plain = {name: (nothing, nothing) for name in ("latex", "text", "man", "texinfo")}
    summary = (lambda self, node: self.body.append("<summary>"), closing("summary"))
    app.add_node(quiz, html=(visit_quiz, closing("div")), **plain)
    app.add_node(quiz_answer, html=(visit_answer, closing("details")), **plain)
    app.add_node(quiz_choice, html=summary, **plain)
    app.add_directive("quiz", QuizDirective)
    app.connect("doctree-resolved", unlink_choices)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

"""Write for each student what is right, what is not yet, and how to go on."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from labs.files import replacing
from labs.grade.grades import STATUSES, Grade

_LONGEST_NAME = 200  # bytes; file systems allow 255, and a temporary name is longer


def feedback_path(folder: Path, file: str) -> Path:
    """Return where the feedback on a submission belongs.

    Args:
        folder: of all feedback.
        file: path of the submission below its folder.

    Example:
        >>> feedback_path(Path("feedback"), "ada/16-dead-neurons.ipynb").as_posix()
        'feedback/ada/16-dead-neurons.ipynb.md'
    """
    *folders, name = file.split("/")
    # A folder must not have the name of a feedback file beside it.
    folders = [_shortened(part, always=part.lower().endswith(".md")) for part in folders]
    return folder.joinpath(*folders, f"{_shortened(name)}.md")


def write_feedback(grade: Grade, folder: Path) -> Path:
    """Write the feedback on a submission as Markdown, and return where it is.

    Args:
        grade: what it has earned.
        folder: of all feedback; sub-folders are made as needed.

    Returns:
        The path of the file.

    Raises:
        OSError: it cannot be written.
    """
    path = feedback_path(folder, grade.submission.file)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        temporary.write_text(feedback(grade), encoding="utf-8")
    return path


def feedback(grade: Grade) -> str:
    """Return the feedback on a submission as Markdown.

    Args:
        grade: what it has earned.

    Returns:
        The text. What the student wrote stands in blocks of code, where it cannot act as Markdown or HTML.
    """
    title = grade.submission.exercise or "unknown exercise"
    lines = [f"# {title}: {grade.points} of {len(grade.parts)} points", ""]
    lines += [*_block(f"{grade.submission.student}\n{grade.submission.file}"), ""]
    lines += [f"{grade.status}: {STATUSES[grade.status]}.", ""]
    if grade.message:
        lines += _block(grade.message)
    heading = ""
    for part in grade.parts:
        if part.heading != heading:
            heading = part.heading
            lines += ["", f"## {heading}"]
        lines += [
            "",
            f"**{part.name}: {'right' if part.passed else 'not yet'}**",
            "",
            *_block("\n".join(part.lines)),
        ]
    if grade.errors:
        lines += ["", "## What stopped", "", "The last lines say which error it was, those above where."]
        for error in grade.errors:
            lines += ["", *_block(error)]
    if grade.printed.strip():
        lines += ["", "## The end of what it printed", "", *_block(grade.printed[-3000:])]
    if grade.confinement:
        lines += ["", f"It ran alone: {grade.confinement}."]
    return "\n".join(lines) + "\n"


def _shortened(name: str, *, always: bool = False) -> str:
    if len(name.encode("utf-8", "replace")) <= _LONGEST_NAME and not always:
        return name
    return f"{name[:40]}-{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def _block(text: str) -> list[str]:
    """Return a block of code with a fence that is longer than any inside."""
    text = "".join(c if c.isprintable() or c in "\n\t" else "?" for c in text.rstrip())
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}text", text, fence]

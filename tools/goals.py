"""Collect what each chapter promises to teach: the list below "After this chapter you can" in its opening."""

import re
from pathlib import Path

PROMISE = re.compile(r"\*\*After this chapter you can\*\*\n+((?:- .*\n)+)")
SIGN = re.compile(r"\{[\w:]+\}`[^`]*`")


def goals(root: Path = Path()) -> str:
    """Return the goals of all chapters as MyST, one list that folds out for each chapter.

    Args:
        root: the folder that holds ``book``.

    Raises:
        ValueError: if a chapter promises nothing, or its goals hold a role, which would lose its place here.
    """
    blocks = []
    for chapter in sorted(root.glob("book/[0-9][0-9]-*.md")):
        text = chapter.read_text(encoding="utf-8")
        promise = PROMISE.search(text)
        if not promise or SIGN.search(promise[1]):
            raise ValueError(f'{chapter}: wanted a list without roles below "**After this chapter you can**"')
        title = re.search(r"^# (\d.*)$", text, re.M)[1]
        blocks.append(
            f":::{{dropdown}} {title}\n{promise[1]}\n{{doc}}`Read the chapter <{chapter.stem}>`.\n:::"
        )
    return "\n\n".join(blocks)

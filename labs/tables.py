"""Tables for the page: with a caption and headers that a screen reader announces, and a plain form for the terminal.

A pandas ``Styler`` would do, but its text form holds a memory address, its HTML random ids and no header scopes.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape


class Table:
    """A table whose first column names the rows.

    Args:
        columns: the headers, one per column.
        rows: the cells as text, already rounded; each row begins with its name.
        caption: what the table shows, in a few words.

    Raises:
        ValueError: a row with more or fewer cells than there are columns.

    Example:
        >>> Table(["layer", "dead"], [["1", "0 %"], ["2", "12 %"]], caption="Share of dead units")
        Share of dead units
        layer  dead
        1       0 %
        2      12 %
    """

    def __init__(self, columns: Sequence[str], rows: Sequence[Sequence[str]], *, caption: str) -> None:
        for row in rows:
            if len(row) != len(columns):
                raise ValueError(
                    f"got {len(row)} cells in the row {list(row)}; wanted {len(columns)}, one per column"
                )
        self.columns, self.rows, self.caption = list(columns), [list(map(str, row)) for row in rows], caption

    def __repr__(self) -> str:
        lines = [self.columns, *self.rows]
        widths = [max(len(line[i]) for line in lines) for i in range(len(self.columns))]
        text = ("  ".join(_aligned(line, widths)).rstrip() for line in lines)
        return "\n".join([self.caption, *text])

    def _repr_html_(self) -> str:
        head = "".join(f'<th scope="col">{escape(name)}</th>' for name in self.columns)
        body = "".join(
            f'<tr><th scope="row">{escape(first)}</th>{"".join(f"<td>{escape(cell)}</td>" for cell in rest)}</tr>'
            for first, *rest in self.rows
        )
        return (
            f'<table class="dataframe labs-table"><caption>{escape(self.caption)}</caption>'
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )


def _aligned(line: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [
        cell.ljust(width) if i == 0 else cell.rjust(width)
        for i, (cell, width) in enumerate(zip(line, widths, strict=True))
    ]

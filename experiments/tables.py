"""Tables as text and as Markdown."""

from __future__ import annotations

from collections.abc import Sequence


def text_table(rows: Sequence[Sequence[str]]) -> str:
    """Align columns: the first to the left, figures to the right."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = []
    for first, *rest in rows:
        cells = [cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True)]
        lines.append("  ".join([first.ljust(widths[0]), *cells]).rstrip())
    return "\n".join(lines)


def without(rows: Sequence[Sequence[str]], headings: Sequence[str]) -> list[list[str]]:
    """Leave out the columns of these headings."""
    return [[cell for cell, heading in zip(row, rows[0], strict=True) if heading not in headings] for row in rows]


def markdown_table(rows: Sequence[Sequence[str]]) -> str:
    """Return the same rows as a Markdown table."""
    header, *body = rows
    rule = ["---", *["---:"] * (len(header) - 1)]
    return "\n".join("| " + " | ".join(row) + " |" for row in [header, rule, *body])

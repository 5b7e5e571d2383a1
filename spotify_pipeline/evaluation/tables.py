"""Tables of figures, as text for a terminal and as Markdown.

Belongs here: lines and columns. Does not belong here: what stands in them (`report`,
`reliability`).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Table", "number", "percentage"]

NO_BREAK = "\N{NO-BREAK SPACE}"


@dataclass(frozen=True)
class Table:
    """Figures as they are written; the first column names the row.

    Attributes
    ----------
    columns
        Headings.
    rows
        Each of as many cells as there are columns.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]

    def text(self) -> str:
        """Write it with aligned columns."""
        lines = [self.columns, *self.rows]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join(
            "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))
            for line in lines
        )

    def markdown(self) -> str:
        """Write it as Markdown."""
        rule = ["---", *["---:"] * (len(self.columns) - 1)]
        rows = ((name.replace(" ", NO_BREAK), *cells) for name, *cells in self.rows)
        return "\n".join(f"| {' | '.join(line)} |" for line in (self.columns, rule, *rows))


def percentage(value: float) -> str:
    """Write a fraction as a percentage; nothing for NaN."""
    return "" if math.isnan(value) else f"{value:.1%}"


def number(value: float, digits: int = 0) -> str:
    """Write a number; nothing for NaN."""
    return "" if math.isnan(value) else f"{value:,.{digits}f}"

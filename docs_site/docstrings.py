"""Module docstrings as Markdown: what a module is, and the layouts that stand in it.

Belongs here: the few forms of reStructuredText that docstrings of this project use. Does not belong
here: which modules are shown where (`pages`).
"""

import ast
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

__all__ = ["as_markdown", "docstring_of", "inline", "module_map"]

ROOT = Path(__file__).resolve().parents[1]
PLACE = "Belongs here:"


def docstring_of(module: str) -> str:
    """Give a module's docstring without importing it.

    Raises
    ------
    FileNotFoundError
        There is no such module.
    ValueError
        It has no docstring.
    """
    path = ROOT / module.replace(".", "/")
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    text = ast.get_docstring(ast.parse(file.read_text()))
    if not text:
        raise ValueError(f"{file} has no docstring")
    return text


def as_markdown(docstring: str) -> str:
    """Give a docstring as Markdown, without its paragraph on what belongs into the module."""
    blocks = [
        block for block in re.split(r"\n\s*\n", docstring) if not block.lstrip().startswith(PLACE)
    ]
    return "\n\n".join(_merged(blocks))


def _merged(blocks: list[str]) -> Iterator[str]:
    """Turn paragraphs, tables and the indented text after ``::`` into Markdown."""
    literal: list[str] = []
    for block in [*blocks, ""]:
        if literal and block.startswith("    "):
            literal.append(block)
            continue
        if len(literal) > 1:
            yield _fenced(textwrap.dedent("\n\n".join(literal[1:])))
        literal = ["::"] if block.endswith("::") else []
        if re.match(r"=+ +=", block):
            yield _table(block)
        elif block:
            yield inline(re.sub(r"::$", ":", block))


def _fenced(text: str) -> str:
    return f"```text\n{text}\n```"


def _table(block: str) -> str:
    """Turn a simple table, whose columns its first line rules, into a Markdown table.

    A line whose first cell is empty or does not end its list goes on with the row above.
    """
    rule, *lines = block.splitlines()
    starts = [found.start() for found in re.finditer(r"=+", rule)]
    edges = [*starts[1:], None]
    rows: list[list[str]] = []
    for line in lines:
        if line.startswith("="):
            continue
        cells = [line[start:end].strip() for start, end in zip(starts, edges, strict=True)]
        if rows and not any(cells[1:]):
            rows[-1] = [f"{old} {new}".strip() for old, new in zip(rows[-1], cells, strict=True)]
        else:
            rows.append(cells)
    has_head = sum(line.startswith("=") for line in lines) > 1
    head = rows.pop(0) if has_head else [""] * len(starts)
    written = ["| " + " | ".join(row) + " |" for row in (head, ["---"] * len(starts), *rows)]
    return inline("\n".join(written))


def inline(text: str) -> str:
    """Turn ``literals`` and `names` into code; what is code already stays."""
    return text.replace("``", "`")


def module_map(package: str) -> str:
    """List the modules of a package: name, first sentence, and what belongs there; Markdown."""
    folder = ROOT / package.replace(".", "/")
    lines = ["| Module | What it is | What belongs there |", "|---|---|---|"]
    for file in sorted(folder.glob("*.py")):
        text = ast.get_docstring(ast.parse(file.read_text()))
        if file.name == "__init__.py" or not text:
            continue
        first = " ".join(text.partition("\n\n")[0].split())
        lines.append(f"| `{file.stem}` | {inline(first)} | {inline(_belongs(text))} |")
    return "\n".join(lines)


def _belongs(docstring: str) -> str:
    found = re.search(rf"{PLACE}\s*(.*?)(?=\s+Does not\s+belong here:|\n\n|$)", docstring, re.S)
    return " ".join(found.group(1).split()) if found else ""

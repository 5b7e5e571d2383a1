"""Diagrams of a way through the system, as text in a page: boxes with arrows between them.

A block of the language ``flow`` has a line for each thing and each step::

    [XX.jsonl.zst] a shard in incoming/
    : a process unpacks, two threads parse
    + [meta.duckdb] names of tracks
    [staging/] the detection fields, as Parquet

A name in brackets is what lies somewhere, a colon what is done next, a plus what comes in from the
side. HTML and CSS draw it, so that it wraps on a narrow screen and needs no network.

Belongs here: text to HTML. Does not belong here: colours (``docs/assets/site.css``).
"""

import re
from html import escape

__all__ = ["fence", "flow"]

ARROW = '<div class="flow-arrow" aria-hidden="true">↓</div>'
"""Before each thing, and so after what is done and what comes in."""


def fence(
    source: str, language: str, class_name: str, options: object, md: object, **kwargs: object
) -> str:
    """Render a block for pymdownx.superfences, whose arguments these are."""
    return flow(source)


def flow(source: str) -> str:
    """Give a diagram as HTML.

    Raises
    ------
    ValueError
        A line is none of the three.
    """
    drawn = "".join(_drawn(line) for line in source.splitlines() if line.strip())
    return f'<div class="flow">{drawn.removeprefix(ARROW)}</div>'


def _drawn(line: str) -> str:
    if found := re.fullmatch(r"(\+ )?\[(.+?)\]\s*(.*)", line):
        side, name, text = found.groups()
        content = f"<strong>{escape(name)}</strong><span>{_text(text)}</span>"
        if side:
            return f'<div class="flow-side">{content}</div>'
        return f'{ARROW}<div class="flow-thing">{content}</div>'
    if line.startswith(": "):
        return f'<div class="flow-step">{_text(line[2:])}</div>'
    raise ValueError(f"neither a thing, a step nor a side of a flow: {line!r}")


def _text(text: str) -> str:
    return re.sub(r"`(.+?)`", r"<code>\1</code>", escape(text))

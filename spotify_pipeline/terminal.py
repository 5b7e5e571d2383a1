"""Text of others, a title or a file's name, made fit for a terminal.

Belongs here: what must not reach a terminal as it is. Does not belong here: what programs read
(JSON, CSV), which stays exact.
"""

__all__ = ["harmless", "harmless_lines"]

_CONTROLS = (*range(0x20), *range(0x7F, 0xA0))
"""Escape sequences begin with these; others move the cursor, or ring."""

_LINE_ENDS = (0x2028, 0x2029)

_DIRECTIONS = (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
"""They turn the rest of the line around."""

_SHOWN = {code: f"\\x{code:02x}" for code in _CONTROLS} | {
    code: f"\\u{code:04x}" for code in (*_LINE_ENDS, *_DIRECTIONS)
}


def harmless(text: str) -> str:
    r"""Write out characters that a terminal would act on; the text stays on its line.

    >>> harmless("Thriller\x1b[2J")
    'Thriller\\x1b[2J'
    """
    return text.translate(_SHOWN)


def harmless_lines(text: str) -> str:
    """Do so in each line of a text."""
    return "\n".join(map(harmless, text.split("\n")))

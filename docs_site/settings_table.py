"""The settings as a table, taken from the code that reads them.

Belongs here: `Settings` to Markdown. Does not belong here: where the table stands (`pages`).
"""

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from docs_site.docstrings import inline
from spotify_pipeline import settings
from spotify_pipeline.errors import PipelineError
from spotify_pipeline.settings import Settings, TrainsChoice

__all__ = ["Row", "settings_rows", "settings_table"]

PROBES = ("/probe", "0.5", TrainsChoice.ECHOPRINT.value, "off")
"""Values of which every setting takes one that is not its default."""

DEFAULTS = {
    "home": f"`./{settings.DEFAULT_HOME}`",
    "incoming": "`incoming` in the data home",
    "sizes": "none",
    "metadata_file": "the newest",
}
"""What the code computes, or has no value for."""


@dataclass(frozen=True)
class Row:
    """A setting: its environment variable, what it means and its default, both as Markdown."""

    variable: str
    meaning: str
    default: str


def settings_rows() -> Iterator[Row]:
    """Give the settings in the order of their constants in ``settings.py``.

    Raises
    ------
    KeyError
        A setting has no description among the attributes of `Settings`.
    ValueError
        A variable changes none of them.
    """
    meanings = dict(_attributes(inspect.getdoc(Settings) or ""))
    types = {field.name: field.type for field in fields(Settings)}
    for name, variable in vars(settings).items():
        if name.endswith("_VARIABLE"):
            attribute = _attribute_of(variable)
            choices = _choices(types[attribute])
            meaning = meanings[attribute] + (f" {choices}" if choices else "")
            yield Row(variable, meaning, _default(attribute))


def settings_table() -> str:
    """Give the table as Markdown, each name an anchor of its own."""
    lines = ["| Setting | Meaning | Default |", "|---|---|---|"]
    for row in settings_rows():
        anchor = row.variable.lower()
        lines.append(f"| `{row.variable}`{{ #{anchor} }} | {row.meaning} | {row.default} |")
    return "\n".join(lines)


def _attribute_of(variable: str) -> str:
    """Find the attribute that a variable sets, by setting it."""
    unset = Settings.from_environment({})
    for probe in PROBES:
        try:
            found = Settings.from_environment({variable: probe})
        except PipelineError:
            continue
        for field in fields(Settings):
            if getattr(found, field.name) != getattr(unset, field.name):
                return field.name
    raise ValueError(f"{variable} changes no attribute of Settings")


def _attributes(docstring: str) -> Iterator[tuple[str, str]]:
    """Read the section Attributes of a docstring: names and descriptions."""
    section = docstring.partition("Attributes\n----------\n")[2]
    for entry in re.split(r"\n(?=\S)", section):
        name, _, description = entry.partition("\n")
        yield name.strip(), inline(" ".join(description.split()))


def _choices(annotation: object) -> str:
    if annotation is TrainsChoice:
        return f"One of {', '.join(f'`{choice}`' for choice in TrainsChoice)}."
    return "`on` or `off`." if annotation is bool else ""


def _default(attribute: str) -> str:
    if attribute in DEFAULTS:
        return DEFAULTS[attribute]
    value: Any = getattr(Settings, attribute)
    if isinstance(value, bool):
        return "`on`" if value else "`off`"
    if isinstance(value, float):
        return f"`{value:g}`"
    return f"`{value}`" if value else "none"

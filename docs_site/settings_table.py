"""The settings as a table, taken from the code that reads them.

Belongs here: `SETTINGS` to Markdown. Does not belong here: where the table stands (`pages`).
"""

from spotify_pipeline.settings import SETTINGS

__all__ = ["settings_table"]


def settings_table() -> str:
    """Give the table as Markdown, each name an anchor of its own."""
    lines = ["| Setting | Meaning | Default |", "|---|---|---|"]
    for setting in SETTINGS:
        name = f"`{setting.variable}`{{ #{setting.variable.lower()} }}"
        default = f"`{setting.default}`" if setting.default else "none"
        lines.append(f"| {name} | {setting.meaning} | {default} |")
    return "\n".join(lines)

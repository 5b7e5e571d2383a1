"""The commands as Markdown: what ``--help`` says, taken from click.

Belongs here: a group of commands to headings, texts and tables. Does not belong here: what the
commands do, and where this stands (`pages`).
"""

import inspect
import re
from collections.abc import Iterator
from html import escape

import click

__all__ = ["commands_of", "help_of"]


def commands_of(group: click.Group, name: str) -> str:
    """Describe all commands of a group, in the order of their names; each has a heading."""
    parent = click.Context(group, info_name=name)
    named = sorted(group.commands.items())
    return "\n\n".join(help_of(command, word, parent) for word, command in named)


def help_of(command: click.Command, word: str, parent: click.Context) -> str:
    """Describe one command: its text, examples, usage and options."""
    context = click.Context(command, info_name=word, parent=parent)
    usage = command.get_usage(context).removeprefix("Usage: ")
    rows = list(_options(command, context))
    table = ["| Option | |", "|---|---|", *rows] if rows else []
    parts = [f"## {word}", f"```text\n{usage}\n```", *_paragraphs(command), "\n".join(table)]
    return "\n\n".join(part for part in parts if part)


def _paragraphs(command: click.Command) -> Iterator[str]:
    """Give the help's paragraphs; what follows a backspace are lines to type."""
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        if paragraph.startswith("\b"):
            yield f"```console\n{re.sub(r'(?m)^ *', '$ ', paragraph[2:])}\n```"
        else:
            yield _escaped(paragraph)


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if isinstance(parameter, click.Option) and record and "--help" not in parameter.opts:
            names, text = record
            yield f"| `{names.replace('|', '&#124;')}` | {_escaped(text)} |"


def _escaped(text: str) -> str:
    """Keep what Markdown or a table would take for its own."""
    return re.sub(r"([*_|])", r"\\\1", escape(text, quote=False))

"""What MkDocs calls while it builds the site (``hooks`` of ``mkdocs.yml``).

A page asks for what the code says by a comment on a line of its own::

    <!-- settings -->
    <!-- commands -->
    <!-- audio tables -->
    <!-- catalogue tables -->
    <!-- docstring spotify_pipeline.harmony.packing -->
    <!-- modules spotify_pipeline.index -->

Pages that stand elsewhere in the repository are taken into the site from there, so that each text
stands once: the results of benchmarks, CONTRIBUTING and CHANGELOG.

Belongs here: filling in and taking in. Does not belong here: what is filled in (`settings_table`,
`command_help`, `tables`, `docstrings`).
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from docs_site.command_help import commands_of
from docs_site.docstrings import as_markdown, docstring_of, module_map
from docs_site.settings_table import settings_table
from docs_site.tables import audio_tables, catalogue_tables
from spotify_pipeline.cli import main

__all__ = ["filled_in", "on_files", "on_page_markdown"]

ROOT_PAGES = {"CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
RESULTS = "benchmarks/results"

LINKS = {
    f"../{RESULTS}/README.md": "results/index.md",
    f"../{RESULTS}/": "results/",
    "docs/": "",
    "../../docs/": "../",
    **{f"{up}{source}": page for source, page in ROOT_PAGES.items() for up in ("", "../")},
}
"""How a link begins in the repository, and in the site."""

ASKED = re.compile(
    r"^<!-- (settings|commands|audio|catalogue|docstring|modules)(?: (\S+))? -->$", re.M
)

GIVEN: Mapping[str, Callable[[str], str]] = {
    "settings": lambda _: settings_table(),
    "commands": lambda _: commands_of(main, "spotify-pipeline"),
    "audio": lambda _: audio_tables(),
    "catalogue": lambda _: catalogue_tables(),
    "docstring": lambda module: as_markdown(docstring_of(module)),
    "modules": module_map,
}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Take pages from elsewhere in the repository into the site."""
    root = Path(config.config_file_path).parent
    pages = {root / source: page for source, page in ROOT_PAGES.items()}
    for result in sorted((root / RESULTS).glob("*.md")):
        pages[result] = f"results/{'index.md' if result.name == 'README.md' else result.name}"
    for source, page in pages.items():
        files.append(File.generated(config, page, content=source.read_text()))
    return files


def on_page_markdown(markdown: str, **kwargs: object) -> str:
    """Fill in what a page asks for, and lead links into the repository to pages of the site."""
    for here, there in LINKS.items():
        markdown = markdown.replace(f"]({here}", f"]({there}")
    return filled_in(markdown)


def filled_in(markdown: str) -> str:
    """Put what the code says in place of the comments that ask for it."""
    return ASKED.sub(lambda found: GIVEN[found.group(1)](found.group(2) or ""), markdown)

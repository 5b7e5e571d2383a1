"""Docstrings as Markdown."""

import pytest

from docs_site.docstrings import as_markdown, docstring_of, module_map

LAYOUT = """\
A file of ``things``.

The layout::

    uint8    the version

    uint32   how many

Words after it.

Belongs here: bytes. Does not belong here: what they mean.
"""

TABLE = """\
Types.

=======  =====  ====
column   type   none
=======  =====  ====
``a``,   INT    yes
``b``
``c``    TEXT   no
=======  =====  ====
"""


def test_an_indented_layout_is_a_block_of_text() -> None:
    assert as_markdown(LAYOUT) == (
        "A file of `things`.\n\nThe layout:\n\n"
        "```text\nuint8    the version\n\nuint32   how many\n```\n\nWords after it."
    )


def test_a_ruled_table_is_a_table_and_a_line_with_one_cell_goes_on() -> None:
    assert as_markdown(TABLE).splitlines()[2:] == [
        "| column | type | none |",
        "| --- | --- | --- |",
        "| `a`, `b` | INT | yes |",
        "| `c` | TEXT | no |",
    ]


def test_a_module_that_is_not_there_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        docstring_of("spotify_pipeline.nowhere")


def test_the_map_of_a_package_says_what_belongs_into_each_module() -> None:
    lines = module_map("spotify_pipeline.harmony").splitlines()
    assert "| `packing` | Harmony as three bytes a segment, for storing it by the million. |" in (
        "\n".join(lines)
    )
    assert any("the byte layout" in line for line in lines)

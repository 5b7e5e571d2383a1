"""Diagrams as text."""

import pytest

from docs_site.flow import ARROW, flow


def test_things_stand_under_each_other_with_an_arrow_after_step_and_side() -> None:
    drawn = flow("[a < b] first\n: work · `tool`\n+ [c] from aside\n[d]\n")
    assert drawn == (
        '<div class="flow"><div class="flow-thing"><strong>a &lt; b</strong>'
        "<span>first</span></div>"
        '<div class="flow-step">work · <code>tool</code></div>'
        '<div class="flow-side"><strong>c</strong><span>from aside</span></div>'
        f'{ARROW}<div class="flow-thing"><strong>d</strong><span></span></div></div>'
    )


def test_a_line_that_is_nothing_of_a_flow_is_an_error() -> None:
    with pytest.raises(ValueError, match="what is this"):
        flow("[a]\nwhat is this\n")

"""The tables of the styles fit together."""

import pytest

from spotify_pipeline.demo.instruments import INSTRUMENTS
from spotify_pipeline.demo.styles import SCALES, STROKES, STYLES, Style


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.genre)
def test_patterns_of_a_style_share_its_meter(style: Style) -> None:
    patterns = (style.kick, style.snare, style.hat, style.comping)
    assert {len(pattern) for pattern in patterns} == {style.steps}
    assert set("".join(patterns)) <= set(STROKES)
    assert max(style.pulse) < style.steps


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.genre)
def test_scales_and_instruments_of_a_style_exist(style: Style) -> None:
    assert set(style.scales) <= set(SCALES)
    assert {*style.lead, *style.harmony, *style.bass} <= set(INSTRUMENTS)


def test_every_style_has_a_genre_and_an_artist_of_its_own() -> None:
    assert len({style.genre for style in STYLES}) == len(STYLES)
    assert len({style.artist for style in STYLES}) == len(STYLES)

"""The table of settings is what the code reads."""

from docs_site.settings_table import settings_table
from spotify_pipeline.settings import SETTINGS


def test_every_setting_has_a_row_with_its_default_and_an_anchor() -> None:
    rows = settings_table().splitlines()[2:]
    assert len(rows) == len(SETTINGS)
    for row, setting in zip(rows, SETTINGS, strict=True):
        assert f"`{setting.variable}`{{ #{setting.variable.lower()} }}" in row
        assert setting.meaning in row
        assert row.endswith(f"| {f'`{setting.default}`' if setting.default else 'none'} |")

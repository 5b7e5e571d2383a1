"""The table of settings is what the code reads."""

from docs_site.settings_table import settings_rows, settings_table
from spotify_pipeline import settings


def test_every_setting_is_there_once_with_a_meaning() -> None:
    rows = list(settings_rows())
    variables = [value for name, value in vars(settings).items() if name.endswith("_VARIABLE")]
    assert [row.variable for row in rows] == variables
    assert all(row.meaning.endswith(".") and row.default for row in rows)


def test_defaults_and_choices_are_those_of_the_code() -> None:
    rows = {row.variable: row for row in settings_rows()}
    assert rows[settings.HOME_VARIABLE].default == "`./data`"
    assert rows[settings.REJECT_LIMIT_VARIABLE].default == "`0.01`"
    assert rows[settings.HARMONY_VARIABLE].default == "`on`"
    assert "`rhythm`, `echoprint`, `both`" in rows[settings.INDEX_VARIABLE].meaning


def test_each_row_is_an_anchor() -> None:
    assert settings_table().count("{ #spotify_pipeline_") == len(list(settings_rows()))

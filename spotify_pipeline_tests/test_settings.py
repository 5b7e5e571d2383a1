"""Where things lie, as the environment says or leaves open."""

from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest

from spotify_pipeline.errors import PipelineError
from spotify_pipeline.settings import (
    FINGERPRINTS_VARIABLE,
    HARMONY_VARIABLE,
    HOME_VARIABLE,
    INCOMING_VARIABLE,
    INDEX_MEMORY_VARIABLE,
    INDEX_VARIABLE,
    REJECT_LIMIT_VARIABLE,
    SETTINGS,
    SOURCES_VARIABLE,
    Settings,
    TrainsChoice,
)


def test_the_home_is_the_folder_data_by_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = Settings.from_environment({})
    assert settings == Settings(tmp_path / "data", tmp_path / "data" / "incoming")


def test_an_empty_variable_counts_as_unset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    empty = {HOME_VARIABLE: "", INCOMING_VARIABLE: ""}
    assert Settings.from_environment(empty) == Settings.from_environment({})


def test_incoming_lies_in_the_home_by_default(tmp_path: Path) -> None:
    settings = Settings.from_environment({HOME_VARIABLE: str(tmp_path / "home")})
    assert settings.incoming == tmp_path / "home" / "incoming"


def test_incoming_may_lie_elsewhere(tmp_path: Path) -> None:
    settings = Settings.from_environment(
        {HOME_VARIABLE: str(tmp_path / "home"), INCOMING_VARIABLE: str(tmp_path / "torrents")}
    )
    assert settings == Settings(tmp_path / "home", tmp_path / "torrents")


def test_the_demo_keeps_to_a_home_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    real = {INCOMING_VARIABLE: "/torrents", SOURCES_VARIABLE: "move:/done", INDEX_VARIABLE: "both"}
    demo = Settings.for_demo(real)
    assert (demo.home, demo.incoming) == (tmp_path / "data-demo", tmp_path / "data-demo/incoming")
    assert (demo.sources, demo.indexed_trains) == ("delete", TrainsChoice.BOTH)
    named = Settings.for_demo(real | {HOME_VARIABLE: "named"})
    assert (named.home, named.incoming) == (tmp_path / "named", tmp_path / "named" / "incoming")


def test_paths_do_not_depend_on_the_folder_in_which_they_are_used_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = Settings.from_environment({HOME_VARIABLE: "here", INCOMING_VARIABLE: "there"})
    assert settings == Settings(tmp_path / "here", tmp_path / "there")


def test_a_tilde_is_the_users_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    settings = Settings.from_environment({HOME_VARIABLE: "~/music", INCOMING_VARIABLE: "~/new"})
    assert settings == Settings(tmp_path / "music", tmp_path / "new")


def test_the_processs_own_environment_is_read_by_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    monkeypatch.setenv(INCOMING_VARIABLE, str(tmp_path / "new"))
    assert Settings.from_environment() == Settings(tmp_path / "home", tmp_path / "new")


def test_everything_but_incoming_lies_apart_below_the_home(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "home", tmp_path / "elsewhere")
    positions = [
        settings.staging,
        settings.audio_database,
        settings.metadata_database,
        settings.index,
    ]
    assert {position.parent for position in positions} == {tmp_path / "home"}
    assert len(set(positions)) == len(positions)


def test_folders_are_created_once_and_kept(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "deep" / "home", tmp_path / "deep" / "home" / "incoming")
    settings.create_folders()
    (settings.incoming / "file").write_text("kept")
    settings.create_folders()
    assert (settings.incoming / "file").read_text() == "kept"
    assert settings.staging.is_dir()
    assert settings.index.is_dir()


def test_an_incoming_folder_elsewhere_is_not_created(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "home", tmp_path / "torents")
    with pytest.raises(PipelineError, match=r"torents: no such .*SPOTIFY_PIPELINE_INCOMING"):
        settings.create_folders()
    assert list(tmp_path.iterdir()) == []
    settings.incoming.mkdir()
    settings.create_folders()
    assert settings.staging.is_dir()


def test_reading_settings_creates_nothing(tmp_path: Path) -> None:
    Settings.from_environment({HOME_VARIABLE: str(tmp_path / "home")})
    assert list(tmp_path.iterdir()) == []


def test_settings_do_not_change(tmp_path: Path) -> None:
    with pytest.raises(FrozenInstanceError):
        Settings(tmp_path, tmp_path).home = tmp_path  # type: ignore[misc]


def test_what_is_kept_and_indexed_may_be_chosen() -> None:
    settings = Settings.from_environment(
        {FINGERPRINTS_VARIABLE: "rhythm", INDEX_VARIABLE: "both", INDEX_MEMORY_VARIABLE: "0.5"}
    )
    assert settings.kept_trains == TrainsChoice.RHYTHM
    assert (settings.indexed_trains, settings.index_memory_gb) == (TrainsChoice.BOTH, 0.5)
    assert Settings.from_environment({}).indexed_trains is TrainsChoice.RHYTHM
    with pytest.raises(PipelineError, match="must be one of rhythm, echoprint, both"):
        Settings.from_environment({INDEX_VARIABLE: "all"})


def test_harmony_is_kept_by_default() -> None:
    assert Settings.from_environment({}).keep_harmony
    assert Settings.from_environment({HARMONY_VARIABLE: "on"}).keep_harmony
    assert not Settings.from_environment({HARMONY_VARIABLE: "off"}).keep_harmony
    with pytest.raises(PipelineError, match="SPOTIFY_PIPELINE_HARMONY is '0', but must be on or"):
        Settings.from_environment({HARMONY_VARIABLE: "0"})


def test_the_table_of_settings_describes_each_attribute_and_its_default() -> None:
    defaults = Settings.from_environment({})
    assert [setting.attribute for setting in SETTINGS] == [each.name for each in fields(Settings)]
    for setting in SETTINGS:
        assert setting.variable.startswith("SPOTIFY_PIPELINE_")
        assert setting.meaning.endswith(".")
        explicit = Settings.from_environment({setting.variable: setting.default})
        assert getattr(explicit, setting.attribute) == getattr(defaults, setting.attribute)
    by_hand = Settings(defaults.home, defaults.incoming)
    assert by_hand == defaults


@pytest.mark.parametrize(
    ("variable", "text", "what"),
    [
        (REJECT_LIMIT_VARIABLE, "two", "a number from 0 to 1"),
        (REJECT_LIMIT_VARIABLE, "1.5", "a number from 0 to 1"),
        (INDEX_MEMORY_VARIABLE, "nan", "a number from 0 to 1e[+]06"),
        (INDEX_VARIABLE, "all", "one of rhythm, echoprint, both"),
        (HARMONY_VARIABLE, "yes", "on or off"),
    ],
)
def test_a_setting_that_cannot_be_read_is_named(variable: str, text: str, what: str) -> None:
    with pytest.raises(PipelineError, match=f"^{variable} is '{text}', but must be {what}$"):
        Settings.from_environment({variable: text})


def test_settings_can_be_written_as_an_environment_and_read_back(tmp_path: Path) -> None:
    settings = Settings(
        tmp_path / "home",
        tmp_path / "new",
        sizes=tmp_path / "sizes.csv",
        sources="keep",
        parts=("bars", "beats"),
        reject_limit=0.125,
        kept_trains=TrainsChoice.RHYTHM,
        keep_harmony=False,
    )
    assert Settings.from_environment(settings.as_environment()) == settings
    plain = Settings(tmp_path, tmp_path / "incoming")
    assert Settings.from_environment(plain.as_environment()) == plain

"""No more files are there or on their way than are allowed, and nobody waits for ever."""

from dataclasses import replace
from threading import Thread

import pytest

from spotify_pipeline.dump.shard_lock import shard_lock
from spotify_pipeline.settings import Settings
from spotify_pipeline.torrent import places
from spotify_pipeline.torrent.client import StalledError
from spotify_pipeline.torrent.places import forget_place, take_place


@pytest.fixture(autouse=True)
def looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "LOOK_SECONDS", 0.02)


def quiet(_: str) -> None:
    pass


def test_one_waits_until_another_file_is_ingested(settings: Settings) -> None:
    (settings.incoming / "0a.jsonl.zst").touch()
    take_place(settings, "0A", quiet)
    said: list[str] = []
    waiting = Thread(target=take_place, args=(settings, "0b", said.append))
    waiting.start()
    waiting.join(0.3)
    assert waiting.is_alive()
    (settings.incoming / "0a.jsonl.zst").unlink()
    waiting.join(10)
    assert not waiting.is_alive()
    assert {path.name for path in settings.downloads.iterdir()} == {"0A_", "0b"}
    assert said == [
        "0b waits: 0A_, 0a lie there or are being fetched, and at most 2 files may at once"
        " (SPOTIFY_PIPELINE_TORRENT_FILES); it goes on when one is ingested"
    ]


def test_a_place_that_was_taken_before_is_taken_again(settings: Settings) -> None:
    (take_place(settings, "0a", quiet) / "part").touch()
    take_place(settings, "0b", quiet)
    assert (take_place(settings, "0a", quiet) / "part").exists()
    forget_place(settings, "0a")
    take_place(settings, "0c", quiet)


def test_files_that_are_kept_by_choice_take_no_place(settings: Settings) -> None:
    settings = replace(settings, sources="keep")
    for shard in ("0a", "0b", "0c"):
        (settings.incoming / f"{shard}.jsonl.zst").touch()
    assert take_place(settings, "0d", quiet).is_dir()


def test_one_gives_its_turn_on_to_whoever_goes_on_with_what_nobody_fetches_now(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "GIVES_WAY_AFTER", 0.1)
    for shard in ("0A", "0b"):
        (take_place(settings, shard, quiet) / "part").touch()
    with pytest.raises(StalledError, match=r"^0c gives its turn on: 0A_, 0b lie there in part"):
        take_place(settings, "0c", quiet)
    assert [path.name for path in take_place(settings, "0b", quiet).iterdir()] == ["part"]


def test_what_was_awaited_for_long_makes_way_and_what_is_fetched_does_not(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "MAKES_WAY_AFTER", 0)
    for shard in ("0A", "0b"):
        (take_place(settings, shard, quiet) / "part").touch()
    said: list[str] = []
    with shard_lock(settings.locks, "0A", quiet):
        take_place(settings, "0c", said.append)
    assert {path.name for path in settings.downloads.iterdir()} == {"0A_", "0c"}
    assert said[0] == "what was fetched of 0b makes way: nobody goes on with it"

"""The text index: built beside the one in service, known by what it was made of, hard to break."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from spotify_pipeline.catalog import Filters, TextSearch, build_text_index, text_index, text_tracks
from spotify_pipeline.catalog.text_index import tiers_of
from spotify_pipeline.catalog.text_manifest import (
    TextIndexError,
    TextManifest,
    is_current,
    read_text_manifest,
)
from spotify_pipeline.catalog.text_tiers import open_text_index
from spotify_pipeline.settings import Settings
from spotify_pipeline.space import SpaceError, SpaceGuard
from spotify_pipeline.store.database import DatabaseError
from spotify_pipeline.store.metadata import build_metadata
from spotify_pipeline.store.metadata_ledger import loaded_source
from spotify_pipeline_tests.catalogue_made import TITLES, make_home
from spotify_pipeline_tests.metadata_file import ROWS, write_metadata


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return make_home(tmp_path / "home")


def folders(home: Settings) -> list[str]:
    return sorted(path.name for path in home.text_index.glob("terms-*"))


def manifest_of(home: Settings) -> TextManifest:
    manifest = read_text_manifest(home.text_index)
    assert manifest is not None
    return manifest


def current(home: Settings) -> bool:
    loaded = loaded_source(home.metadata_database)
    return is_current(read_text_manifest(home.text_index), loaded)


def test_every_track_is_in_it_and_the_manifest_tells_what_there_is(home: Settings) -> None:
    manifest = manifest_of(home)
    files = list((home.text_index / manifest.folder).glob("*/*"))
    assert manifest.tracks == len(TITLES)
    assert manifest.size == sum(file.stat().st_size for file in files)
    assert folders(home) == [manifest.folder]
    indexes, _ = open_text_index(home.text_index)
    assert [index.searcher().num_docs for index in indexes] == [len(TITLES)]


def test_a_catalogue_in_small_parts_and_many_tiers_gives_the_same(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_tracks, "CHUNK", 2)
    monkeypatch.setattr(text_tracks, "BATCH", 1)
    monkeypatch.setattr(text_index, "FIRST_TIER", 1)
    monkeypatch.setattr(text_index, "TIER_GROWTH", 2)
    monkeypatch.setattr(text_index, "WRITER_BYTES", 15_000_000)
    whole = TextSearch.open(home.text_index)
    seen: list[tuple[int, int, str]] = []
    build_text_index(
        home.metadata_database, home.text_index, progress=lambda *step: seen.append(step)
    )
    assert manifest_of(home).tiers > 2
    tiered = TextSearch.open(home.text_index)
    assert tiered.search("yesterday") == [4, 3, 5]
    filters = Filters(years=(0, 3000))
    for text in ["", "o", "yesterday", "love is bl", "wrangsir the", "yestreday", *TITLES]:
        assert set(tiered.search(text, filters)) == set(whole.search(text, filters))
    assert [done for done, _, _ in seen] == [*range(1, len(TITLES) + 1), len(TITLES)]
    assert {(total, what) for _, total, what in seen} == {(len(TITLES), "text index")}


def test_rows_with_gaps_nulls_and_missing_rows_elsewhere_are_indexed(tmp_path: Path) -> None:
    home = Settings(tmp_path, tmp_path)
    source = write_metadata(tmp_path / "catalogue.sqlite3", ROWS)
    build_metadata(source, tmp_path / "staging", home.metadata_database)
    assert build_text_index(home.metadata_database, home.text_index).tracks == 3
    search = TextSearch.open(home.text_index)
    assert search.search("drop table") == [3]
    assert search.search("zoe ænima") == [1]


def test_it_is_stale_once_another_file_is_loaded_and_current_when_made_anew(
    home: Settings,
) -> None:
    assert current(home)
    source = write_metadata(home.home / "other.sqlite3", ROWS)
    build_metadata(source, home.staging, home.metadata_database)
    assert not current(home)
    build_text_index(home.metadata_database, home.text_index)
    assert current(home)
    assert manifest_of(home).tracks == 3
    assert len(folders(home)) == 1


def test_nothing_is_due_while_tables_are_missing(tmp_path: Path) -> None:
    home = Settings(tmp_path, tmp_path)
    source = write_metadata(tmp_path / "catalogue.sqlite3", ROWS)
    build_metadata(source, tmp_path / "staging", home.metadata_database, tables=["tracks"])
    assert current(home)
    with pytest.raises(TextIndexError, match="not loaded: albums, artist_genres, artists, track"):
        build_text_index(home.metadata_database, home.text_index)
    assert folders(home) == []


def test_without_a_catalogue_the_error_names_it(tmp_path: Path) -> None:
    with pytest.raises(TextIndexError, match=r"meta\.duckdb: there is nothing to index"):
        build_text_index(tmp_path / "meta.duckdb", tmp_path / "text")


def test_a_damaged_catalogue_leaves_the_index_in_service(home: Settings) -> None:
    home.metadata_database.write_bytes(b"x" * 50_000)
    with pytest.raises(DatabaseError, match="damaged"):
        build_text_index(home.metadata_database, home.text_index)
    assert TextSearch.open(home.text_index).search("hells bells") == [12]
    assert len(folders(home)) == 1


def test_a_disk_without_room_leaves_the_index_in_service(home: Settings) -> None:
    guard = SpaceGuard(reserve=1 << 60, say=lambda _: None, patience=0)
    with pytest.raises(SpaceError, match="text index waits for space"):
        build_text_index(home.metadata_database, home.text_index, guard=guard)
    assert TextSearch.open(home.text_index).search("hells bells") == [12]
    assert len(folders(home)) == 1


def test_without_an_index_the_error_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(TextIndexError, match="make it by 'ingest', or by the job 'text'"):
        open_text_index(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{", b'{"format": 2}', b"\xff\xff"])
def test_a_damaged_manifest_is_named_and_replaced_by_a_build(
    home: Settings, content: bytes
) -> None:
    (home.text_index / "manifest.json").write_bytes(content)
    with pytest.raises(TextIndexError, match=re.escape("manifest.json: damaged")):
        open_text_index(home.text_index)
    build_text_index(home.metadata_database, home.text_index)
    assert TextSearch.open(home.text_index).search("hells bells") == [12]


def test_an_index_of_another_format_says_so(home: Settings) -> None:
    (home.text_index / "manifest.json").write_bytes(b'{"format":99,"folder":"terms-1"}')
    with pytest.raises(TextIndexError, match="is of format 99, not 2; remove it"):
        open_text_index(home.text_index)


@pytest.mark.parametrize("damage", ["gone", "0/meta.json"])
def test_missing_files_are_an_error_that_names_the_folder(home: Settings, damage: str) -> None:
    folder = home.text_index / manifest_of(home).folder
    if damage == "gone":
        shutil.rmtree(folder)
    else:
        (folder / damage).write_bytes(b"{}")
    with pytest.raises(TextIndexError, match=re.escape(str(folder))):
        open_text_index(home.text_index)


def test_a_killed_build_leaves_the_index_and_is_cleaned_up_by_the_next(home: Settings) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path;"
        "from spotify_pipeline.catalog import build_text_index;"
        "build_text_index(Path(sys.argv[1]), Path(sys.argv[2]),"
        " progress=lambda *_: os.kill(os.getpid(), signal.SIGKILL))"
    )
    paths = [str(home.metadata_database), str(home.text_index)]
    killed = subprocess.run([sys.executable, "-c", code, *paths], check=False)
    assert killed.returncode < 0
    assert len(folders(home)) == 2
    assert TextSearch.open(home.text_index).search("hells bells") == [12]
    build_text_index(home.metadata_database, home.text_index)
    assert folders(home) == [manifest_of(home).folder]


def test_two_builds_do_not_run_at_once(home: Settings) -> None:
    def build_again(done: int, total: int, what: str) -> None:
        build_text_index(home.metadata_database, home.text_index)

    with pytest.raises(TextIndexError, match="another process builds"):
        build_text_index(home.metadata_database, home.text_index, progress=build_again)
    assert len(folders(home)) == 1


def test_tiers_grow_and_keep_tracks_of_a_popularity_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(text_index, "FIRST_TIER", 10)
    monkeypatch.setattr(text_index, "TIER_GROWTH", 3)
    counts = {90: 4, 80: 7, 70: 29, 60: 500, 1: 10, 0: 1000}
    assert tiers_of(counts) == {90: 0, 80: 0, 70: 1, 60: 1, 1: 2, 0: 2}
    assert tiers_of({}) == {}

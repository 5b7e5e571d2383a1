"""Which metadata files are found, and which of them counts."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from spotify_pipeline.dump.errors import MetadataError
from spotify_pipeline.dump.metadata_sources import find_sources
from spotify_pipeline.dump.tables import AUDIO_FEATURES
from spotify_pipeline_tests.extracts import settings_of


def test_sources_are_found_anywhere_below_and_the_newest_comes_first(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    folder = settings.incoming / "a" / "torrent"
    folder.mkdir(parents=True)
    (settings.incoming / "spotify_clean.sqlite3.zst").mkdir()
    (folder / "spotify_clean.sqlite3.zst.part").touch()
    assert find_sources(settings) == []
    packed, plain = (
        folder / "spotify_clean.sqlite3.zst",
        settings.incoming / "spotify_clean.sqlite3",
    )
    packed.touch()
    plain.touch()
    os.utime(packed, ns=(1, 1))
    os.utime(plain, ns=(2, 2))
    assert find_sources(settings) == [plain, packed]
    os.utime(packed, ns=(3, 3))
    assert find_sources(settings) == [packed, plain]
    os.utime(plain, ns=(3, 3))
    assert find_sources(settings) == [plain, packed]  # as zstd unpacks it


def test_the_file_that_the_user_names_counts(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    (settings.incoming / "spotify_clean.sqlite3").touch()
    named = tmp_path / "earlier.sqlite3"
    naming = replace(settings, metadata_file=named)
    with pytest.raises(MetadataError, match="SPOTIFY_PIPELINE_METADATA names it"):
        find_sources(naming)
    named.touch()
    assert find_sources(naming) == [named]
    assert find_sources(naming, AUDIO_FEATURES) == []

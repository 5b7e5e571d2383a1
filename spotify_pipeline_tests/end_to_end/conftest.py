"""A data home that has been filled the way a user fills it, once for all tests of this folder."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from spotify_pipeline.demo.composer import write_pieces
from spotify_pipeline.sample_dump.writing import SampleDump, write_sample_dump
from spotify_pipeline_tests.processes import SPOTIFY_PIPELINE, run


@dataclass(frozen=True)
class FilledHome:
    """A data home, what it was filled from, and a piece that is not in it."""

    home: Path
    music: Path
    dump_folder: Path
    dump: SampleDump
    unknown: Path
    output: str


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> FilledHome:
    """Compose five pieces, make a dump of four, and ingest it by the command line."""
    folder = tmp_path_factory.mktemp("filled")
    music, dump_folder, home = folder / "music", folder / "dump", folder / "home"
    music.mkdir()
    unknown = write_pieces(music, 5)[-1].rename(folder / "unknown.flac")
    dump = write_sample_dump(music, dump_folder, shards=["0a", "0A", "7O"], workers=1)
    shutil.copytree(dump_folder, home / "incoming")
    ingested = run(home, SPOTIFY_PIPELINE, "ingest")
    assert ingested.returncode == 0, ingested.stderr
    return FilledHome(home, music, dump_folder, dump, unknown, ingested.stdout)

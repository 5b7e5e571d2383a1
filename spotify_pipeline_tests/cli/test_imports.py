"""What commands import: what takes longer than their work is left alone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from spotify_pipeline.settings import HOME_VARIABLE, INCOMING_VARIABLE
from spotify_pipeline.store.audio import append_extract, create_audio_database
from spotify_pipeline.store.database import connect
from spotify_pipeline_tests.catalogue_made import make_home, track_id
from spotify_pipeline_tests.documents import make_documents
from spotify_pipeline_tests.extracts import reduce_documents
from spotify_pipeline_tests.tracks import make_tracks, publish_tracks

HEAVY = {"dagster", "filelock", "librosa", "matplotlib", "numba", "pyarrow", "scipy", "soundfile"}

NAMING_WHAT_IS_IMPORTED = """
import sys
from spotify_pipeline.cli import main
try:
    main()
finally:
    print(*{name.partition(".")[0] for name in sys.modules}, file=sys.stderr)
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a home with a catalogue, an ingested shard, and an index of the catalogue's shard."""
    made = make_home(tmp_path_factory.mktemp("home"))
    publish_tracks(made.index, make_tracks(2))
    create_audio_database(made.audio_database)
    with connect(made.audio_database) as connection:
        append_extract(connection, reduce_documents(made, "0b", make_documents("0b", 2)), "run")
    return made.home


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["identify", "--help"],
        ["lookup", "--help"],
        ["lookup", "yesterday", "beatles"],
        ["lookup", "--id", track_id(3), "--json"],
        ["lookup", "--csv", "--batch", "-"],
        ["lookup", "--duplicates"],
        ["status"],
        ["status", "--json"],
    ],
)
def test_look_ups_the_status_and_help_import_nothing_that_takes_longer_than_they_do(
    home: Path, arguments: list[str]
) -> None:
    finished = subprocess.run(
        [sys.executable, "-c", NAMING_WHAT_IS_IMPORTED, *arguments],
        env=os.environ | {HOME_VARIABLE: str(home), INCOMING_VARIABLE: ""},
        input=f"{track_id(5)}\n",
        capture_output=True,
        text=True,
        check=True,
    )
    assert finished.stdout
    assert not HEAVY & set(finished.stderr.split())

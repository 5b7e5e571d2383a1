"""Beets, as it comes, imports files without tags by how they sound."""

import os
import subprocess
import sys
from pathlib import Path

import soundfile

from spotify_pipeline_tests.processes import CHECKOUT
from spotify_pipeline_tests.serve.served import KNOWN, RATE, Served, music

PLUGINS = CHECKOUT / "integrations" / "beets" / "beetsplug"


def beet(folder: Path, server: Served, *arguments: str) -> str:
    """Run beets with a library of its own."""
    config = folder / "config.yaml"
    config.write_text(
        f"directory: {folder / 'library'}\nlibrary: {folder / 'library.db'}\n"
        f"pluginpath: {PLUGINS}\nplugins: spotify_pipeline\n"
        f"spotify_pipeline:\n    url: {server.url}\n"
        # the catalogue says that the track is longer than what was made of it
        "match:\n    strong_rec_thresh: 0.2\n"
    )
    result = subprocess.run(
        [sys.executable, "-m", "beets", "-c", str(config), *arguments],
        env={**os.environ, "BEETSDIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout + result.stderr


def test_a_file_without_tags_is_imported_as_the_track_that_it_is(
    server: Served, tmp_path: Path
) -> None:
    incoming = tmp_path / "incoming"
    incoming.mkdir()
    soundfile.write(incoming / "1.flac", music(1), RATE)
    soundfile.write(incoming / "2.flac", music(2), RATE)
    said = beet(tmp_path, server, "-v", "import", "-q", "-s", str(incoming))
    assert f"sounds like {KNOWN}" in said
    assert "sounds like nothing that is known" in said
    listed = beet(tmp_path, server, "ls", "-f", "$title|$artist|$isrc|$mb_trackid")
    assert listed.splitlines()[-1] == f"Yesterday|The Beatles|GBAYE6500521|{KNOWN}"

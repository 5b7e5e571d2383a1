"""The first batch of a user's own recordings, of which some are none."""

import json
from pathlib import Path

import numpy as np
import soundfile

from spotify_pipeline_tests.identify.observed import write_fingerprint
from spotify_pipeline_tests.processes import run_here
from spotify_pipeline_tests.tracks import fingerprint_of, make_tracks, publish_tracks


def test_what_is_hostile_missing_or_empty_is_named_and_the_rest_answered(tmp_path: Path) -> None:
    tracks = make_tracks(2)
    publish_tracks(tmp_path / "index", tracks)
    noise = np.random.default_rng(0).normal(0, 1e24, 55_125)
    absurd, none, empty = tmp_path / "absurd.wav", tmp_path / "none.wav", tmp_path / "empty"
    soundfile.write(absurd, noise, 11_025, subtype="FLOAT")
    empty.mkdir()
    escape = tmp_path / "text\x1b[2J.mp3"
    escape.write_text("hello")
    clips = [
        write_fingerprint(tmp_path / f"{number}.json", fingerprint_of(track, start=20, seconds=10))
        for number, track in enumerate(tracks)
    ]
    asked = [str(path) for path in (absurd, none, empty, escape, *clips)]
    answered = run_here(tmp_path, "identify", "--json", *asked)
    *wrong, first, second = [json.loads(line) for line in answered.stdout.splitlines()]
    assert answered.returncode == 1
    for answer, path, why in zip(
        wrong,
        asked,
        ["full scale", "no such file", "no audio file", "not a format"],
        strict=False,
    ):
        assert answer["file"] == path
        assert why in answer["error"]
    assert [answer["matches"][0]["track_id"] for answer in (first, second)] == [
        track.track_id for track in tracks
    ]
    shown = run_here(tmp_path, "identify", str(escape), str(clips[0]))
    assert shown.returncode == 1
    assert "\x1b" not in shown.stdout + shown.stderr
    assert tracks[0].track_id in shown.stdout

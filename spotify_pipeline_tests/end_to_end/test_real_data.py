"""Real documents and real music, where they stand beside the checkout."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from spotify_pipeline.demo.excerpt import write_noisy_excerpt
from spotify_pipeline.fingerprint import (
    decode_echoprint,
    decode_rhythm,
    unpack_codes,
    unpack_trains,
)
from spotify_pipeline.recording import read_for_fingerprint
from spotify_pipeline.sample_dump.writing import write_sample_dump
from spotify_pipeline.settings import INDEX_VARIABLE
from spotify_pipeline.store.database import connect
from spotify_pipeline_tests.documents import write_shard
from spotify_pipeline_tests.processes import SPOTIFY_PIPELINE, run
from spotify_pipeline_tests.shared import shared_path


def test_real_documents_keep_their_fingerprints_and_are_found_by_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(INDEX_VARIABLE, "both")
    documents = {}
    for number, path in enumerate(sorted(shared_path("analysis").glob("*.json"))):
        document = json.loads(path.read_text())
        # the indented file is the same track as its neighbour, so it gets an id of its own
        document["meta"]["track_id"] = f"7n{path.name[2:21]}{number}"
        documents[document["meta"]["track_id"]] = document
    write_shard(tmp_path / "incoming", "7n", documents.values())
    assert run(tmp_path, SPOTIFY_PIPELINE, "ingest").returncode == 0
    with connect(tmp_path / "audio.duckdb", read_only=True) as connection:
        rows = connection.execute(
            "SELECT track_id, echoprint_form, echoprint, rhythm FROM tracks"
        ).fetchall()
    assert {row[0] for row in rows} == documents.keys()
    for track_id, form, echoprint, rhythm in rows:
        track = documents[track_id]["track"]
        assert unpack_codes(form, echoprint) == decode_echoprint(track["echoprintstring"])
        assert unpack_trains(rhythm) == decode_rhythm(track["rhythmstring"])

    queries = []
    for track_id, document in documents.items():
        for kind in ("echoprintstring", "rhythmstring"):
            query = tmp_path / f"{track_id} {kind}.json"
            query.write_text(json.dumps({kind: document["track"][kind]}))
            queries.append(query)
    answered = run(tmp_path, SPOTIFY_PIPELINE, "identify", "--json", *map(str, queries))
    for line in answered.stdout.splitlines():
        answer = json.loads(line)
        found = {match["track_id"][:20] for match in answer["matches"]}
        assert found == {Path(answer["file"]).name[:20]}
        assert abs(answer["matches"][0]["offset"]) < 0.1


def test_excerpts_of_real_music_are_found_and_left_out_pieces_are_unknown(tmp_path: Path) -> None:
    pieces = sorted(shared_path("music").glob("*.ogg"))[::6]
    known, unknown = pieces[:5], pieces[5:]
    (tmp_path / "music").mkdir()
    for piece in known:
        shutil.copy(piece, tmp_path / "music")
    dump = write_sample_dump(tmp_path / "music", tmp_path / "incoming", workers=1)
    ids = {track.file: track.track_id for track in dump.tracks}
    assert run(tmp_path, SPOTIFY_PIPELINE, "ingest").returncode == 0
    rng = np.random.default_rng(3)
    truth = {}
    for piece in [*known, *unknown]:
        target = tmp_path / f"{piece.stem}.mp3"
        start = rng.uniform(0, read_for_fingerprint(piece).duration - 10)
        write_noisy_excerpt(piece, target, start=start, seconds=10, noise_decibel=20, seed=1)
        truth[str(target)] = (ids.get(piece.name), start)
    answered = run(tmp_path, SPOTIFY_PIPELINE, "identify", "--json", *truth)
    for line in answered.stdout.splitlines():
        answer = json.loads(line)
        track_id, start = truth[answer["file"]]
        if track_id is None:
            assert answer["matches"] == []
        else:
            assert answer["matches"][0]["track_id"] == track_id
            assert answer["matches"][0]["offset"] == pytest.approx(start, abs=0.1)

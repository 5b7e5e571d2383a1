"""Who looks from outside sees how far each fetch is."""

from dataclasses import replace

import msgspec

from spotify_pipeline.settings import Settings
from spotify_pipeline.status import gather_status
from spotify_pipeline.torrent.client import Progress
from spotify_pipeline.torrent.notes import notes, write_note

HALF = Progress(done=50_000_000, total=100_000_000, rate=5e6, peers=3)


def test_the_status_says_what_is_fetched_stalls_or_was_left(settings: Settings) -> None:
    folders = {name: settings.downloads / name for name in ("0a", "0A_", "0b")}
    for folder in folders.values():
        folder.mkdir(parents=True)
    write_note(folders["0a"], "0a.jsonl.zst", "hash", HALF)
    write_note(folders["0A_"], "0A.jsonl.zst", "hash", replace(HALF, peers=0), says="stalls")
    write_note(folders["0b"], "0b.jsonl.zst", "hash", HALF)
    note = folders["0b"] / "progress.json"
    old = msgspec.structs.replace(notes(settings.downloads)["0b"], at=0.0)
    note.write_bytes(msgspec.json.encode(old))
    assert gather_status(settings).fetching == {
        "0A.jsonl.zst": "stalls",
        "0a.jsonl.zst": "50% of 100 MB, 5.0 MB/s, 3 peers, about 10 s left",
        "0b.jsonl.zst": "50% of 100 MB are there; nobody goes on with it now",
    }


def test_a_note_that_can_not_be_read_is_none(settings: Settings) -> None:
    (settings.downloads / "0a").mkdir(parents=True)
    (settings.downloads / "0a" / "progress.json").write_text("{")
    assert notes(settings.downloads) == {}

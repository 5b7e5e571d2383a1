"""The index kept up to date with what was ingested, step by step."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import msgspec
import numpy as np
import pytest

from spotify_pipeline.dump.staged_extract import reduce_shard
from spotify_pipeline.fingerprint import (
    Fingerprint,
    codes_of_trains,
    encode_echoprint,
)
from spotify_pipeline.fingerprint.codes import EchoprintCodes
from spotify_pipeline.identify.decision import THRESHOLD
from spotify_pipeline.identify.identifier import Identifier
from spotify_pipeline.index.building import merge
from spotify_pipeline.index.building.segment_writer import write_segment
from spotify_pipeline.index.building.update import (
    IndexSetting,
    IndexUpdate,
    ShardSegment,
    index_shard,
    update_index,
)
from spotify_pipeline.index.errors import FeatureIndexError
from spotify_pipeline.index.format.key_setting import KeySetting
from spotify_pipeline.index.format.manifest import read_manifest, rebuild_note
from spotify_pipeline.index.format.segment import SegmentInfo
from spotify_pipeline.index.search.searcher import Searcher
from spotify_pipeline.ingest.append import ingest_extract
from spotify_pipeline.settings import TrainsChoice
from spotify_pipeline.store.audio import create_audio_database
from spotify_pipeline.store.database import connect
from spotify_pipeline.store.ledger import ledger
from spotify_pipeline_tests.documents import (
    Document,
    echoprint_trains,
    make_documents,
    make_track_id,
    rhythm_trains,
    write_shard,
)
from spotify_pipeline_tests.tracks import NO_ONSETS

FOREIGN_CODES = encode_echoprint(
    EchoprintCodes(np.arange(40, dtype=np.uint32), np.arange(40, dtype=np.uint32))
)
RHYTHM, ECHOPRINT, BOTH = (IndexSetting(choice, 10**8) for choice in TrainsChoice)


class Home:
    """A database and an index of it."""

    def __init__(self, folder: Path, connection: duckdb.DuckDBPyConnection) -> None:
        self.folder = folder
        self.connection = connection
        self.index = folder / "index"

    def ingest(self, shard: str, documents: list[Document]) -> None:
        """Ingest documents as a shard."""
        source = write_shard(self.folder / "incoming", shard, documents)
        ingest_extract(self.connection, reduce_shard(source, shard, self.folder / "staging"), "run")

    def update(self, setting: IndexSetting = RHYTHM) -> IndexUpdate:
        """Bring the index up to date."""
        return update_index(self.connection, self.index, setting, lambda *_: None)

    def index_shard(self, shard: str) -> None:
        """Make the segment of a shard."""
        index_shard(self.connection, self.index, shard, RHYTHM)

    def ids(self) -> list[str]:
        """Give the ids of the tracks that count."""
        index = Searcher.open(self.index)
        manifest = read_manifest(self.index)
        assert manifest is not None
        assert manifest.tracks == len(index)
        everything = sum(entry.all_tracks for entry in manifest.segments)
        dropped = {n for ends in index._dropped.tolist() for n in range(*ends)}
        return sorted(index.track_id(n) for n in range(everything) if n not in dropped)

    def files(self) -> list[str]:
        """Name the segments' files."""
        return sorted(path.name for path in self.index.glob("segment-*"))


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    create_audio_database(tmp_path / "audio.duckdb")
    with connect(tmp_path / "audio.duckdb") as opened:
        yield Home(tmp_path, opened)


def ids_of(shard: str, count: int) -> list[str]:
    return [make_track_id(shard, number) for number in range(count)]


def test_every_track_comes_into_the_index_with_its_onsets(home: Home) -> None:
    home.ingest("0a", make_documents("0a", 3))
    home.ingest("0A", make_documents("0A", 2))
    update = home.update(BOTH)
    assert (update.added, update.dropped, update.tracks_added) == (["0a", "0A"], [], 5)
    assert update.manifest.shards == {s: r.checksum for s, r in ledger(home.connection).items()}
    assert home.ids() == sorted(ids_of("0a", 3) + ids_of("0A", 2))
    index = Searcher.open(home.index)
    for number in range(5):
        track_id = index.track_id(number)
        assert index.duration(number) == 30.0
        assert index.trains(number, "rhythm") == rhythm_trains(track_id)
        codes = codes_of_trains(index.trains(number, "echoprint"))
        assert codes == codes_of_trains(echoprint_trains(track_id))


def test_only_what_is_new_is_indexed(home: Home) -> None:
    home.ingest("0a", make_documents("0a", 2))
    home.update()
    first = home.files()
    assert home.update().added == []
    home.ingest("0b", make_documents("0b", 1))
    assert home.update().added == ["0b"]
    assert set(home.files()) > set(first)
    assert home.ids() == sorted(ids_of("0a", 2) + ids_of("0b", 1))


def test_a_shard_that_is_ingested_again_replaces_its_tracks(home: Home) -> None:
    home.ingest("0a", make_documents("0a", 3))
    home.ingest("0b", make_documents("0b", 3))
    home.update()
    home.ingest("0a", make_documents("0a", 1))
    assert home.update().added == ["0a"]
    assert home.ids() == sorted(ids_of("0a", 1) + ids_of("0b", 3))
    assert len(home.files()) == 2


def test_one_shard_is_indexed_by_itself_and_again(home: Home) -> None:
    home.ingest("0a", make_documents("0a", 3))
    home.ingest("0b", make_documents("0b", 2))
    made = index_shard(home.connection, home.index, "0b", RHYTHM)
    assert (made.shard, made.tracks) == ("0b", 2)
    assert made.postings > 0
    assert home.ids() == ids_of("0b", 2)
    again = index_shard(home.connection, home.index, "0b", RHYTHM)
    assert again.tracks == 2
    assert home.ids() == ids_of("0b", 2)
    assert home.update().added == ["0a"]
    assert home.ids() == sorted(ids_of("0a", 3) + ids_of("0b", 2))


def test_a_shard_that_is_not_ingested_cannot_be_indexed(home: Home) -> None:
    with pytest.raises(FeatureIndexError, match=r"shard 0a is not in audio\.duckdb"):
        index_shard(home.connection, home.index, "0a", RHYTHM)


def test_each_shard_that_is_indexed_is_reported_of(home: Home) -> None:
    home.ingest("0a", make_documents("0a", 3))
    home.ingest("0b", make_documents("0b", 2))
    reported: list[ShardSegment] = []
    update_index(home.connection, home.index, RHYTHM, lambda *_: None, reported.append)
    assert [(made.shard, made.tracks) for made in reported] == [("0a", 3), ("0b", 2)]
    manifest = read_manifest(home.index)
    assert manifest is not None
    assert sum(made.postings for made in reported) == manifest.postings
    assert sum(made.size for made in reported) == manifest.size


def test_a_shard_that_is_gone_is_dropped(home: Home) -> None:
    home.ingest("0a", make_documents("0a", 2))
    home.ingest("0b", make_documents("0b", 1))
    home.update()
    home.connection.execute("DELETE FROM shards WHERE shard = '0a'")
    assert home.update().dropped == ["0a"]
    assert home.ids() == ids_of("0b", 1)


def test_segments_of_a_tier_are_merged_and_replaced_shards_vanish(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merge, "FAN_IN", 3)
    shards = ["0a", "0A", "0b", "0B"]
    for shard in shards:
        home.ingest(shard, make_documents(shard, 2))
    assert home.update().merges == 1
    assert len(home.files()) == 2
    expected = sorted(track for shard in shards for track in ids_of(shard, 2))
    assert home.ids() == expected
    home.ingest("0A", make_documents("0A", 1))
    home.update()
    expected.remove(make_track_id("0A", 1))
    assert home.ids() == expected
    query = Fingerprint(NO_ONSETS, rhythm_trains(make_track_id("0a", 1)))
    index = Searcher.open(home.index)
    assert index.track_id(Identifier(index).matches(query)[0].track) == make_track_id("0a", 1)


def test_an_update_that_is_interrupted_goes_on_where_it_was(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    for shard in ("0a", "0b", "0c"):
        home.ingest(shard, make_documents(shard, 1))
    calls = []

    def interrupted(*arguments: object, **keywords: object) -> SegmentInfo:
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return write_segment(*arguments, **keywords)  # type: ignore[arg-type]

    monkeypatch.setattr("spotify_pipeline.index.building.update.write_segment", interrupted)
    with pytest.raises(KeyboardInterrupt):
        home.update()
    monkeypatch.undo()
    assert home.ids() == ids_of("0a", 1)
    assert home.update().added == ["0b", "0c"]


@pytest.mark.parametrize(
    ("setting", "kinds"),
    [(RHYTHM, (True, False)), (ECHOPRINT, (False, True)), (BOTH, (True, True))],
)
def test_the_setting_says_which_trains_are_there_and_changing_it_indexes_anew(
    home: Home, setting: IndexSetting, kinds: tuple[bool, bool]
) -> None:
    documents = make_documents("0a", 2)
    home.ingest("0a", documents)
    home.update(RHYTHM)
    home.update(setting)
    index = Searcher.open(home.index)
    held = len(index.trains(0, "rhythm")) > 0, len(index.trains(0, "echoprint")) > 0
    assert held == kinds
    assert len(home.files()) == 1


def test_a_track_whose_codes_cannot_be_undone_is_found_by_its_rhythm(home: Home) -> None:
    documents = make_documents("0a", 3)
    documents[1]["track"]["echoprintstring"] = FOREIGN_CODES
    home.ingest("0a", documents)
    home.update(ECHOPRINT)
    index = Searcher.open(home.index)
    query = Fingerprint(NO_ONSETS, rhythm_trains(make_track_id("0a", 1)))
    best = Identifier(index).matches(query)[0]
    assert index.track_id(best.track) == make_track_id("0a", 1)
    assert best.confidence >= THRESHOLD


def test_a_track_without_fingerprints_or_duration_is_in_the_index(home: Home) -> None:
    documents = make_documents("0a", 1)
    for field in ("echoprintstring", "rhythmstring", "duration"):
        del documents[0]["track"][field]
    home.ingest("0a", documents)
    update = home.update()
    assert (update.manifest.tracks, update.manifest.postings) == (1, 0)
    assert Searcher.open(home.index).duration(0) is None


def test_an_empty_database_gives_an_empty_index(home: Home) -> None:
    assert home.update().manifest.tracks == 0
    assert home.ids() == []


def test_a_missing_index_and_a_missing_file_are_errors_that_say_what_to_do(home: Home) -> None:
    with pytest.raises(FeatureIndexError, match="there is no index yet"):
        Searcher.open(home.index)
    home.ingest("0a", make_documents("0a", 1))
    home.update()
    (home.index / home.files()[0]).unlink()
    with pytest.raises(FeatureIndexError, match=r"segment-\w+\.bin: missing"):
        Searcher.open(home.index)


def test_a_reader_keeps_what_it_has_opened(home: Home) -> None:
    home.ingest("0a", make_documents("0a", 2))
    home.update()
    index = Searcher.open(home.index)
    home.ingest("0a", make_documents("0a", 1))
    home.update()
    assert len(index) == 2
    assert index.trains(1, "rhythm") == rhythm_trains(index.track_id(1))


def make_earlier(home: Home, shards: dict[str, str]) -> bytes:
    """Put an index of an earlier format there; gives its manifest."""
    home.index.mkdir()
    segment = {"file": "segment-1.bin", "shards": shards, "trains": "both"}
    manifest = msgspec.json.encode({"version": 2, "segments": [segment]})
    (home.index / "manifest.json").write_bytes(manifest)
    (home.index / "segment-1.bin").write_bytes(b"earlier")
    return manifest


def test_an_index_of_an_earlier_version_is_refused_and_made_again(home: Home) -> None:
    home.ingest("0a", make_documents("0a", 2))
    make_earlier(home, {"0a": "", "0b": ""})  # 0b is in the database no more
    with pytest.raises(FeatureIndexError, match=r"format 2, not 4, .*run the job 'index'"):
        Searcher.open(home.index)
    assert home.update().added == ["0a"]
    assert len(Searcher.open(home.index)) == 2
    assert rebuild_note(home.index) is None
    assert not (home.index / "segment-1.bin").exists()


def test_an_index_of_an_earlier_version_stays_until_all_its_shards_are_made_again(
    home: Home,
) -> None:
    home.ingest("0a", make_documents("0a", 2))
    home.ingest("0b", make_documents("0b", 3))
    manifest = make_earlier(home, {"0a": "", "0b": ""})
    home.index_shard("0b")
    assert (home.index / "manifest.json").read_bytes() == manifest
    assert (home.index / "segment-1.bin").read_bytes() == b"earlier"
    assert len(Searcher.open(home.index)) == 3
    assert "only 1 of 2 shards are searched" in (rebuild_note(home.index) or "")
    home.index_shard("0a")
    assert len(Searcher.open(home.index)) == 5
    assert not (home.index / "segment-1.bin").exists()
    assert not (home.index / "rebuilt.json").exists()


def test_an_index_of_other_keys_answers_until_it_is_made_again(home: Home) -> None:
    home.ingest("0a", make_documents("0a", 2))
    home.ingest("0b", make_documents("0b", 3))
    home.update()
    found = read_manifest(home.index)
    assert found is not None
    other = msgspec.structs.replace(found, keys=KeySetting(step=3))
    (home.index / "manifest.json").write_bytes(msgspec.json.encode(other))
    home.index_shard("0b")
    assert len(Searcher.open(home.index)) == 5
    assert rebuild_note(home.index) is None
    home.index_shard("0a")
    assert len(Searcher.open(home.index)) == 5
    assert not (set(home.files()) & {entry.file for entry in found.segments})


@pytest.mark.parametrize("content", [b"", b"{", b'{"version":1,"segments":[]}', b'{"version":"x"}'])
def test_a_damaged_or_foreign_manifest_is_an_error_that_names_it(
    home: Home, content: bytes
) -> None:
    home.index.mkdir()
    (home.index / "manifest.json").write_bytes(content)
    with pytest.raises(FeatureIndexError, match="run the job 'index'") as error:
        Searcher.open(home.index)
    assert str(home.index) in str(error.value)

"""Segments: what goes in comes out, by any number of passes and after any merge."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spotify_pipeline.fingerprint import FRAMES_PER_SECOND, OnsetTrains
from spotify_pipeline.harmony import PITCH_CLASSES, Segments
from spotify_pipeline.harmony.agreement import Sound, agreement
from spotify_pipeline.harmony.chroma import HOP_SECONDS
from spotify_pipeline.index.building.merge import merge_segments
from spotify_pipeline.index.building.segment_writer import write_segment
from spotify_pipeline.index.errors import FeatureIndexError
from spotify_pipeline.index.format.key_setting import KEY_BITS, KEYS, KINDS
from spotify_pipeline.index.format.postings import PAGE, read_between
from spotify_pipeline.index.format.sealed_file import writing_sealed_file
from spotify_pipeline.index.format.segment import Segment, SegmentShard
from spotify_pipeline.index.kernels.keys import keys_of
from spotify_pipeline.index.search.searcher import SKETCHY, THOROUGH, Candidate, Searcher
from spotify_pipeline_tests.tracks import (
    NO_ONSETS,
    Track,
    fingerprint_of,
    harmony_of,
    llr_of,
    make_tracks,
    packed,
)

MEMORY = 10**8


TRACKS = [
    *(replace(track, harmony=harmony_of(number)) for number, track in enumerate(make_tracks(9))),
    Track("silence", None, NO_ONSETS, NO_ONSETS),
    Track("echoprint", 60.0, NO_ONSETS, make_tracks(1)[0].echoprint),
]


def write(path: Path, tracks: Sequence[Track], shard: str = "0a", memory: int = MEMORY) -> Segment:
    write_segment(path, [SegmentShard(shard, shard, len(tracks))], packed(tracks), memory)
    return Segment.open(path)


def postings(segment: Segment) -> set[tuple[int, int, int]]:
    """Give each posting as key, track and time bin within the track."""
    out = np.empty(segment.info.postings + 2 * PAGE, np.uint64)
    bits = segment.info.bin_bits
    count = read_between(*segment.pages, 0, 1 << KEY_BITS + bits, out)
    numbers = out[:count].astype(np.int64)
    keys, bins = numbers >> bits, numbers & (1 << bits) - 1
    assert (np.diff(numbers) >= 0).all()
    starts = segment.array("starts").astype(np.int64)
    tracks = np.searchsorted(starts, bins, side="right") - 1
    return set(zip(keys.tolist(), tracks.tolist(), (bins - starts[tracks]).tolist(), strict=True))


def expected(tracks: Sequence[Track]) -> set[tuple[int, int, int]]:
    made = set()
    for number, track in enumerate(tracks):
        for kind in KINDS:
            keys, frames = keys_of(getattr(track, kind), kind)
            made |= {
                (key, number, frame // KEYS.bin_frames)
                for key, frame in zip(keys.tolist(), frames.tolist(), strict=True)
            }
    return made


def assert_holds(segment: Segment, tracks: Sequence[Track]) -> None:
    assert len(segment) == len(tracks)
    for number, track in enumerate(tracks):
        assert segment.track_id(number) == track.track_id
        assert segment.duration(number) == track.duration
        assert segment.trains(number, "rhythm") == track.rhythm
        assert segment.trains(number, "echoprint") == track.echoprint
        assert segment.harmony(number) == track.harmony
    assert postings(segment) == expected(tracks)
    assert segment.info.kinds == [
        kind for kind in KINDS if any(len(getattr(t, kind)) for t in tracks)
    ]


@pytest.mark.parametrize("memory", [1, 20_000, MEMORY])
def test_tracks_and_postings_come_back_by_any_number_of_passes(tmp_path: Path, memory: int) -> None:
    assert_holds(write(tmp_path / "segment", TRACKS, memory=memory), TRACKS)


def test_a_segment_is_the_same_byte_for_byte_whatever_the_memory(tmp_path: Path) -> None:
    write(tmp_path / "one", TRACKS, memory=1)
    write(tmp_path / "other", TRACKS)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def recording() -> Sound:
    """Draw the chroma of ten seconds."""
    chroma = np.random.default_rng(1).random((round(10 / HOP_SECONDS), PITCH_CLASSES), np.float32)
    return Sound.of(chroma)


def test_candidates_of_all_segments_are_compared_by_harmony_as_one_by_one(tmp_path: Path) -> None:
    new = write(tmp_path / "new", TRACKS)
    bare = write(tmp_path / "bare", [replace(track, harmony=Segments.none()) for track in TRACKS])
    index = Searcher([(bare, ["0a"]), (new, ["0a"])])
    candidates = [
        Candidate(track, offset, 1.0, 0)
        for offset in (-900, 0, 4_000)
        for track in reversed(range(len(index)))
    ]
    asked = recording()
    assert index.agreements(asked, candidates, 0.98) == [
        agreement(asked, index.harmony(one.track), one.offset / FRAMES_PER_SECOND, 0.98)
        for one in candidates
    ]
    assert index.agreements(asked, [], 1.0) == []


def test_damaged_harmony_is_named(tmp_path: Path) -> None:
    tracks = packed([TRACKS[3]])
    content = tracks.harmony.content.copy()
    content[0] = 99
    damaged = replace(tracks, harmony=replace(tracks.harmony, content=content))
    write_segment(tmp_path / "segment", [SegmentShard("0a", "", 1)], damaged, MEMORY)
    segment = Segment.open(tmp_path / "segment")
    with pytest.raises(FeatureIndexError, match="segment: the harmony of track 0 is damaged"):
        segment.harmony(0)
    with pytest.raises(FeatureIndexError, match=r"segment: .* no packed harmony: .* run the job"):
        Searcher([(segment, ["0a"])]).agreements(recording(), [Candidate(0, 0, 1.0, 0)], 1.0)


def test_no_tracks_are_an_empty_segment(tmp_path: Path) -> None:
    assert_holds(write(tmp_path / "segment", []), [])


def test_onsets_at_the_end_of_all_time_have_no_postings(tmp_path: Path) -> None:
    far = OnsetTrains.from_bands([[0, 50, 100, 150, 200, *range(2**31 - 301, 2**31, 50)]] * 8)
    segment = write(tmp_path / "segment", [Track("far", 1.0, far, NO_ONSETS)])
    assert segment.trains(0, "rhythm") == far
    assert {place for _, _, place in postings(segment)} == {0}


@pytest.mark.parametrize("memory", [1, MEMORY])
def test_a_merge_holds_the_tracks_of_all_in_their_order(tmp_path: Path, memory: int) -> None:
    parts = [
        write(tmp_path / name, TRACKS[k::3], name) for k, name in enumerate(("0a", "0b", "0c"))
    ]
    names = ["0a", "0b", "0c"]
    info = merge_segments(
        tmp_path / "merged", [(s, [n]) for s, n in zip(parts, names, strict=True)], memory
    )
    assert [(shard.shard, shard.checksum) for shard in info.shards] == [(n, n) for n in names]
    together = [*TRACKS[0::3], *TRACKS[1::3], *TRACKS[2::3]]
    assert_holds(Segment.open(tmp_path / "merged"), together)
    write(tmp_path / "at once", together)
    merged, at_once = Segment.open(tmp_path / "merged"), Segment.open(tmp_path / "at once")
    assert merged.info.postings == at_once.info.postings
    for section in ("spans", "pages", "postings"):
        np.testing.assert_array_equal(merged.array(section), at_once.array(section))


def test_a_merge_leaves_out_shards_that_do_not_count(tmp_path: Path) -> None:
    parts = [
        write(tmp_path / name, TRACKS[k::3], name) for k, name in enumerate(("0a", "0b", "0c"))
    ]
    merge_segments(tmp_path / "all", [(s, ["0a", "0b", "0c"]) for s in parts], MEMORY)
    whole = Segment.open(tmp_path / "all")
    merge_segments(tmp_path / "two", [(whole, ["0a", "0c"])], MEMORY)
    assert_holds(Segment.open(tmp_path / "two"), [*TRACKS[0::3], *TRACKS[2::3]])


def test_tracks_of_shards_that_do_not_count_are_never_found(tmp_path: Path) -> None:
    parts = [write(tmp_path / name, TRACKS[k:9:3], name) for k, name in enumerate(("0a", "0b"))]
    merge_segments(tmp_path / "all", [(s, ["0a", "0b"]) for s in parts], MEMORY)
    merged = Segment.open(tmp_path / "all")
    query = fingerprint_of(TRACKS[1])
    both, one = Searcher([(merged, ["0a", "0b"])]), Searcher([(merged, ["0a"])])
    linked = both.linked(llr_of(query))
    assert both.track_id(both.candidates(linked, 9, THOROUGH, query)[0].track) == TRACKS[1].track_id
    assert (len(both), len(one)) == (6, 3)
    ids = {one.track_id(c.track) for c in one.candidates(linked, 9, THOROUGH, query)}
    assert ids <= {track.track_id for track in TRACKS[0:9:3]}


def test_any_flipped_bit_gives_an_error_that_names_the_file_or_no_difference(
    tmp_path: Path,
) -> None:
    path = tmp_path / "segment"
    write(path, TRACKS[:4])
    query = fingerprint_of(TRACKS[2], 10, 20)
    index = Searcher([(Segment.open(path), ["0a"])])
    linked = index.linked(llr_of(query))
    right = index.candidates(linked, 4, SKETCHY, query)
    content = path.read_bytes()
    rng = np.random.default_rng(3)
    for place in rng.integers(0, len(content), 150):
        damaged = bytearray(content)
        damaged[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        try:
            index = Searcher([(Segment.open(path), ["0a"])])
            assert index.candidates(linked, 4, SKETCHY, query) == right
            assert index.trains(2, "rhythm") == TRACKS[2].rhythm
            assert index.trains(2, "echoprint") == TRACKS[2].echoprint
        except FeatureIndexError as error:
            assert str(path) in str(error)


def test_a_segment_of_another_version_is_refused(tmp_path: Path) -> None:
    with writing_sealed_file(tmp_path / "segment", "segment", 2, {}, {"starts": 0}):
        pass
    with pytest.raises(FeatureIndexError, match=r"of version 2, not .* of 3; run the job 'index'"):
        Segment.open(tmp_path / "segment")


def test_a_damaged_segment_is_not_merged(tmp_path: Path) -> None:
    path = tmp_path / "segment"
    write(path, TRACKS)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)
    with pytest.raises(FeatureIndexError, match="segment: damaged between bytes"):
        merge_segments(tmp_path / "merged", [(Segment.open(path), ["0a"])], MEMORY)
    assert list(tmp_path.iterdir()) == [path]

"""What a torrent holds, whatever its names are."""

from pathlib import Path
from typing import Any

import pytest
import torf

from spotify_pipeline.errors import PipelineError
from spotify_pipeline.torrent.contents import Torrent, read_torrent
from spotify_pipeline_tests.torrent.seeders import bencoded_torrent


def test_shards_are_found_in_partition_order_and_kept_apart_by_case(
    dump: tuple[Path, Torrent],
) -> None:
    _, torrent = dump
    found = torrent.shards()
    assert list(found) == ["0a", "0b", "0A", "7z"]
    assert [file.path for file in found.values()] == [f"dump/{shard}.jsonl.zst" for shard in found]
    assert [torrent.files[file.index] for file in found.values()] == list(found.values())
    assert list(torrent.metadata_files()) == ["spotify_artist_redirects.json"]


def test_the_hash_is_that_of_another_program(dump: tuple[Path, Torrent], tmp_path: Path) -> None:
    _, torrent = dump
    (tmp_path / "x.torrent").write_bytes(torrent.data)
    assert torrent.info_hash == torf.Torrent.read(tmp_path / "x.torrent").infohash


@pytest.mark.parametrize(
    "path",
    [[b"..", b"x"], [b"/etc/x"], [b""], [b"n" * 300], [b"\xff\xfe"], [b"x\x1b[2J"], [b"a\\..\\b"]],
)
def test_hostile_names_are_only_text_and_hide_no_shard(path: list[bytes]) -> None:
    data = bencoded_torrent(b"../dump", [(path, b"1" * 9), ([b"..", b"0a.jsonl.zst"], b"2")])
    torrent = read_torrent(data, "made")
    assert list(torrent.shards()) == ["0a"]
    assert torrent.shards()["0a"].index == 1


def test_a_shard_that_is_there_twice_is_an_error_that_names_both() -> None:
    files = [([b"one", b"0a.jsonl.zst"], b"1"), ([b"two", b"0a.jsonl.zst"], b"2")]
    torrent = read_torrent(bencoded_torrent(b"dump", files), "made")
    with pytest.raises(PipelineError, match=r"dump/one/0a.* and at dump/two/0a"):
        torrent.shards()


def test_pieces_of_64_mebibytes_are_read() -> None:
    size, piece = 8_017_255_882, 1 << 26
    count = -(-size * 2 // piece)
    info: Any = {
        "name": "dump",
        "piece length": piece,
        "pieces": bytes(20 * count),
        "files": [{"length": size, "path": [f"0{x}.jsonl.zst"]} for x in "ab"],
    }
    made = torf.Torrent()
    made.metainfo["info"] = info
    torrent = read_torrent(made.dump(validate=False), "made")
    assert torrent.piece_bytes == piece
    assert torrent.shards()["0b"].size == size


@pytest.mark.parametrize("data", [b"", b"<html>", b"d4:infoi3ee", b"d4:infod4:name1:xee"])
def test_what_is_no_torrent_is_an_error_that_names_it(data: bytes) -> None:
    with pytest.raises(PipelineError, match=r"^page\.torrent: not a torrent file"):
        read_torrent(data, "page.torrent")

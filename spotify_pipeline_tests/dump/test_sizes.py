"""Lists of complete sizes: a CSV or a torrent file, and what is wrong with others."""

from pathlib import Path

import pytest
import torf

from spotify_pipeline.dump.sizes import SizesError, read_sizes
from spotify_pipeline.shards import DUMP_SHARDS
from spotify_pipeline_tests.shared import shared_path


def test_a_csv_gives_sizes_by_name(tmp_path: Path) -> None:
    path = tmp_path / "sizes.csv"
    path.write_text("name,bytes\n0a.jsonl.zst,123\n0A.jsonl.zst,456\n")
    assert read_sizes(path) == {"0a.jsonl.zst": 123, "0A.jsonl.zst": 456}


def test_a_torrent_gives_sizes_by_name_without_folders(tmp_path: Path) -> None:
    folder = tmp_path / "audio_analysis"
    folder.mkdir()
    (folder / "0a.jsonl.zst").write_bytes(bytes(100_000))
    (folder / "0A.jsonl.zst").write_bytes(bytes(50_000))
    torrent = torf.Torrent(path=folder)
    torrent.generate()
    torrent.write(tmp_path / "dump.torrent")
    assert read_sizes(tmp_path / "dump.torrent") == {
        "0a.jsonl.zst": 100_000,
        "0A.jsonl.zst": 50_000,
    }


def test_the_list_of_the_real_dump_has_every_shard() -> None:
    sizes = read_sizes(shared_path("facts", "audio_analysis_files.csv"))
    assert {name.removesuffix(".jsonl.zst") for name in sizes} == set(DUMP_SHARDS)
    assert sum(sizes.values()) == 3_880_351_847_111


@pytest.mark.parametrize("rows", ["file,size\na,1\n", "name,bytes\na,many\n", "name,bytes\na\n"])
def test_another_csv_is_refused_by_name(tmp_path: Path, rows: str) -> None:
    path = tmp_path / "sizes.csv"
    path.write_text(rows)
    with pytest.raises(SizesError, match=r"sizes\.csv: not a CSV with the columns name and"):
        read_sizes(path)


def test_a_damaged_torrent_and_a_missing_file_are_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "dump.torrent"
    for action in (lambda: path.write_bytes(b"d4:infoe"), path.unlink):
        action()
        with pytest.raises(SizesError, match=r"dump\.torrent"):
            read_sizes(path)

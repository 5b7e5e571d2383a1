"""Nothing in the incoming folder is skipped without a word."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from spotify_pipeline.dump.passed_over import passed_over
from spotify_pipeline.settings import Settings
from spotify_pipeline_tests.extracts import settings_of

NOBODY = 65534

LOOK = """
import json, os, sys
from pathlib import Path
from spotify_pipeline.dump.passed_over import passed_over
from spotify_pipeline.settings import Settings
if os.getuid() == 0:
    os.setuid(int(sys.argv[2]))
home = Path(sys.argv[1])
print(json.dumps(passed_over(Settings(home, home / "incoming"))))
"""


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return settings_of(tmp_path)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("0a.jsonl", "it is not compressed, and a shard is: 0a.jsonl.zst"),
        ("0A.JSONL.ZST", "its name is not a shard's"),
        ("0a (1).jsonl.zst", "its name is not a shard's"),
        ("8a.jsonl.zst", "its name is not a shard's"),
        ("0a.zst", "its name is not a shard's"),
        ("deeper/0a.jsonl.gz", "its name is not a shard's"),
    ],
)
def test_a_file_that_looks_like_a_shard_is_named_with_the_reason(
    home: Settings, name: str, reason: str
) -> None:
    path = home.incoming / name
    path.parent.mkdir(exist_ok=True)
    path.touch()
    ((found, why),) = passed_over(home).items()
    assert found == str(path)
    assert why.startswith(reason)


@pytest.mark.parametrize(
    "name",
    [
        "0a.jsonl.zst",
        "0a.jsonl.zst.part",
        "0a.jsonl.zst.!qB",
        ".0a.jsonl.zst.x",
        "readme.txt",
        "0a",
    ],
)
def test_shards_and_temporary_files_and_other_files_are_not_told(home: Settings, name: str) -> None:
    (home.incoming / name).touch()
    assert passed_over(home) == {}


def test_a_link_to_a_folder_and_a_folder_with_the_name_of_a_shard_are_reported(
    home: Settings, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (home.incoming / "link").symlink_to(tmp_path / "elsewhere")
    (home.incoming / "0a.jsonl.zst").mkdir()
    found = passed_over(home)
    assert "links to folders are not followed" in found.pop(str(home.incoming / "link"))
    assert found == {str(home.incoming / "0a.jsonl.zst"): "it is a folder, and a shard is a file"}


def test_an_older_metadata_file_is_reported(home: Settings) -> None:
    old, new = (home.incoming / name / "spotify_clean.sqlite3.zst" for name in ("a", "b"))
    for age, path in enumerate((new, old)):
        path.parent.mkdir()
        path.touch()
        os.utime(path, ns=(10 - age, 10 - age))
    assert passed_over(home) == {
        str(old): f"{new} is newer and counts; remove one of them, or name one by"
        " SPOTIFY_PIPELINE_METADATA"
    }


def test_an_incoming_folder_that_is_not_there_yet_is_nothing_to_tell(tmp_path: Path) -> None:
    assert passed_over(Settings(tmp_path / "no", tmp_path / "no" / "incoming")) == {}


@pytest.mark.parametrize("name", ["incoming", "incoming/lost+found"])
def test_a_folder_that_cannot_be_read_is_reported(tmp_path: Path, name: str) -> None:
    home = settings_of(tmp_path / "home")
    locked = home.home / name
    locked.mkdir(exist_ok=True)
    for folder in tmp_path.parents:  # for the process that may not read
        if folder.stat().st_uid == os.getuid() and folder.is_relative_to(tmp_path.parents[2]):
            folder.chmod(0o755)
    tmp_path.chmod(0o755)
    locked.chmod(0)
    try:
        looked = subprocess.run(
            [sys.executable, "-c", LOOK, str(home.home), str(NOBODY)],
            capture_output=True,
            check=True,
        )
    finally:
        locked.chmod(0o755)
    assert json.loads(looked.stdout) == {str(locked): "the folder can't be read: Permission denied"}

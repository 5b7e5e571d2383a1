"""A shard is in one process's hands at a time, and in nobody's once that process is killed."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from spotify_pipeline.dump.shard_lock import shard_lock

HOLD = """
import sys
from pathlib import Path
from spotify_pipeline.dump.shard_lock import shard_lock
with shard_lock(Path(sys.argv[1]), "0a", print):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    return process


def test_a_second_lock_says_so_and_waits_for_the_first(
    holder: "subprocess.Popen[bytes]", tmp_path: Path
) -> None:
    reported: list[str] = []
    said = threading.Event()

    def say(message: str) -> None:
        reported.append(message)
        said.set()

    def lock() -> None:
        with shard_lock(tmp_path, "0a", say):
            reported.append("shard_lock")

    waiting = threading.Thread(target=lock)
    waiting.start()
    assert said.wait(30)
    assert reported == ["shard 0a is being worked on by another run; this one waits for it"]
    holder.communicate()
    waiting.join(30)
    assert reported[1:] == ["shard_lock"]


def test_the_lock_of_a_killed_process_is_free_at_once(
    holder: "subprocess.Popen[bytes]", tmp_path: Path
) -> None:
    holder.kill()
    holder.wait()
    with shard_lock(tmp_path, "0a", pytest.fail):
        pass


def test_other_shards_are_free_those_that_differ_in_case_too(
    holder: "subprocess.Popen[bytes]", tmp_path: Path
) -> None:
    with shard_lock(tmp_path, "0A", pytest.fail), shard_lock(tmp_path, "0b", pytest.fail):
        pass
    holder.communicate()

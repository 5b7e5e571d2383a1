"""A shard is in one process's hands at a time, and in nobody's once that process is killed."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from spotify_pipeline.dump.claims import claimed

HOLD = """
import sys
from pathlib import Path
from spotify_pipeline.dump.claims import claimed
with claimed(Path(sys.argv[1]), "0a", print):
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


def test_a_second_claim_says_so_and_waits_for_the_first(
    holder: "subprocess.Popen[bytes]", tmp_path: Path
) -> None:
    told: list[str] = []
    said = threading.Event()

    def say(message: str) -> None:
        told.append(message)
        said.set()

    def claim() -> None:
        with claimed(tmp_path, "0a", say):
            told.append("claimed")

    waiting = threading.Thread(target=claim)
    waiting.start()
    assert said.wait(30)
    assert told == ["shard 0a is being worked on by another run; this one waits for it"]
    holder.communicate()
    waiting.join(30)
    assert told[1:] == ["claimed"]


def test_the_claim_of_a_killed_process_is_free_at_once(
    holder: "subprocess.Popen[bytes]", tmp_path: Path
) -> None:
    holder.kill()
    holder.wait()
    with claimed(tmp_path, "0a", pytest.fail):
        pass


def test_other_shards_are_free_those_that_differ_in_case_too(
    holder: "subprocess.Popen[bytes]", tmp_path: Path
) -> None:
    with claimed(tmp_path, "0A", pytest.fail), claimed(tmp_path, "0b", pytest.fail):
        pass
    holder.communicate()

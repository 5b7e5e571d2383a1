"""Decoding processes: what they may take, and what becomes of one that takes more."""

import asyncio
from pathlib import Path

import numpy as np
import pytest
import soundfile

from spotify_pipeline.recording import RecordingError, read_for_fingerprint
from spotify_pipeline.serve.decoding import Decoders
from spotify_pipeline_tests.serve.served import RATE, music

MEMORY = 1 << 30


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    file = tmp_path / "clip.flac"
    soundfile.write(file, music(1, 10), RATE)
    return file


def test_samples_are_those_that_the_command_line_reads(clip: Path) -> None:
    async def read() -> None:
        decoders = Decoders(1, MEMORY)
        found = await decoders.read(clip, seconds=60, patience=120)
        assert np.array_equal(found, read_for_fingerprint(clip).samples)
        await decoders.close()

    asyncio.run(read())


def test_who_takes_too_long_or_too_much_is_ended_and_replaced(tmp_path: Path, clip: Path) -> None:
    async def read() -> None:
        decoders = Decoders(1, MEMORY)
        await decoders.warm_up()
        with pytest.raises(RecordingError, match="takes longer than 0 s"):
            await decoders.read(clip, seconds=60, patience=0.0)
        assert decoders.killed == 1
        with pytest.raises(RecordingError, match="longer than 5 s"):
            await decoders.read(clip, seconds=5, patience=120)
        with pytest.raises(RecordingError, match="no such file"):
            await decoders.read(tmp_path / "missing", seconds=5, patience=120)
        assert decoders.killed == 1
        assert len(await decoders.read(clip, seconds=60, patience=120)) == 10 * 11_025
        await decoders.close()

    asyncio.run(read())


def test_a_process_that_wants_more_memory_than_it_may_take_fails_alone(clip: Path) -> None:
    async def read() -> None:
        decoders = Decoders(1, memory=1 << 16)
        with pytest.raises(RecordingError, match=r"too much memory|crashed the decoder"):
            await decoders.read(clip, seconds=60, patience=120)
        await decoders.close()

    asyncio.run(read())


@pytest.mark.parametrize("noticed", [True, False])
def test_a_process_that_was_killed_while_it_waited_is_not_the_next_recordings_fault(
    clip: Path, noticed: bool
) -> None:
    async def read() -> None:
        decoders = Decoders(1, MEMORY)
        async with decoders.decoder() as decoder:
            process = decoder._process
        process.kill()
        if noticed:
            await process.wait()
        assert len(await decoders.read(clip, seconds=60, patience=120)) == 10 * 11_025
        await decoders.close()

    asyncio.run(read())

"""Kernels are compiled for the machine at their first use, once; a message says so.

Belongs here: noticing that one is compiled, and having all that detection needs compiled. Does not
belong here: the kernels.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

__all__ = ["compile_kernels", "telling_of_compiling"]

RATE = 11_025
SHARD = "7O"
MEMORY = 10**8


@contextmanager
def telling_of_compiling(say: Callable[[str], None]) -> Iterator[None]:
    """Say so, once, when a kernel is compiled in this process within the context."""
    from numba.core.event import Event, Listener, install_listener

    class Teller(Listener):  # type: ignore[misc]  # numba is untyped
        announced = False

        def on_start(self, event: Event) -> None:
            if not self.announced:
                say("compiling for this machine, once; that takes about a minute")
            self.announced = True

        def on_end(self, event: Event) -> None:
            pass

    with install_listener("numba:compile", Teller()):
        yield


def compile_kernels() -> float:
    """Compile what ingesting, indexing and detection need, by doing it once on little; in seconds.

    What is compiled already, for this version of the program and this machine, is not compiled
    again.

    Raises
    ------
    PipelineError
        There is no room for some megabytes of temporary files.
    """
    started = time.monotonic()
    with TemporaryDirectory() as folder:
        _detect(Path(folder), _made_recording(Path(folder)))
    return time.monotonic() - started


def _made_recording(folder: Path) -> Path:
    """Write bursts of noise at uneven distances."""
    import numpy as np
    import soundfile

    rng = np.random.default_rng(0)
    samples = rng.normal(0, 0.001, 30 * RATE)
    for start in np.cumsum(rng.uniform(0.15, 0.6, 60) * RATE).astype(int):
        burst = samples[start : start + RATE // 10]
        burst += rng.normal(0, 0.2, len(burst)) * np.exp(-np.arange(len(burst)) / 200)
    recording = folder / "recording.wav"
    soundfile.write(recording, samples, RATE)
    return recording


def _detect(home: Path, recording: Path) -> None:
    """Ingest the recording as a shard would be, index it, and ask for it."""
    import msgspec
    import zstandard

    from spotify_pipeline.dump.staged_extract import reduce_shard
    from spotify_pipeline.identify.answers import answer_files
    from spotify_pipeline.identify.fingerprints import fingerprint_files
    from spotify_pipeline.identify.timeline import timeline_files
    from spotify_pipeline.index.building.update import IndexSetting, update_index
    from spotify_pipeline.ingest.append import ingest_extract
    from spotify_pipeline.settings import TrainsChoice
    from spotify_pipeline.shards import SHARD_SUFFIX, TRACK_ID_LENGTH
    from spotify_pipeline.store.audio import create_audio_database
    from spotify_pipeline.store.database import connect

    (track,) = fingerprint_files([recording])
    meta = {"track_id": SHARD.ljust(TRACK_ID_LENGTH, "0")}
    chord = [float(pitch % 4 == 0) for pitch in range(12)]
    segments = [
        {"start": 0.3 * number, "loudness_max": -10.0, "pitches": chord} for number in range(100)
    ]
    document = {"meta": meta, "track": track, "segments": segments}
    line = msgspec.json.encode(document) + b"\n"
    source = home / f"{SHARD}{SHARD_SUFFIX}"
    source.write_bytes(zstandard.compress(line))
    create_audio_database(home / "audio.duckdb")
    with connect(home / "audio.duckdb") as connection:
        ingest_extract(connection, reduce_shard(source, SHARD, home / "staging"), "compiling")
        for trains in TrainsChoice:
            setting = IndexSetting(trains, MEMORY)
            update_index(connection, home / "index", setting, lambda *_: None)
    for ask in (answer_files, timeline_files):
        list(ask([recording], home / "index", home / "meta.duckdb"))

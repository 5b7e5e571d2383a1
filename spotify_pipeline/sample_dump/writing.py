"""A dump of the real format, made from a folder of the user's own music.

Layout of the output, as in the dump but for the manifest::

    audio_analysis/XX.jsonl.zst              one analysis document a line
    metadata/spotify_clean.sqlite3.zst       the catalogue
    manifest.csv                             which file became which track

Belongs here: finding the files, naming the tracks, and putting the three outputs into place. Does
not belong here: a document's content (`analysis`) and the catalogue's (`catalogue_writer`).
"""

import csv
import hashlib
import multiprocessing
import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import astuple, dataclass, fields
from itertools import groupby
from pathlib import Path

from spotify_pipeline.errors import PipelineError
from spotify_pipeline.progress import Report
from spotify_pipeline.recording import audio_files, read_for_fingerprint, read_recording
from spotify_pipeline.sample_dump.catalogue_writer import CatalogueTrack, base62, write_catalogue
from spotify_pipeline.sample_dump.tags import read_tags
from spotify_pipeline.shards import OWN_MUSIC_SHARDS, SHARD_SUFFIX, SHARDS, TRACK_ID_LENGTH

__all__ = ["SampleDump", "SampleTrack", "write_sample_dump"]

ANALYSIS_FOLDER = "audio_analysis"
CATALOGUE = Path("metadata", "spotify_clean.sqlite3.zst")
MANIFEST = "manifest.csv"
COMPRESSION_LEVEL = 10
STAGING_PREFIX = ".sample-dump-"


@dataclass(frozen=True)
class SampleTrack:
    """One track of the dump, and the row of the manifest that tells of it.

    Attributes
    ----------
    file
        Path below the music folder, with forward slashes.
    track_id
        22 base62 characters, the first two being the shard; they follow from the file's content.
    shard, title, artist
        Several artists are separated by a comma.
    """

    file: str
    track_id: str
    shard: str
    title: str
    artist: str


@dataclass(frozen=True)
class SampleDump:
    """What became of the files of the music folder.

    Attributes
    ----------
    tracks
        In the order of the files' paths.
    failed
        Files that could not be read, each with the reason.
    duplicates
        Files left out because an earlier one is the same byte for byte.
    """

    tracks: tuple[SampleTrack, ...]
    failed: tuple[tuple[str, str], ...]
    duplicates: int


@dataclass(frozen=True)
class _Source:
    """A file to be analysed."""

    music: Path
    file: str
    track_id: str

    @property
    def shard(self) -> str:
        return self.track_id[:2]


@dataclass(frozen=True)
class _Analysed:
    """A track's line of its shard, and what the catalogue says of it."""

    line: bytes
    entry: CatalogueTrack


def write_sample_dump(
    music: Path,
    out: Path,
    *,
    shards: Sequence[str] = OWN_MUSIC_SHARDS,
    workers: int | None = None,
    progress: Report | None = None,
) -> SampleDump:
    """Make a dump from every audio file below a folder.

    The dump is made in a hidden folder of ``out`` and moved into place when it is complete; what an
    earlier run made there is replaced. Processes are started afresh ("spawn"), so a script that
    calls this with several workers needs its ``if __name__ == "__main__"``.

    Parameters
    ----------
    music
        Searched recursively for files with the suffixes of audio.
    out
        Created where it is missing.
    shards
        Names that the tracks are spread over, from `spotify_pipeline.shards.SHARDS`.
    workers
        Processes that analyse at the same time (default: one for each processor); one is this
        process itself.
    progress
        Called with files done, files in all and the file just done.

    Raises
    ------
    PipelineError
        A shard's name is unknown, no file can be read, ``out`` cannot be written or holds a dump
        that was not made here, or two shards share a file because the disk folds case.
    """
    _check_shards(shards)
    _refuse_foreign_dump(out)
    sources, failed, duplicates = _find_sources(music, shards)
    try:
        out.mkdir(parents=True, exist_ok=True)
        for left in out.glob(f"{STAGING_PREFIX}*"):  # by a run that was killed
            shutil.rmtree(left)
        with (
            tempfile.TemporaryDirectory(prefix=STAGING_PREFIX, dir=out) as staging,
            closing(_analyse_files(sources, workers, progress)) as outcomes,
        ):
            entries, unread = _write_shards(Path(staging), outcomes)
            failed += unread
            if not entries:
                file, reason = failed[0]
                raise PipelineError(f"no audio file in {music} can be read; {file}: {reason}")
            tracks = tuple(_track(*pair) for pair in sorted(entries, key=lambda pair: pair[0].file))
            _write_catalogue(Path(staging), [entry for _, entry in entries])
            _write_manifest(Path(staging, MANIFEST), tracks)
            _move_into_place(Path(staging), out)
    except OSError as error:
        raise PipelineError(
            f"cannot write the dump to {out}: {error}; check that the folder can be written to and "
            "that the disk has room"
        ) from error
    return SampleDump(tracks, tuple(sorted(failed)), duplicates)


def _check_shards(shards: Sequence[str]) -> None:
    unknown = sorted(set(shards).difference(SHARDS))
    if unknown or not shards:
        raise PipelineError(
            f"not the names of shards: {', '.join(map(repr, unknown)) or 'none given'}; a shard is "
            "named by a digit from 0 to 7 and one of 0-9, a-z or A-Z, such as 0a or 7Z"
        )


def _refuse_foreign_dump(out: Path) -> None:
    """Keep a downloaded dump from being overwritten; the manifest marks what was made here."""
    dump = [*(out / ANALYSIS_FOLDER).glob(f"*{SHARD_SUFFIX}"), *out.glob(str(CATALOGUE))]
    if dump and not (out / MANIFEST).exists():
        raise PipelineError(
            f"{out} holds files of a dump ({dump[0].name}) but no {MANIFEST}, so they were not "
            "made from your music and will not be replaced; choose another folder"
        )


def _find_sources(
    music: Path, shards: Sequence[str]
) -> tuple[list[_Source], list[tuple[str, str]], int]:
    """Find the audio files and name their tracks; give sources, unreadable files, duplicates."""
    if not music.is_dir():
        raise PipelineError(f"{music} is not a folder; give the folder that holds your music")
    files = [path.relative_to(music).as_posix() for path in audio_files(music)]
    by_id: dict[str, _Source] = {}
    failed: list[tuple[str, str]] = []
    for file in files:
        try:
            track_id = _track_id(music / file, shards)
        except OSError as error:
            failed.append((file, str(error)))
        else:
            by_id.setdefault(track_id, _Source(music, file, track_id))
    return list(by_id.values()), failed, len(files) - len(failed) - len(by_id)


def _track_id(path: Path, shards: Sequence[str]) -> str:
    """Derive a track's id, and with it the shard, from the file's content."""
    with path.open("rb") as file:
        digest = int.from_bytes(hashlib.file_digest(file, "sha256").digest())
    rest, shard = divmod(digest, len(shards))
    return shards[shard] + base62(rest, TRACK_ID_LENGTH - len(shards[shard]))


def _analyse_files(
    sources: Iterable[_Source], workers: int | None, progress: Report | None
) -> Generator[tuple[_Source, _Analysed | str], None, None]:
    """Analyse the files, several in a pool of processes; they come back shard by shard."""
    queue = sorted(sources, key=lambda source: (source.shard, source.file))
    size = max(1, min(workers or os.cpu_count() or 1, len(queue)))
    if size == 1:  # another process would only import everything once more
        yield from _counted(queue, map(_analyse_file, queue), progress)
        return
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(size, context, initializer=_live_and_die_with_parent)
    try:
        yield from _counted(queue, pool.map(_analyse_file, queue), progress)
    except BrokenProcessPool as error:
        raise PipelineError(
            "a process that analysed music was ended from outside, most often because memory ran "
            "out; try again when more is free, or in parts"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _counted(
    queue: Sequence[_Source], outcomes: Iterable[_Analysed | str], progress: Report | None
) -> Iterator[tuple[_Source, _Analysed | str]]:
    """Give each file with its outcome, and report how many are done."""
    for done, (source, outcome) in enumerate(zip(queue, outcomes, strict=True), 1):
        if progress is not None:
            progress(done, len(queue), source.file)
        yield source, outcome


def _live_and_die_with_parent() -> None:
    """Leave interrupts to the parent, and end when it is gone; for a process of the pool."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _analyse_file(source: _Source) -> _Analysed | str:
    """Analyse one file; give the reason where that fails. May run in a process of the pool."""
    try:
        return _analyse(source)
    except MemoryError:
        return "the recording is too long for the memory of this machine"
    except (PipelineError, OSError) as error:
        return str(error).removeprefix(f"{source.music / source.file}: ")
    except Exception as error:  # one odd file among thousands must not cost the others' work
        return f"{type(error).__name__}: {error}"


def _analyse(source: _Source) -> _Analysed:
    import msgspec

    from spotify_pipeline.fingerprint import fingerprint
    from spotify_pipeline.sample_dump.analysis import ANALYSIS_SAMPLE_RATE, analyse, document

    path = source.music / source.file
    started = time.perf_counter()
    analysis = analyse(read_recording(path, ANALYSIS_SAMPLE_RATE).samples)
    prints = fingerprint(read_for_fingerprint(path).samples)
    content = document(
        source.track_id,
        analysis,
        prints,
        timestamp=int(time.time()),
        analysis_time=time.perf_counter() - started,
    )
    duration_ms = round(1000 * analysis.num_samples / ANALYSIS_SAMPLE_RATE)
    entry = CatalogueTrack(source.track_id, read_tags(path, source.music), duration_ms)
    return _Analysed(msgspec.json.encode(content) + b"\n", entry)


def _write_shards(
    staging: Path, outcomes: Iterable[tuple[_Source, _Analysed | str]]
) -> tuple[list[tuple[_Source, CatalogueTrack]], list[tuple[str, str]]]:
    """Write the shards of tracks that come shard by shard; give the tracks and the failures."""
    folder = staging / ANALYSIS_FOLDER
    folder.mkdir()
    entries: list[tuple[_Source, CatalogueTrack]] = []
    failed: list[tuple[str, str]] = []
    for shard, group in groupby(outcomes, key=lambda pair: pair[0].shard):
        plain = staging / "lines.jsonl"
        with plain.open("wb") as lines:
            for source, outcome in group:
                if isinstance(outcome, str):
                    failed.append((source.file, outcome))
                else:
                    lines.write(outcome.line)
                    entries.append((source, outcome.entry))
        if plain.stat().st_size:
            target = folder / f"{shard}{SHARD_SUFFIX}"
            _refuse_other_spelling(target)
            _compress(plain, target)
    return entries, failed


def _write_catalogue(staging: Path, entries: Iterable[CatalogueTrack]) -> None:
    plain = staging / CATALOGUE.stem
    write_catalogue(plain, entries)
    target = staging / CATALOGUE
    target.parent.mkdir()
    _compress(plain, target)


def _compress(plain: Path, target: Path) -> None:
    """Compress a file in one frame that tells its content's size and checksum."""
    import zstandard

    compressor = zstandard.ZstdCompressor(level=COMPRESSION_LEVEL, write_checksum=True)
    with plain.open("rb") as source, target.open("wb") as sink:
        compressor.copy_stream(source, sink, size=plain.stat().st_size)


def _track(source: _Source, entry: CatalogueTrack) -> SampleTrack:
    artist = ", ".join(entry.tags.artists)
    return SampleTrack(source.file, source.track_id, source.shard, entry.tags.title, artist)


def _write_manifest(path: Path, tracks: Iterable[SampleTrack]) -> None:
    # A file's name need not be text; what is not comes out as \udcXX, so that any reader can go on.
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([field.name for field in fields(SampleTrack)])
        writer.writerows(astuple(track) for track in tracks)


def _shards_of_manifest(path: Path) -> set[str]:
    """Give the shards that an earlier run made; the names come from a file, so they are checked."""
    if not path.exists():
        return set()
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        return {row.get("shard") or "" for row in csv.DictReader(file)}.intersection(SHARDS)


def _move_into_place(staging: Path, out: Path) -> None:
    """Replace an earlier run's files; the manifest comes first, so the next run knows its own."""
    target = out / ANALYSIS_FOLDER
    target.mkdir(exist_ok=True)
    (out / CATALOGUE).parent.mkdir(exist_ok=True)
    made = sorted((staging / ANALYSIS_FOLDER).iterdir())
    stale = {f"{shard}{SHARD_SUFFIX}" for shard in _shards_of_manifest(out / MANIFEST)}
    for name in stale.difference(path.name for path in made):
        (target / name).unlink(missing_ok=True)
    for path in made:
        _refuse_other_spelling(target / path.name)
    (staging / MANIFEST).replace(out / MANIFEST)
    for path in made:
        path.replace(target / path.name)
    (staging / CATALOGUE).replace(out / CATALOGUE)


def _refuse_other_spelling(path: Path) -> None:
    """Fail where the disk takes another shard's file for this one, as 0a for 0A."""
    if path.exists() and all(other.name != path.name for other in path.parent.iterdir()):
        raise PipelineError(
            f"{path} is taken by a shard of another spelling, since this disk does not tell upper "
            "from lower case; choose shards that differ in more, or a folder on another disk"
        )

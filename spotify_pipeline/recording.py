"""Audio files to mono samples.

What libsndfile reads (wav, flac, ogg, opus, mp3, aiff, ...) is decoded by it; everything else goes
through ffmpeg where it is installed. Either way a file is decoded block by block.

Belongs here: decoding. Does not belong here: other sample rates (`resampling`), what is made of the
samples.
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import NoReturn

import numpy as np
import numpy.typing as npt

from spotify_pipeline.errors import PipelineError
from spotify_pipeline.resampling import (
    ANALYZER_RATE,
    Resampler,
    analyzer_resampler,
    resampler_to,
)

__all__ = [
    "AUDIO_SUFFIXES",
    "Recording",
    "RecordingError",
    "audio_files",
    "printable",
    "read_for_fingerprint",
    "read_recording",
    "stream_for_fingerprint",
    "stream_recording",
]

AUDIO_SUFFIXES = frozenset(
    ".aac .aif .aifc .aiff .au .caf .flac .m4a .m4b .mka .mp2 .mp3 .mp4 .mpc .oga .ogg .opus .w64"
    " .wav .webm .wma .wv".split()
)
"""File name endings, lower case, by which a folder is searched for music."""

LOWEST_RATE = 1000
"""Samples per second; a damaged header that says less would grow without end in resampling."""

LOUDEST = 2.0**31
"""Of a sample, where full scale is 1: some programs write integers of 32 bits as floats. What is
far beyond would overflow in what is made of it."""

BLOCK_SAMPLES = 1 << 18
"""Samples of each of two channels that are decoded at a time; of more channels, fewer."""

FFMPEG_READS = (
    *("-protocol_whitelist", "file"),
    "-format_whitelist",
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,dsf,dts,eac3,flac,flv,matroska,mov,mp3,mpc,mpc8,mpeg,mpegts,"
    "ogg,rm,tak,truehd,tta,voc,w64,wav,wv",
)
"""What ffmpeg may open: one file, and no playlist, which would have it open others, or addresses.

Source: FFmpeg's documentation of formats and protocols; names are those of its demuxers."""

ID3_HEADER_BYTES = 10
FIRST_FRAME_BYTES = 200
"""So near to the start of an MP3's first frame stands what the encoder tells of itself."""

_Block = tuple[int, npt.NDArray[np.float32]]
"""Samples per second, and the next ones, mixed to one channel."""


class RecordingError(PipelineError):
    """A file that can't be read as audio."""


@dataclass(frozen=True)
class Recording:
    """Decoded audio.

    Attributes
    ----------
    samples
        float32 of shape (samples,), one channel, full scale at -1 and 1.
    sample_rate
        Samples per second.
    duration
        Seconds.
    """

    samples: npt.NDArray[np.float32]
    sample_rate: int
    duration: float


def audio_files(folder: Path) -> list[Path]:
    """Find the audio files below a folder by their names, in the order of their names.

    A folder that can't be read is given as it is: decoding it, as if it were a file, says
    why not.

    Raises
    ------
    RecordingError
        There is none.
    """
    unreadable: list[Path] = []
    walk = os.walk(folder, onerror=lambda error: unreadable.append(Path(error.filename)))
    found = (Path(parent, name) for parent, _, names in walk for name in names)
    files = [path for path in found if path.suffix.lower() in AUDIO_SUFFIXES and _may_be_file(path)]
    files = sorted(files + unreadable, key=Path.as_posix)
    if not files:
        raise RecordingError(
            f"{printable(folder)} holds no audio file; looked for"
            f" {', '.join(sorted(AUDIO_SUFFIXES))}"
        )
    return files


def _may_be_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return True  # decoding it tells what is wrong


def printable(path: Path) -> str:
    """Write a path as text that any encoding of Unicode takes, whatever bytes its name has."""
    return str(path).encode("utf-8", "backslashreplace").decode()


def read_recording(path: Path, sample_rate: int) -> Recording:
    """Decode a file, mix it to one channel and resample it.

    Raises
    ------
    RecordingError
        The file is missing, holds no audio or samples that are not finite or beyond `LOUDEST`, or
        is of a format that needs ffmpeg where there is none.
    """
    return _joined(stream_recording(path, sample_rate), sample_rate)


def stream_recording(path: Path, sample_rate: int) -> Generator[npt.NDArray[np.float32]]:
    """Decode a file block by block: memory stays small however long the recording is.

    Yields
    ------
    float32 of shape (samples,): one after the other, the samples that `read_recording` gives.

    Raises
    ------
    RecordingError
        As of `read_recording`; of what lies deep in the file, only once it is reached.
    """
    yield from _streamed(path, resampler_to(sample_rate), sample_rate)


def read_for_fingerprint(path: Path) -> Recording:
    """Decode a file to what fingerprints are made of (`resampling.analyzer_resampler`).

    Raises
    ------
    RecordingError
        As of `read_recording`.
    """
    return _joined(stream_for_fingerprint(path), ANALYZER_RATE)


def stream_for_fingerprint(path: Path) -> Generator[npt.NDArray[np.float32]]:
    """Do so block by block, as of `stream_recording`."""
    yield from _streamed(path, analyzer_resampler, 2 * ANALYZER_RATE, _analyzer_lead)


def _joined(blocks: Iterable[npt.NDArray[np.float32]], sample_rate: int) -> Recording:
    samples = np.concatenate(list(blocks))
    return Recording(samples, sample_rate, len(samples) / sample_rate)


def _analyzer_lead(path: Path) -> int:
    """Give the samples by which the analyzer's decoder begins an MP3 earlier than libsndfile.

    Where the encoder wrote its delay into the file, libsndfile leaves out that and the decoder's,
    1,105 samples in all, of MP3s at 44100 Hz. The analyzer's left out 552 of half the rate.
    """
    with path.open("rb") as file:
        head = file.read(ID3_HEADER_BYTES)
        if head.startswith(b"ID3"):
            size = 0
            for byte in head[6:]:
                size = size << 7 | byte & 127
            file.seek(size, os.SEEK_CUR)
            head = b""
        start = head + file.read(FIRST_FRAME_BYTES)
    is_mpeg = len(start) > 1 and start[0] == 0xFF and start[1] & 0xE0 == 0xE0
    return int(is_mpeg and (b"Xing" in start or b"Info" in start))


def _no_lead(path: Path) -> int:
    return 0


def _streamed(
    path: Path,
    resampler_of: Callable[[float], Resampler],
    wanted_rate: int,
    lead_of: Callable[[Path], int] = _no_lead,
) -> Generator[npt.NDArray[np.float32]]:
    """Decode and resample a file, with some silence before it.

    A decoder that can choose the rate gives the wanted one.
    """
    name = printable(path)
    resampler: Resampler | None = None
    try:
        if path.is_dir():
            _refuse_folder(path)
        if not path.is_file():
            raise RecordingError(f"{name}: no such file")
        if path.stat().st_size == 0:
            raise RecordingError(f"{name}: the file is empty")
        lead = np.zeros(lead_of(path), np.float32)
        for rate, mono in _decoded(path, wanted_rate):
            resampler = resampler or resampler_of(rate)
            yield resampler.push(np.concatenate((lead, _checked(path, mono))))
            lead = lead[:0]
    except OSError as error:
        raise RecordingError(f"{name}: can't be read: {error.strerror}") from error
    if resampler is not None:
        yield resampler.push(np.empty(0, np.float32), last=True)


def _refuse_folder(folder: Path) -> NoReturn:
    """Say why a folder is no recording."""
    os.listdir(folder)  # noqa: PTH208  # this alone fails if the folder can't be read
    audio_files(folder)
    raise RecordingError(f"{printable(folder)}: is a folder; name the files in it")


def _decoded(path: Path, wanted_rate: int) -> Generator[_Block]:
    """Decode with libsndfile, or with ffmpeg when it does not know the format."""
    import soundfile

    seconds = 0.0
    # soundfile takes a file of this name for samples without a header
    if path.suffix.lower() != ".raw":
        try:
            for rate, block in _decode_with_soundfile(path):
                yield rate, block
                seconds += len(block) / rate
            return
        except soundfile.LibsndfileError as error:
            if seconds:
                raise RecordingError(
                    f"{printable(path)}: damaged after {seconds:.0f} s: {error.error_string}"
                ) from error
    yield from _decode_with_ffmpeg(path, wanted_rate)


def _checked(path: Path, samples: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Give the samples back if they can be those of a recording."""
    highest = np.abs(samples).max(initial=0)
    if not np.isfinite(highest):
        raise RecordingError(f"{printable(path)}: a sample is NaN or infinite")
    if highest > LOUDEST:
        raise RecordingError(
            f"{printable(path)}: a sample is {highest:.3g}, where 1 is full scale: the file is"
            " damaged, or does not hold floats"
        )
    return samples


def _decode_with_soundfile(path: Path) -> Generator[_Block]:
    """Decode with libsndfile, and mix."""
    import soundfile

    with path.open("rb") as raw, soundfile.SoundFile(raw) as file:
        if file.samplerate < LOWEST_RATE:
            raise RecordingError(
                f"{printable(path)}: no recording has {file.samplerate} samples a second"
            )
        block = 2 * BLOCK_SAMPLES // max(file.channels, 2)
        while len(channels := file.read(block, dtype="float32", always_2d=True)):
            yield file.samplerate, channels.mean(axis=1)
        if file.tell() == 0:
            raise RecordingError(f"{printable(path)}: the file holds no audio")


def _decode_with_ffmpeg(path: Path, rate: int) -> Generator[_Block]:
    """Decode what ffmpeg knows of audio and film."""
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg is None:
        raise RecordingError(
            f"{printable(path)}: not a format that libsndfile reads (wav, flac, ogg, opus, mp3, "
            "...); install ffmpeg to read others, if this is audio at all"
        )
    # absolute, since ffmpeg takes what stands before a colon in a relative name for a protocol
    command = [ffmpeg, "-v", "error", "-nostdin", *FFMPEG_READS, "-i", str(path.absolute())]
    command += ["-map", "0:a:0", "-ac", "1"]
    command += ["-ar", str(rate), "-f", "f32le", "-"]
    # complaints go to a file: a pipe that nobody reads would fill up and stop ffmpeg
    with (
        TemporaryFile() as complaints,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=complaints) as process,
    ):
        assert process.stdout is not None
        decoded = False
        try:
            while content := process.stdout.read(BLOCK_SAMPLES * 4):
                decoded = True
                yield rate, np.frombuffer(content[: len(content) // 4 * 4], np.float32)
            process.wait()
        finally:
            process.kill()  # if whoever reads the stream has enough of it
        if process.returncode != 0 or not decoded:
            complaints.seek(0)
            reason = complaints.read().decode(errors="replace").strip().splitlines()
            raise RecordingError(
                f"{printable(path)}: ffmpeg can't read it: {reason[-1] if reason else 'no audio'}"
            )

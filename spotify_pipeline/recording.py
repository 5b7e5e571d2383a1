"""Audio files to mono samples.

What libsndfile reads (wav, flac, ogg, opus, mp3, aiff, ...) is decoded through librosa; everything
else goes through ffmpeg where it is installed.

Belongs here: decoding and resampling. Does not belong here: what is made of the samples.
"""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from spotify_pipeline.errors import PipelineError

__all__ = [
    "AUDIO_SUFFIXES",
    "Recording",
    "RecordingError",
    "at_speed",
    "audio_files",
    "printable",
    "read_recording",
]

AUDIO_SUFFIXES = frozenset(
    ".aac .aif .aifc .aiff .au .caf .flac .m4a .m4b .mka .mp2 .mp3 .mp4 .mpc .oga .ogg .opus .w64"
    " .wav .webm .wma .wv".split()
)
"""File name endings, lower case, by which a folder is searched for music."""


LOWEST_RATE = 1000
"""Samples per second; a damaged header that says less would grow without end in resampling."""


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

    Raises
    ------
    RecordingError
        There is none.
    """
    found = (path for path in folder.rglob("*") if path.suffix.lower() in AUDIO_SUFFIXES)
    files = sorted((path for path in found if path.is_file()), key=Path.as_posix)
    if not files:
        raise RecordingError(
            f"{printable(folder)} holds no audio file; looked for"
            f" {', '.join(sorted(AUDIO_SUFFIXES))}"
        )
    return files


def printable(path: Path) -> str:
    """Write a path as text that any encoding of Unicode takes, whatever bytes its name has."""
    return str(path).encode("utf-8", "backslashreplace").decode()


def read_recording(path: Path, sample_rate: int = 11025) -> Recording:
    """Decode a file, mix it to one channel and resample it.

    Raises
    ------
    RecordingError
        The file is missing, holds no audio or samples that are not finite, or is of a format that
        needs ffmpeg where there is none.
    """
    name = printable(path)
    try:
        if not path.is_file():
            raise RecordingError(f"{name}: no such file")
        if path.stat().st_size == 0:
            raise RecordingError(f"{name}: the file is empty")
        samples = _decode_with_soundfile(path, sample_rate)
        if samples is None:
            samples = _decode_with_ffmpeg(path, sample_rate)
    except OSError as error:
        raise RecordingError(f"{name}: can't be read: {error.strerror}") from error
    return Recording(_finite(path, samples), sample_rate, len(samples) / sample_rate)


def at_speed(samples: npt.NDArray[np.float32], speed: float) -> npt.NDArray[np.float32]:
    """Play samples faster, tempo and pitch together: above 1, there are fewer of them."""
    import soxr

    return np.ascontiguousarray(soxr.resample(samples, speed, 1.0, quality="MQ"), np.float32)


def _finite(path: Path, samples: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Give the samples back if they are all finite."""
    if not np.isfinite(samples).all():
        raise RecordingError(f"{printable(path)}: a sample is NaN or infinite")
    return samples


def _decode_with_soundfile(path: Path, sample_rate: int) -> npt.NDArray[np.float32] | None:
    """Decode with libsndfile; None when it does not know the format."""
    import soundfile
    import soxr

    if path.suffix.lower() == ".raw":
        return None  # soundfile takes a file of that name for samples without a header
    try:
        with path.open("rb") as raw, soundfile.SoundFile(raw) as file:
            channels = file.read(dtype="float32", always_2d=True)
            file_rate = file.samplerate
    except soundfile.LibsndfileError:
        return None
    if len(channels) == 0:
        raise RecordingError(f"{printable(path)}: the file holds no audio")
    if file_rate < LOWEST_RATE:
        raise RecordingError(f"{printable(path)}: no recording has {file_rate} samples a second")
    mono = _finite(path, channels.mean(axis=1))
    return np.ascontiguousarray(soxr.resample(mono, file_rate, sample_rate), np.float32)


def _decode_with_ffmpeg(path: Path, sample_rate: int) -> npt.NDArray[np.float32]:
    """Decode whatever ffmpeg knows."""
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg is None:
        raise RecordingError(
            f"{printable(path)}: not a format that libsndfile reads (wav, flac, ogg, opus, mp3, "
            "...); install ffmpeg to read others, if this is audio at all"
        )
    # absolute, since ffmpeg takes what stands before a colon in a relative name for a protocol
    command = [ffmpeg, "-v", "error", "-nostdin", "-i", str(path.absolute())]
    command += ["-map", "0:a:0", "-ac", "1"]
    command += ["-ar", str(sample_rate), "-f", "f32le", "-"]
    finished = subprocess.run(command, capture_output=True, check=False)
    if finished.returncode != 0 or not finished.stdout:
        reason = finished.stderr.decode(errors="replace").strip().splitlines()
        raise RecordingError(
            f"{printable(path)}: ffmpeg can't read it: {reason[-1] if reason else 'no audio'}"
        )
    return np.frombuffer(finished.stdout, np.float32)

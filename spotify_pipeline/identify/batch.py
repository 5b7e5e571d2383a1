"""What a user names, as a list of recordings: files, folders of them, and lists.

Belongs here: which files are meant. Does not belong here: reading them (`query`), and where their
answers go (`answer_file`).
"""

import codecs
import os
from collections.abc import Iterable
from pathlib import Path

from spotify_pipeline.recording import RecordingError, audio_files

__all__ = ["expanded", "listed"]


def expanded(paths: Iterable[Path]) -> list[Path]:
    """Give the files, and the audio files below the folders; each once, where it is named first.

    What is not there, or a folder without audio, is given too: it gets an answer that says so.
    """
    return list(dict.fromkeys(file for path in paths for file in _meant(path)))


def _meant(path: Path) -> list[Path]:
    try:
        return audio_files(path) if path.is_dir() else [path]
    except (RecordingError, OSError):
        return [path]


def listed(lines: Iterable[bytes]) -> list[Path]:
    r"""Read paths, one a line; empty lines are passed over.

    >>> [path.name for path in listed([b"music/one.mp3\r\n", b"\n", b"two.mp3"])]
    ['one.mp3', 'two.mp3']
    """
    names = (line.removeprefix(codecs.BOM_UTF8).rstrip(b"\r\n") for line in lines)
    return [Path(os.fsdecode(name)) for name in names if name]

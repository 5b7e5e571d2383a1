"""What a user names, as a list of recordings: files, folders of them, and lists.

Belongs here: which files are meant. Does not belong here: reading them (`query`), and where their
answers go (`answer_file`).
"""

import os
from collections.abc import Iterable
from pathlib import Path

from spotify_pipeline.recording import audio_files

__all__ = ["expanded", "listed"]


def expanded(paths: Iterable[Path]) -> list[Path]:
    """Give the files, and the audio files below the folders; each once, where it is named first.

    A file that is not there is given too: it gets an answer that says so.

    Raises
    ------
    RecordingError
        A folder holds no audio file.
    """
    found = (audio_files(path) if path.is_dir() else [path] for path in paths)
    return list(dict.fromkeys(file for files in found for file in files))


def listed(lines: Iterable[bytes]) -> list[Path]:
    r"""Read paths, one a line; empty lines are passed over.

    >>> [path.name for path in listed([b"music/one.mp3\r\n", b"\n", b"two.mp3"])]
    ['one.mp3', 'two.mp3']
    """
    names = (line.rstrip(b"\r\n") for line in lines)
    return [Path(os.fsdecode(name)) for name in names if name]

"""A file of answers that an interrupted run leaves, and the next run goes on with.

Belongs here: opening, resuming, appending. Does not belong here: what answers look like
(`answer_form`).
"""

import fcntl
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from spotify_pipeline.errors import PipelineError
from spotify_pipeline.identify.answer_form import FORMS, AnswerForm, ForeignTextError
from spotify_pipeline.identify.answers import Failure
from spotify_pipeline.identify.detector import Answer
from spotify_pipeline.recording import printable

__all__ = ["AnswerFile", "AnswerFileError", "form_of"]


class AnswerFileError(PipelineError):
    """A file that answers can't be written to."""


def form_of(path: Path) -> AnswerForm:
    """Tell the form of a file of answers by the ending of its name.

    Raises
    ------
    AnswerFileError
        The ending belongs to none.
    """
    for form in FORMS.values():
        if path.suffix.lower() in form.suffixes:
            return form
    endings = ", ".join(suffix for form in FORMS.values() for suffix in form.suffixes)
    raise AnswerFileError(f"{path}: the name ends in none of {endings}, so say --json or --csv")


class AnswerFile:
    """Answers of this run, behind those of an earlier one.

    What an earlier run has half written at the end is dropped. Every answer is handed to the
    operating system at once, so that a killed run loses only the one in work. The file is locked
    while it is open; a process that ends, however it does, lets go of it.

    Parameters
    ----------
    path
        Is created if it is not there.
    form
        Must be that of the answers which are there.

    Attributes
    ----------
    answered
        How many recordings have an answer in the file.
    earlier
        How many of them had one already.
    failed
        How many of them could not be read.

    Raises
    ------
    AnswerFileError
        The file holds something else, or another process writes it; it is left as it is.
    """

    def __init__(self, path: Path, form: AnswerForm) -> None:
        self._form = form
        self._files: set[str] = set()
        self.failed = 0
        with ExitStack() as opening:
            self._file = opening.enter_context(path.open("ab"))
            self._lock(path)
            end = self._read(path)
            opening.pop_all()
        self.earlier = self.answered = len(self._files)
        self._file.truncate(end)
        if end == 0:
            self._file.write(form.head)

    def unanswered(self, recordings: Iterable[Path]) -> list[Path]:
        """Leave out the recordings that are answered in the file."""
        return [path for path in recordings if printable(path) not in self._files]

    def write(self, answer: Answer | Failure) -> None:
        """Append an answer."""
        self._file.write(self._form.encode(answer))
        self._file.flush()
        self.answered += 1
        self.failed += isinstance(answer, Failure)

    def __enter__(self) -> Self:
        """Give the file; it is closed at the end of the ``with`` block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the file."""
        self._file.close()

    def _lock(self, path: Path) -> None:
        """Keep other processes from writing the file."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AnswerFileError(
                f"{path} is being written by another process; wait for it, or choose another file"
            ) from error

    def _read(self, path: Path) -> int:
        """Note the answers that are there; give the end of the last whole one."""
        end = 0
        try:
            with path.open("rb") as lines:
                for found in self._form.answers(lines):
                    self._files.add(found.file)
                    self.failed += found.failed
                    end = found.end
        except ForeignTextError as error:
            raise AnswerFileError(
                f"{path} is there, but does not hold answers as {self._form.name}, so it is left as"
                " it is; choose another file"
            ) from error
        return end

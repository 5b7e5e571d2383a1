"""Answers as text that programs read: JSON lines and CSV.

Belongs here: what an answer looks like in a form, and how whole answers are told from half-written
ones. Does not belong here: what an answer holds (`answers`), and files (`answer_file`).
"""

import csv
import io
from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

import msgspec

from spotify_pipeline.identify.answers import Failure
from spotify_pipeline.identify.detector import Answer
from spotify_pipeline.identify.named_matches import NamedMatch

__all__ = ["CSV", "FORMS", "JSON_LINES", "AnswerForm", "ForeignTextError", "Written"]


class Written(NamedTuple):
    """A whole answer in a text.

    Attributes
    ----------
    file
        The recording.
    failed
        It could not be read.
    end
        Bytes of the text up to here.
    """

    file: str
    failed: bool
    end: int


class ForeignTextError(ValueError):
    """A text that is not made of answers in this form."""


class AnswerForm(Protocol):
    """A form of answers."""

    @property
    def name(self) -> str:
        """What a person calls it."""

    @property
    def suffixes(self) -> tuple[str, ...]:
        """Endings of files in this form, lower case."""

    @property
    def head(self) -> bytes:
        """What stands before the first answer."""

    def encode(self, answer: Answer | Failure) -> bytes:
        """Write an answer, line end included."""

    def answers(self, lines: Iterable[bytes]) -> Iterator[Written]:
        """Find the whole answers in a text that may end in the middle of one.

        Raises
        ------
        ForeignTextError
            It is not a text of this form.
        """


class _Line(msgspec.Struct):
    """What tells a line of JSON as an answer."""

    file: str
    identified: bool | None = None
    error: str | None = None


class _JsonLines:
    """One object a recording, one a line."""

    name = "JSON lines"
    suffixes = (".jsonl", ".json")
    head = b""

    def encode(self, answer: Answer | Failure) -> bytes:
        """Write an answer, line end included."""
        return msgspec.json.encode(answer) + b"\n"

    def answers(self, lines: Iterable[bytes]) -> Iterator[Written]:
        """Find the whole answers."""
        end = 0
        for line in lines:
            if not line.endswith(b"\n"):
                _check_start(line, b'{"file":')
                return
            try:
                found = msgspec.json.decode(line, type=_Line)
            except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                raise ForeignTextError from error
            if found.identified is None and found.error is None:
                raise ForeignTextError
            end += len(line)
            yield Written(found.file, found.error is not None, end)


class _Csv:
    """One row a match; an unknown recording has a row without a track, an unreadable one an error.

    ``match`` is the place of a match among the ``matches`` of its recording, from 1.
    """

    name = "CSV"
    suffixes = (".csv",)
    columns = (
        *("file", "duration", "match", "matches"),
        *(
            "track_duration" if name == "duration" else name
            for name in NamedMatch.__struct_fields__
        ),
        *("elapsed", "complete", "error"),
    )

    @property
    def head(self) -> bytes:
        """The names of the columns."""
        return _row(self.columns)

    def encode(self, answer: Answer | Failure) -> bytes:
        """Write an answer, line end included."""
        nothing = (None,) * len(NamedMatch.__struct_fields__)
        if isinstance(answer, Failure):
            return _row((answer.file, None, None, None, *nothing, None, None, answer.error))
        count = len(answer.matches)
        matches = [
            (position, count, *_cells(match)) for position, match in enumerate(answer.matches, 1)
        ]
        return b"".join(
            _row((answer.file, answer.duration, *match, answer.elapsed, answer.complete, None))
            for match in matches or [(None, 0, *nothing)]
        )

    def answers(self, lines: Iterable[bytes]) -> Iterator[Written]:
        """Find the whole answers."""
        end, record = 0, b""
        for line in lines:
            record += line
            if record.count(b'"') % 2 or not record.endswith(b"\n"):
                continue  # a line end in quotes, or the last line
            if end == 0 and record != self.head:
                raise ForeignTextError
            end += len(record)
            row = dict(zip(self.columns, self._cells_of(record), strict=True))
            if record != self.head and row["match"] in ("", row["matches"]):
                yield Written(row["file"], bool(row["error"]), end)
            record = b""
        if end == 0:
            _check_start(record, self.head)

    def _cells_of(self, record: bytes) -> list[str]:
        try:
            (row,) = csv.reader([record.decode()], strict=True)
        except (UnicodeDecodeError, csv.Error, ValueError) as error:
            raise ForeignTextError from error
        if len(row) != len(self.columns):
            raise ForeignTextError
        return row


def _row(values: Iterable[object]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerow(values)
    return out.getvalue().encode()


def _cells(match: NamedMatch) -> list[object]:
    """Give a match's values; several artists or offsets in one."""
    values = msgspec.structs.astuple(match)
    return ["; ".join(map(str, value)) if isinstance(value, tuple) else value for value in values]


def _check_start(half: bytes, start: bytes) -> None:
    """Make sure that half a line is the start of an answer."""
    if not (half.startswith(start) or start.startswith(half)):
        raise ForeignTextError


JSON_LINES: AnswerForm = _JsonLines()
CSV: AnswerForm = _Csv()
FORMS = {"json": JSON_LINES, "csv": CSV}
"""By the name of the option that asks for it."""

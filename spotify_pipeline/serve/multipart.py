"""The field ``file`` of a form, as it comes.

Belongs here: taking a form apart. Does not belong here: where its content goes (`uploads`).
"""

from collections.abc import Callable

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from spotify_pipeline.serve.problems import ProblemError

__all__ = ["FormFile"]

FIELD = "file"


class FormFile:
    """Takes a ``multipart/form-data`` body and gives the content of its field ``file``.

    Parameters
    ----------
    content_type
        Of the request.
    write
        Takes the content.

    Attributes
    ----------
    name
        Of the file, as the client says it; empty if it says none.
    content_type
        Of the file; empty if the client says none.
    found
        Whether the field has come.

    Raises
    ------
    ProblemError
        It is no such body.
    """

    def __init__(self, content_type: str, write: Callable[[bytes], object]) -> None:
        _, options = parse_options_header(content_type)
        boundary = options.get(b"boundary")
        if not boundary:
            raise ProblemError(422, "the form's Content-Type names no boundary")
        self.name, self.content_type, self.found = "", "", False
        self._write = write
        self._wanted = False
        self._header, self._value = b"", b""
        self._headers: dict[bytes, bytes] = {}
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._headers.clear,
                "on_header_field": self._take_header,
                "on_header_value": self._take_value,
                "on_header_end": self._end_header,
                "on_headers_finished": self._begin,
                "on_part_data": self._take,
            },
        )

    def push(self, content: bytes) -> None:
        """Take the next bytes of the body."""
        try:
            self._parser.write(content)
        except FormParserError as error:
            raise ProblemError(422, f"the form can't be read: {error}") from error

    def _take_header(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _take_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        self._headers[self._header.lower()] = self._value
        self._header, self._value = b"", b""

    def _begin(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        self._wanted = options.get(b"name") == FIELD.encode()
        if self._wanted:
            self.found = True
            self.name = options.get(b"filename", b"").decode(errors="replace")
            self.content_type = self._headers.get(b"content-type", b"").decode(errors="replace")

    def _take(self, data: bytes, start: int, end: int) -> None:
        if self._wanted:
            self._write(data[start:end])

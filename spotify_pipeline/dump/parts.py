"""The parts of a document that detection does not need, kept on request.

Each part has a table of its own: the intervals (``bars``, ``beats``, ``tatums``), the ``sections``
and the ``segments`` with a row for each, ``codestring`` and ``synchstring`` with a row a track. A
document is parsed whole for them, which takes several times as long as its detection fields.

Scalars are DOUBLE, which gives the numbers back as they are written. The 24 pitches and timbres of
a segment are FLOAT, half the size; they are written with three decimals, and a FLOAT has six to
seven digits.

Belongs here: names, columns, parsing. Does not belong here: files (`parquet`), tables
(`store.parts`).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

import msgspec
import pyarrow as pa

from spotify_pipeline.dump.errors import DocumentError
from spotify_pipeline.errors import PipelineError
from spotify_pipeline.settings import PARTS_VARIABLE

__all__ = ["PARTS", "Parts", "PartsParser", "check_parts"]

Parts = Mapping[str, Sequence[tuple[Any, ...]]]
"""The rows of each part of a document, without the track id in front."""

VECTOR_LENGTH = 12

_INTERVAL = ["start", "duration", "confidence"]
_ESTIMATES = ["loudness", "tempo", "tempo_confidence", "key", "key_confidence", "mode"]
_ESTIMATES += ["mode_confidence", "time_signature", "time_signature_confidence"]
_LOUDNESS = ["loudness_start", "loudness_max_time", "loudness_max", "loudness_end"]
_VECTORS = ["pitches", "timbre"]
_ARRAYS = {
    "sections": _INTERVAL + _ESTIMATES,
    "segments": _INTERVAL + _LOUDNESS + _VECTORS,
    "beats": _INTERVAL,
    "bars": _INTERVAL,
    "tatums": _INTERVAL,
}
_STRINGS = ["codestring", "synchstring"]


def _schema_of(names: list[str]) -> pa.Schema:
    vector = pa.list_(pa.float32(), VECTOR_LENGTH)
    columns = [(name, vector if name in _VECTORS else pa.float64()) for name in names]
    return pa.schema([("track_id", pa.string()), ("position", pa.int32()), *columns])


PARTS: dict[str, pa.Schema] = {
    **{part: _schema_of(names) for part, names in _ARRAYS.items()},
    **{part: pa.schema([("track_id", pa.string()), ("text", pa.string())]) for part in _STRINGS},
}
"""Columns of each part's table; ``position`` counts a track's rows from 0."""


def check_parts(names: Iterable[str]) -> tuple[str, ...]:
    """Give the chosen parts, each once, in the order of `PARTS`.

    Raises
    ------
    PipelineError
        A name that is none of them.
    """
    chosen = set(names)
    unknown = sorted(chosen - PARTS.keys())
    if unknown:
        raise PipelineError(
            f"{PARTS_VARIABLE}, or the run's config, names {unknown[0]!r}, but no part of a"
            f" document is called so: use {', '.join(PARTS)}"
        )
    return tuple(part for part in PARTS if part in chosen)


class PartsParser:
    """Parses the chosen parts of documents, and skips the others.

    Parameters
    ----------
    parts
        As `check_parts` gives them.
    """

    def __init__(self, parts: Sequence[str]) -> None:
        self.arrays = [part for part in parts if part in _ARRAYS]
        self.strings = [part for part in parts if part in _STRINGS]
        fields: list[Any] = [(part, _items(part), []) for part in self.arrays]
        track = msgspec.defstruct("Track", [(part, str | None, None) for part in self.strings])
        document = msgspec.defstruct("Document", [*fields, ("track", track | None, None)])
        self._decoder = msgspec.json.Decoder(document)

    def parse(self, line: bytes | memoryview) -> Parts:
        """Parse a document.

        Raises
        ------
        DocumentError
            A part is not of the shape.
        """
        try:
            document: Any = self._decoder.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise DocumentError(f"its parts can't be read: {error}") from error
        rows: dict[str, Sequence[tuple[Any, ...]]] = {}
        for part in self.arrays:
            items = getattr(document, part)
            rows[part] = [(k, *msgspec.structs.astuple(item)) for k, item in enumerate(items)]
        for part in self.strings:
            text = getattr(document.track, part, None)
            rows[part] = [] if text is None else [(text,)]
        return rows


def _items(part: str) -> Any:  # noqa: ANN401
    """Make the type of a part's list; a number or vector that is missing is None."""
    length = msgspec.Meta(min_length=VECTOR_LENGTH, max_length=VECTOR_LENGTH)
    vector = Annotated[list[float], length]
    types = [(name, vector if name in _VECTORS else float) for name in _ARRAYS[part]]
    item = msgspec.defstruct(part, [(name, kind | None, None) for name, kind in types])
    return list[item]  # type: ignore[valid-type]

"""What is kept of each track: names, types and order of the columns, in one place.

The parser of documents, the Parquet file of a reduced shard and the table ``tracks`` follow from
`TrackRow`. A column that is added here is parsed, written and, in a database that was made before,
added with the next append; it has to admit NULL for that.

Belongs here: which columns there are. Does not belong here: how a value is made (`document`), and
what its type is called in Parquet (`reduction`) and in DuckDB (`store.audio`).
"""

from dataclasses import dataclass
from enum import StrEnum
from types import NoneType
from typing import Annotated, TypeVar, get_args, get_type_hints

from spotify_pipeline.fingerprint import EchoprintForm

__all__ = ["COLUMNS", "Column", "Member", "TrackRow"]


class Member(StrEnum):
    """The object of a document in which a value stands under the column's own name."""

    META = "meta"
    TRACK = "track"


_T = TypeVar("_T")
_FromMeta = Annotated[_T | None, Member.META]
_FromTrack = Annotated[_T | None, Member.TRACK]


@dataclass(frozen=True)
class TrackRow:
    """A track's columns. Times are in seconds, loudness in dB, tempo in beats a minute.

    What the document lacks is None; fingerprints that it lacks are empty. Fingerprints are packed
    as `fingerprint.packing` says, `echoprint` in the form of `echoprint_form`; harmony as
    `harmony.packing` says, None where it is not known or not kept.
    """

    track_id: str
    duration: _FromTrack[float]
    tempo: _FromTrack[float]
    tempo_confidence: _FromTrack[float]
    key: _FromTrack[int]
    key_confidence: _FromTrack[float]
    mode: _FromTrack[int]
    mode_confidence: _FromTrack[float]
    time_signature: _FromTrack[int]
    time_signature_confidence: _FromTrack[float]
    loudness: _FromTrack[float]
    end_of_fade_in: _FromTrack[float]
    start_of_fade_out: _FromTrack[float]
    analyzer_version: _FromMeta[str]
    echoprint_version: _FromTrack[float]
    rhythm_version: _FromTrack[float]
    echoprint_form: EchoprintForm
    echoprint: bytes
    rhythm: bytes
    harmony: bytes | None


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes
    ----------
    name
        In documents, files and tables.
    kind
        ``str``, ``float``, ``int`` or ``bytes``.
    nullable
        Whether a track may lack it.
    member
        Where a document has it, None if it is made of something else.
    """

    name: str
    kind: type
    nullable: bool
    member: Member | None

    @classmethod
    def of(cls, name: str, hint: object) -> "Column":
        """Read a field of `TrackRow`.

        >>> Column.of("tempo", Annotated[float | None, Member.TRACK])
        Column(name='tempo', kind=<class 'float'>, nullable=True, member=<Member.TRACK: 'track'>)
        """
        members = [extra for extra in get_args(hint) if isinstance(extra, Member)]
        plain = get_args(hint)[0] if members else hint
        types = get_args(plain) or (plain,)
        (kind,) = (base for base in types if base is not NoneType)
        stored = next(base for base in (str, float, int, bytes) if issubclass(kind, base))
        return cls(name, stored, NoneType in types, members[0] if members else None)


COLUMNS = tuple(
    Column.of(name, hint) for name, hint in get_type_hints(TrackRow, include_extras=True).items()
)
"""The columns in order."""

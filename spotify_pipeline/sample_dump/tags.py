"""What an audio file says about itself: title, artists, album and the like.

Belongs here: reading the tags of one file, and what its name tells where tags are missing. Does
not belong here: the audio (`spotify_pipeline.recording`), and where the answers are written
(`catalogue_writer`).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["UNKNOWN_ARTIST", "Tags", "read_tags"]

UNKNOWN_ARTIST = "Unknown Artist"
UNKNOWN_TITLE = "Untitled"

FIELD_KEYS = {
    "title": ("title", "TIT2", "\xa9nam", "Title"),
    "artist": ("artist", "TPE1", "\xa9ART", "Author"),
    "album": ("album", "TALB", "\xa9alb", "WM/AlbumTitle"),
    "album artist": ("albumartist", "TPE2", "aART", "WM/AlbumArtist"),
    "date": ("date", "TDRC", "\xa9day", "WM/Year"),
    "track number": ("tracknumber", "TRCK", "trkn", "WM/TrackNumber"),
    "disc number": ("discnumber", "TPOS", "disk", "WM/PartOfSet"),
    "isrc": ("isrc", "TSRC", "----:com.apple.iTunes:ISRC", "WM/ISRC"),
    "genre": ("genre", "TCON", "\xa9gen", "WM/Genre"),
    "label": ("label", "TPUB", "----:com.apple.iTunes:LABEL", "WM/Publisher"),
    "organization": ("organization", "TPUB", "----:com.apple.iTunes:LABEL", "WM/Publisher"),
}
"""The key of each field in a Vorbis comment, an ID3 tag, an MP4 file and an ASF (WMA) file.

mutagen's own "easy" names do not cover ASF, the ISRC of MP4, nor ID3 inside WAV and AIFF.
"""

ISRC = re.compile(r"[A-Z]{2}[A-Z0-9]{3}[0-9]{7}")
DATE = re.compile(r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?")


@dataclass(frozen=True)
class Tags:
    """What is known of one recording; every text is non-empty and can be written as UTF-8.

    Attributes
    ----------
    title
        From the tags, else from the file's name.
    artists
        At least one, in the order given.
    album, album_artist, label
        None where the file does not say.
    date
        ``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD``; None where the file gives no such date.
    track_number, disc_number
        At least 1; 1 where the file does not say.
    isrc
        Twelve characters without hyphens; None where the file gives no well-formed one.
    genres
        As written, in the order given; may be empty.
    """

    title: str
    artists: tuple[str, ...]
    album: str | None = None
    album_artist: str | None = None
    date: str | None = None
    track_number: int = 1
    disc_number: int = 1
    isrc: str | None = None
    genres: tuple[str, ...] = ()
    label: str | None = None


def read_tags(path: Path, music: Path | None = None) -> Tags:
    """Read a file's tags; where there are none, its name is taken apart.

    ``Artist - Title.ext`` gives both; any other name is a title, and the artist is then the folder
    the file lies in. A file whose tags are damaged counts as one without tags.

    Parameters
    ----------
    path
        The audio file.
    music
        The folder of the whole collection, whose own name says nothing of an artist.
    """
    fields = _read_fields(path)
    named_artist, named_title = _split_name(path, music)
    return Tags(
        title=_first(fields["title"]) or named_title,
        artists=tuple(dict.fromkeys(fields["artist"])) or (named_artist,),
        album=_first(fields["album"]),
        album_artist=_first(fields["album artist"]),
        date=_date(_first(fields["date"])),
        track_number=_number(_first(fields["track number"])),
        disc_number=_number(_first(fields["disc number"])),
        isrc=_isrc(_first(fields["isrc"])),
        genres=tuple(dict.fromkeys(fields["genre"])),
        label=_first(fields["label"]) or _first(fields["organization"]),
    )


def _read_fields(path: Path) -> dict[str, list[str]]:
    """Give the texts of every field, an empty list where there is none."""
    import mutagen
    from mutagen.asf import ASFTags
    from mutagen.id3 import ID3
    from mutagen.mp4 import MP4Tags

    try:
        file = mutagen.File(path)
    except Exception:  # mutagen lets parsing errors of many types through on damaged files
        file = None
    tags: Any = {} if file is None or file.tags is None else file.tags
    keyed = (isinstance(tags, kind) for kind in (ID3, MP4Tags, ASFTags))
    column = next((column for column, found in enumerate(keyed, 1) if found), 0)
    return {field: _texts(tags.get(keys[column])) for field, keys in FIELD_KEYS.items()}


def _texts(value: Any) -> list[str]:  # noqa: ANN401 - mutagen has a type for every container
    """Give a field's non-empty texts, whatever its container wraps them in."""
    if value is None:
        return []
    items = getattr(value, "genres", None) or getattr(value, "text", value)
    return [text for item in items if (text := _clean(item))]


def _clean(item: object) -> str:
    """Spell a tag's value as text without control characters or lone surrogates."""
    if isinstance(item, bytes):  # a free-form MP4 field
        text = item.decode("utf-8", "replace")
    else:
        text = str(item).encode("utf-8", "replace").decode("utf-8")
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()


def _split_name(path: Path, music: Path | None) -> tuple[str, str]:
    """Give the artist and the title that a file's place and name tell."""
    artist, separator, title = path.stem.partition(" - ")
    if separator and _clean(artist) and _clean(title):
        return _clean(artist), _clean(title)
    folder = "" if path.parent == music else _clean(path.parent.name)
    return folder or UNKNOWN_ARTIST, _clean(path.stem) or UNKNOWN_TITLE


def _first(texts: Sequence[str]) -> str | None:
    return texts[0] if texts else None


def _number(text: str | None) -> int:
    """Read the 3 of ``3``, ``03/12`` or ``(3, 12)``; 1 where there is no positive number."""
    found = re.search(r"[0-9]{1,4}", text or "")
    return max(int(found.group()), 1) if found else 1


def _date(text: str | None) -> str | None:
    """Cut a date down to the part that is well formed: ``2004-00-00`` tells the year alone."""
    found = DATE.match(text or "")
    return found.group() if found else None


def _isrc(text: str | None) -> str | None:
    code = (text or "").replace("-", "").replace(" ", "").upper()
    return code if ISRC.fullmatch(code) else None

"""What a person gives to name something in the catalogue: an id, an address, an ISRC, a UPC.

Belongs here: telling them apart. Does not belong here: looking them up (`lookup`).
"""

import re
from dataclasses import dataclass
from typing import Literal

__all__ = ["Reference", "ReferenceKind", "parse_reference"]

ReferenceKind = Literal["track", "album", "artist", "id", "isrc", "upc"]

_ID = "[0-9A-Za-z]{22}"
_ADDRESS = re.compile(
    rf"(?:https?://)?(?:open|play)\.spotify\.com/(?:intl-[\w-]+/)?(?:embed/)?"
    rf"(track|album|artist)/({_ID})(?:[/?#].*)?"
)
_URI = re.compile(rf"spotify:(track|album|artist):({_ID})")
_ISRC = re.compile(r"([A-Za-z]{2})-?([0-9A-Za-z]{3})-?([0-9]{2})-?([0-9]{5})")
_UPC = re.compile("[0-9]{11,14}")


@dataclass(frozen=True)
class Reference:
    """One thing that is named.

    Attributes
    ----------
    kind
        What it is; ``id`` is a bare id, which may be a track's, an album's or an artist's.
    value
        The id, ISRC or UPC itself.
    """

    kind: ReferenceKind
    value: str


def parse_reference(text: str) -> Reference | None:
    """Read a reference; None if it is none.

    >>> parse_reference("https://open.spotify.com/intl-de/track/7TGVTI81nq5TnbvbZ4QbHj?si=5f2")
    Reference(kind='track', value='7TGVTI81nq5TnbvbZ4QbHj')
    >>> parse_reference("us-abc-96-00001")
    Reference(kind='isrc', value='USABC9600001')
    >>> parse_reference("yesterday")
    """
    text = text.strip()
    if found := _ADDRESS.fullmatch(text) or _URI.fullmatch(text):
        kind: ReferenceKind = found[1]  # type: ignore[assignment]  # as the pattern says
        return Reference(kind, found[2])
    if re.fullmatch(_ID, text):
        return Reference("id", text)
    if found := _ISRC.fullmatch(text):
        return Reference("isrc", "".join(found.groups()).upper())
    return Reference("upc", text) if _UPC.fullmatch(text) else None

"""``spotify_artist_redirects.json``: ids that artists had, and the ones that they have now.

One object, old id to new id. The file has 282 kB and is read at once.

Belongs here: reading it. Does not belong here: following it (`spotify_pipeline.catalog`).
"""

import re
from pathlib import Path

import msgspec
import pyarrow as pa

from spotify_pipeline.dump.errors import MetadataError
from spotify_pipeline.dump.tables import ALL_TABLES
from spotify_pipeline.shards import TRACK_ID_LENGTH

__all__ = ["read_redirects"]

MOST_BYTES = 1 << 28
"""A thousand times the dump's; what is larger is another file."""

_ID = re.compile(rf"[0-9A-Za-z]{{{TRACK_ID_LENGTH}}}")


def read_redirects(path: Path) -> pa.RecordBatch:
    """Read the file as rows of the table ``artist_redirects``, in its order.

    Raises
    ------
    MetadataError
        The file can't be read, is no object of texts, or one of them is no id.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise MetadataError(f"{path}: too large for redirects of artists: it is another file")
        redirects = msgspec.json.decode(path.read_bytes(), type=dict[str, str])
    except OSError as error:
        raise MetadataError(f"{path}: cannot be read ({error})") from error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise MetadataError(
            f"{path}: not an object of old ids and new ids: fetch it again ({error})"
        ) from error
    for text in (*redirects, *redirects.values()):
        if not _ID.fullmatch(text):
            raise MetadataError(f"{path}: {text[:40]!r} where an artist's id belongs")
    columns = [list(redirects), list(redirects.values())]
    schema = ALL_TABLES["artist_redirects"].schema
    return pa.record_batch([pa.array(c, pa.string()) for c in columns], schema=schema)

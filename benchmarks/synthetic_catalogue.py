"""A synthetic catalogue in the dump's proportions, of any size, as Arrow batches or a SQLite file.

    python -m benchmarks.synthetic_catalogue OUT.sqlite3 [--tracks 1000000] [--seed 1]

To 256 tracks there are 348 credits, 59 albums, 15 artists and 186 recordings: a recording that
stands in the catalogue again, on a reissue, has the same ISRC, title, artists and length. Words are
made up, in ten scripts, and as unevenly frequent as words are (Zipf); so are popularity, albums of
an artist, labels, genres and lists of markets. The most followed artists have the short and odd
names of `ODD_NAMES`.

Every value follows from the seed and its row's number alone, so batches need no state: the same
seed and size give the same rows, whatever is asked for and in whatever order.
"""

import argparse
import hashlib
import itertools
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from adbc_driver_sqlite import dbapi

from benchmarks.command import command_line
from spotify_pipeline.dump.tables import TABLES
from spotify_pipeline.sample_dump.catalogue_writer import SCHEMA
from spotify_pipeline.shards import BASE62

CREDITS, ALBUMS, ARTISTS, RECORDINGS = 348 / 256, 59 / 256, 15 / 256, 186 / 256
"""How many to a track, as in the dump."""

BATCH_ROWS = 1 << 17

ODD_NAMES = ("U2", "The 1975", "!!!", "Ø", "1975", "A-ha", "AC/DC", "Sigur Rós", "P!nk", "3", "M83")
"""Names of the most followed artists."""

COMMON = (
    "the of love you me in a my to and no on is it i your night de la for be with all time one "
    "baby life heart good go up from day away world don't dance like home girl wild blue"
).split()
"""The most frequent words of the first script."""

SCRIPT_FRACTIONS = {
    "latin": 0.80,
    "cyrillic": 0.04,
    "greek": 0.01,
    "arabic": 0.02,
    "hebrew": 0.01,
    "devanagari": 0.02,
    "thai": 0.02,
    "chinese": 0.03,
    "japanese": 0.03,
    "korean": 0.02,
}
UNSPACED = ("thai", "chinese", "japanese")
"""Scripts that put no space between words."""

WORDS = {"latin": 300_000}
FEWER_WORDS = 30_000
"""Of each other script."""

SUFFIXES = ("", " - Remastered 2011", " - Live", " - Radio Edit", " (Acoustic)", " - Remix", " II")
SUFFIX_FRACTIONS = (0.86, 0.03, 0.04, 0.02, 0.02, 0.02, 0.01)

GENRES = 800
LABEL_TRACKS = 60
"""Tracks to a label."""

FIRST_FETCH = 1_751_000_000_000
"""Milliseconds since 1970."""

UInt64s = np.ndarray[Any, np.dtype[np.uint64]]
Int64s = np.ndarray[Any, np.dtype[np.int64]]
Floats = np.ndarray[Any, np.dtype[np.float64]]


class Catalogue:
    """All tables of a synthetic catalogue.

    Attributes
    ----------
    tracks, albums, artists, recordings
        Their counts. Rows are numbered from 0 here; the tables' ``rowid`` is one more.
    """

    def __init__(self, tracks: int, seed: int = 1) -> None:
        self.tracks = tracks
        self.albums = max(1, round(tracks * ALBUMS))
        self.artists = max(len(ODD_NAMES), round(tracks * ARTISTS))
        self.recordings = max(1, round(tracks * RECORDINGS))
        self.labels = 10 + tracks // LABEL_TRACKS
        self.markets = 100 + tracks // 1000
        self._seed = seed

    def batches(self, table: str) -> Iterator[pa.RecordBatch]:
        """Give the rows of a table in the order of their numbers, with the dump's columns."""
        make: Mapping[str, tuple[int, Callable[[Int64s], dict[str, Any]]]] = {
            "album_images": (self.albums, self._album_images),
            "artist_genres": (self.artists, self._artist_genres),
            "available_markets": (self.markets, self._available_markets),
            "albums": (self.albums, self._albums),
            "artist_images": (self.artists, self._artist_images),
            "track_artists": (self.tracks, self._track_artists),
            "artist_albums": (self.albums, self._artist_albums),
            "artists": (self.artists, self._artists),
            "tracks": (self.tracks, self._tracks),
        }
        count, rows_of = make[table]
        schema = TABLES[table].schema
        for first in range(0, count, BATCH_ROWS):
            columns = rows_of(np.arange(first, min(first + BATCH_ROWS, count)))
            arrays = [pa.array(columns[field.name], field.type) for field in schema]
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)

    def track_ids(self, tracks: Int64s) -> list[str]:
        """Give the ids of tracks."""
        return self._ids(tracks, "track").to_pylist()  # type: ignore[no-any-return]

    def isrcs(self, tracks: Int64s) -> list[str | None]:
        """Give the ISRCs of tracks; a few have none."""
        return self._isrcs(self.recording_of(tracks)).to_pylist()  # type: ignore[no-any-return]

    def recording_of(self, tracks: Int64s) -> Int64s:
        """Give the recording of each track: its own, or one of those that a reissue repeats."""
        album = self._album_of_track[tracks]
        base = self._below(album, "reissue", self.recordings)
        again = (base + tracks - self._first_track[album]) % self.recordings
        return np.where(tracks < self.recordings, tracks, again)

    @cached_property
    def _album_sizes(self) -> Int64s:
        """Tracks of each album: six in ten are singles."""
        rng = np.random.default_rng([self._seed, self.tracks])
        weights = rng.lognormal(0, 0.7, self.albums) * (rng.random(self.albums) >= 0.6)
        weights[-1] += 1.0
        more = rng.multinomial(self.tracks - self.albums, weights / weights.sum())
        return 1 + more

    @cached_property
    def _first_track(self) -> Int64s:
        return np.concatenate([[0], np.cumsum(self._album_sizes)[:-1]])

    @cached_property
    def _album_of_track(self) -> Int64s:
        return np.repeat(np.arange(self.albums), self._album_sizes)

    def _hash(self, numbers: Int64s, what: str) -> UInt64s:
        """Give 64 random bits to each number, others for each purpose (splitmix64)."""
        digest = hashlib.blake2b(f"{self._seed} {what}".encode(), digest_size=8).digest()
        salt = np.uint64(int.from_bytes(digest, "little"))
        x = (numbers.astype(np.uint64) + salt) * np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return x ^ (x >> np.uint64(31))

    def _uniform(self, numbers: Int64s, what: str) -> Floats:
        return np.asarray((self._hash(numbers, what) >> np.uint64(11)) * 2.0**-53, np.float64)

    def _below(self, numbers: Int64s, what: str, limit: int) -> Int64s:
        return (self._uniform(numbers, what) * limit).astype(np.int64)

    def _skewed(self, numbers: Int64s, what: str, limit: int | Int64s, head: float = 1.0) -> Int64s:
        """Draw ranks below a limit, rank r with a probability that goes with 1 / (r + head)."""
        drawn = head * (limit / head + 1.0) ** self._uniform(numbers, what) - head
        return np.minimum(drawn.astype(np.int64), limit - 1)

    def _some_artist(self, numbers: Int64s, what: str) -> Int64s:
        return self._artist_of_rank(self._skewed(numbers, what, self.artists, head=50.0))

    def _chosen(self, numbers: Int64s, what: str, fractions: tuple[float, ...]) -> Int64s:
        steps = np.cumsum(fractions)[:-1]
        return np.searchsorted(steps, self._uniform(numbers, what), side="right")

    def _ids(self, numbers: Int64s, what: str) -> pa.Array:
        letters = np.frombuffer(BASE62.encode(), np.uint8)
        text = np.empty((len(numbers), 22), np.uint8)
        for part in range(0, 22, 10):
            bits = self._hash(numbers, f"{what} id {part}")
            for position in range(part, min(part + 10, 22)):
                bits, digit = np.divmod(bits, np.uint64(62))
                text[:, position] = letters[digit.astype(np.int64)]
        text[:, 0] = ord("0") + text[:, 0] % 8  # 22 digits of 128 bits begin with 0 to 7
        return _fixed_strings(text)

    def _hex(self, numbers: Int64s, what: str) -> pa.Array:
        """Give 24 hexadecimal digits to each number."""
        digits = np.frombuffer(b"0123456789abcdef", np.uint8)
        text = np.empty((len(numbers), 24), np.uint8)
        for part in range(0, 24, 16):
            bits = self._hash(numbers, f"{what} hex {part}")
            for position in range(part, min(part + 16, 24)):
                text[:, position] = digits[(bits & np.uint64(15)).astype(np.int64)]
                bits = bits >> np.uint64(4)
        return _fixed_strings(text)

    @cached_property
    def _vocabulary(self) -> tuple[pa.Array, Int64s, Int64s]:
        """All words, script by script; where each script begins, and how many it has."""
        words = [_words(script, self._seed) for script in SCRIPT_FRACTIONS]
        counts = np.array([len(part) for part in words])
        return pa.array(itertools.chain.from_iterable(words)), np.cumsum(counts) - counts, counts

    def _text(
        self, numbers: Int64s, what: str, scripts: Int64s, fractions: tuple[float, ...]
    ) -> pa.Array:
        """Make texts of one word and more; `fractions` has the fraction of each length."""
        vocabulary, begins, counts = self._vocabulary
        lengths = 1 + self._chosen(numbers, f"{what} length", fractions)
        columns = []
        for position in range(len(fractions)):
            rank = self._skewed(numbers, f"{what} {position}", counts[scripts], head=5.0)
            word = pa.array(begins[scripts] + rank, mask=lengths <= position)
            columns.append(vocabulary.take(word))
        spaces = np.array(["" if script in UNSPACED else " " for script in SCRIPT_FRACTIONS])
        space = pa.array(spaces[scripts], pa.string())
        return pc.binary_join_element_wise(*columns, space, null_handling="skip")

    def _script(self, artists: Int64s) -> Int64s:
        return self._chosen(artists, "script", tuple(SCRIPT_FRACTIONS.values()))

    # Artists: rank 0 is the most followed; a row's rank is its number, shuffled.

    @cached_property
    def _artist_stride(self) -> int:
        stride = round(self.artists * 0.618) | 1
        while math.gcd(stride, self.artists) != 1:
            stride += 2
        return stride

    def _artist_of_rank(self, ranks: Int64s) -> Int64s:
        return (ranks * self._artist_stride + self._seed) % self.artists

    def _rank_of_artist(self, artists: Int64s) -> Int64s:
        inverse = pow(self._artist_stride, -1, self.artists) if self.artists > 1 else 0
        return (artists - self._seed) * inverse % self.artists

    def _artist_popularity(self, artists: Int64s) -> Int64s:
        rank = self._rank_of_artist(artists)
        popularity = 97 * (1 - np.log1p(rank) / np.log1p(self.artists))
        return np.asarray(np.round(popularity), np.int64)

    def _artist_names(self, artists: Int64s) -> pa.Array:
        names = self._text(artists, "artist", self._script(artists), (0.35, 0.45, 0.2))
        article = self._uniform(artists, "article") < 0.1
        prefix = pa.array(np.where(article, "The ", ""), pa.string())
        numbered = self._below(artists, "suffix", 1000)
        # words are few beside artists: most names get one more, so that few are the same
        more = self._text(artists, "more", self._script(artists), (1.0,))
        more = pc.if_else(pa.array(numbered < 700), pc.binary_join_element_wise("", more, " "), "")
        names = pc.binary_join_element_wise(prefix, names, more, "")
        rank = self._rank_of_artist(artists)
        odd = pa.array(ODD_NAMES).take(pa.array(rank, mask=rank >= len(ODD_NAMES)))
        return pc.coalesce(odd, names)

    def _artists(self, rows: Int64s) -> dict[str, Any]:
        popularity = self._artist_popularity(rows)
        spread = self._uniform(rows, "followers") + 0.5
        return {
            "rowid": rows + 1,
            "id": self._ids(rows, "artist"),
            "fetched_at": FIRST_FETCH + rows * 7,
            "name": self._artist_names(rows),
            "followers_total": (spread * 1.17**popularity).astype(np.int64),
            "popularity": popularity,
        }

    def _artist_genres(self, rows: Int64s) -> dict[str, Any]:
        known = self._uniform(rows, "has genre") < 0.05 + self._artist_popularity(rows) / 50
        count = np.where(known, 1 + self._below(rows, "genres", 3), 0)
        artist = np.repeat(rows, count)
        position = np.arange(len(artist)) - np.repeat(np.cumsum(count) - count, count)
        first = self._skewed(artist, "genre", GENRES)
        return {
            "artist_rowid": artist + 1,
            "genre": _genres().take((first + position * 7) % GENRES),
        }

    def _artist_images(self, rows: Int64s) -> dict[str, Any]:
        known = rows[self._uniform(rows, "has image") < 0.1 + self._artist_popularity(rows) / 40]
        sizes = {640: "ab6761610000e5eb", 320: "ab67616100005174", 160: "ab6761610000f178"}
        return self._images(known, "artist", sizes)

    def _images(self, rows: Int64s, owner: str, sizes: Mapping[int, str]) -> dict[str, Any]:
        name = self._hex(rows, owner).take(pa.array(np.repeat(np.arange(len(rows)), len(sizes))))
        heads = [f"https://i.scdn.co/image/{head}" for head in sizes.values()]
        url = pc.binary_join_element_wise(pa.array(heads * len(rows), pa.string()), name, "")
        size = np.tile(list(sizes), len(rows))
        rowid = np.repeat(rows, len(sizes)) + 1
        return {f"{owner}_rowid": rowid, "width": size, "height": size, "url": url}

    # Albums: the artist is that of the first track's recording.

    def _album_artist(self, albums: Int64s) -> Int64s:
        """Give the artist of an album; a reissue's is that of the album it repeats."""
        recording = self.recording_of(self._first_track[albums])
        return self._some_artist(self._album_of_track[recording], "artist")

    def _album_popularity(self, albums: Int64s) -> Int64s:
        of_artist = self._artist_popularity(self._album_artist(albums))
        return (of_artist * self._uniform(albums, "popularity") ** 0.7).astype(np.int64)

    def _album_names(self, albums: Int64s) -> pa.Array:
        scripts = self._script(self._album_artist(albums))
        own = self._text(albums, "album", scripts, (0.3, 0.35, 0.2, 0.15))
        first = self._titles(self.recording_of(self._first_track[albums]))
        titled = (self._album_sizes[albums] == 1) | (self._uniform(albums, "title track") < 0.3)
        return pc.if_else(pa.array(titled), first, own)

    def _years(self, albums: Int64s) -> Int64s:
        return 2025 - self._skewed(albums, "year", 76)

    def _labels(self, albums: Int64s) -> pa.Array:
        label = self._skewed(self._album_artist(albums), "label", self.labels)
        names = self._text(label, "label", np.zeros_like(label), (0.5, 0.5))
        ends = pa.array([" Records", " Music", "", " Entertainment", " Recordings"])
        end = ends.take(pa.array(self._below(label, "end", len(ends))))
        return pc.binary_join_element_wise(names, end, "")

    def _albums(self, rows: Int64s) -> dict[str, Any]:
        sizes = self._album_sizes[rows]
        years = self._years(rows)
        month, day = 1 + self._below(rows, "month", 12), 1 + self._below(rows, "day", 28)
        by_day = (years > 1990) | (self._uniform(rows, "precision") < 0.5)
        dates = [
            f"{y:04}-{m:02}-{d:02}" if exact else f"{y:04}"
            for y, m, d, exact in zip(years, month, day, by_day, strict=True)
        ]
        label = self._labels(rows)
        notice = pc.binary_join_element_wise(pa.array(years.astype(str), pa.string()), label, " ")
        kinds = np.where(sizes < 4, "single", "album")
        kinds = np.where(self._uniform(rows, "kind") < 0.05, "compilation", kinds)
        upc = 10**11 + self._below(rows, "upc", 9 * 10**11)
        return {
            "rowid": rows + 1,
            "id": self._ids(rows, "album"),
            "fetched_at": FIRST_FETCH + rows * 5,
            "name": self._album_names(rows),
            "album_type": pa.array(kinds, pa.string()),
            "available_markets_rowid": self._market_of(rows) + 1,
            "external_id_upc": pa.array(upc.astype(str), pa.string()),
            "external_id_amgid": pa.nulls(len(rows), pa.string()),
            "copyright_c": pc.if_else(pa.array(self._uniform(rows, "c") < 0.9), notice, None),
            "copyright_p": notice,
            "label": label,
            "popularity": self._album_popularity(rows),
            "release_date": dates,
            "release_date_precision": pa.array(np.where(by_day, "day", "year"), pa.string()),
            "total_tracks": sizes,
        }

    def _album_images(self, rows: Int64s) -> dict[str, Any]:
        sizes = {640: "ab67616d0000b273", 300: "ab67616d00001e02", 64: "ab67616d00004851"}
        return self._images(rows, "album", sizes)

    def _artist_albums(self, rows: Int64s) -> dict[str, Any]:
        guest = self._uniform(rows, "guest") < 0.4
        other = self._some_artist(rows, "guest artist")
        both = np.concatenate([self._album_artist(rows), other[guest]])
        order = np.argsort(np.concatenate([rows, rows[guest]]), kind="stable")
        album = np.concatenate([rows, rows[guest]])[order]
        appears = np.concatenate([np.zeros_like(rows), np.ones_like(rows[guest])])[order]
        return {
            "artist_rowid": both[order] + 1,
            "album_rowid": album + 1,
            "is_appears_on": appears,
            "is_implicit_appears_on": np.zeros_like(album),
            "index_in_album": pa.array(appears, mask=appears == 1),
        }

    def _market_of(self, albums: Int64s) -> Int64s:
        everywhere = self._uniform(albums, "everywhere") < 0.6
        return np.where(everywhere, 0, self._skewed(albums, "market", self.markets))

    def _available_markets(self, rows: Int64s) -> dict[str, Any]:
        letters = [chr(65 + k) for k in range(26)]
        codes = np.array([a + b for a in letters for b in letters])[::3][:184]
        texts = [",".join(codes)]
        for row in rows[rows > 0]:
            rng = np.random.default_rng([self._seed, row])
            here = rng.random(len(codes)) < rng.random()
            here[:20] = row >> np.arange(20) & 1  # no list stands there twice
            texts.append(",".join(codes[here]))
        return {"rowid": rows + 1, "available_markets": texts[-len(rows) :]}

    # Tracks: what is of the recording is the same on each of its tracks.

    def _recording_artist(self, recordings: Int64s) -> Int64s:
        return self._album_artist(self._album_of_track[recordings])

    def _guest_count(self, recordings: Int64s) -> Int64s:
        """Give the count of artists after the first: geometric, with the dump's mean."""
        more = CREDITS - 1
        u = 1 - self._uniform(recordings, "guests")
        return np.minimum(np.log(u) / math.log(more / (1 + more)), 20).astype(np.int64)

    def _guest(self, recordings: Int64s, position: Int64s) -> Int64s:
        return self._some_artist(recordings * 32 + position, "guest of track")

    def _titles(self, recordings: Int64s) -> pa.Array:
        scripts = self._script(self._recording_artist(recordings))
        words = self._text(recordings, "title", scripts, (0.22, 0.33, 0.25, 0.12, 0.08))
        suffix = self._chosen(recordings, "title end", SUFFIX_FRACTIONS)
        end = pa.array(SUFFIXES).take(pa.array(suffix))
        named = self._guest_count(recordings) == 1
        named &= (suffix == 0) & (self._uniform(recordings, "feat") < 0.5)
        guest = self._artist_names(self._guest(recordings, np.zeros_like(recordings)))
        feat = pc.binary_join_element_wise(" (feat. ", guest, ")", "")
        end = pc.if_else(pa.array(named), feat, end)
        return pc.binary_join_element_wise(words, end, "")

    def _isrcs(self, recordings: Int64s) -> pa.Array:
        countries = np.array(["US", "GB", "DE", "FR", "QZ", "JP", "BR", "SE", "KR", "IN"])
        country = countries[self._skewed(recordings, "country", len(countries))]
        owner = (recordings // 100_000 + 36**2).astype(np.int64)
        digits = np.array(list("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
        registrant = [digits[owner // 36**k % 36] for k in (2, 1, 0)]
        year = self._years(self._album_of_track[recordings]) % 100
        number = recordings % 100_000
        head = pc.binary_join_element_wise(
            *(pa.array(part, pa.string()) for part in (country, *registrant)), ""
        )
        tail = pa.array((10**7 + year * 10**5 + number).astype(str), pa.string())
        code = pc.binary_join_element_wise(head, pc.utf8_slice_codeunits(tail, 1), "")
        return pc.if_else(pa.array(self._uniform(recordings, "no isrc") < 0.003), None, code)

    def _tracks(self, rows: Int64s) -> dict[str, Any]:
        album = self._album_of_track[rows]
        recording = self.recording_of(rows)
        u = self._uniform(rows, "popularity") ** (1 + self._uniform(rows, "hit"))
        normal = np.sqrt(-2 * np.log(1 - self._uniform(recording, "duration")))
        normal *= np.cos(2 * np.pi * self._uniform(recording, "phase"))
        preview = pc.binary_join_element_wise(
            "https://p.scdn.co/mp3-preview/", self._hex(rows, "preview"), ""
        )
        return {
            "rowid": rows + 1,
            "id": self._ids(rows, "track"),
            "fetched_at": FIRST_FETCH + rows * 3,
            "name": self._titles(recording),
            "preview_url": pc.if_else(pa.array(self._uniform(rows, "p") < 0.5), preview, None),
            "album_rowid": album + 1,
            "track_number": 1 + rows - self._first_track[album],
            "external_id_isrc": self._isrcs(recording),
            "external_id_ean": pa.nulls(len(rows), pa.string()),
            "external_id_upc": pa.nulls(len(rows), pa.string()),
            "popularity": (self._album_popularity(album) * u).astype(np.int64),
            "available_markets_rowid": self._market_of(album) + 1,
            "disc_number": np.ones_like(rows),
            "duration_ms": (210_000 * np.exp(0.35 * normal)).astype(np.int64),
            "explicit": self._uniform(recording, "explicit") < 0.1,
        }

    def _track_artists(self, rows: Int64s) -> dict[str, Any]:
        recording = self.recording_of(rows)
        count = 1 + self._guest_count(recording)
        track, recording = np.repeat(rows, count), np.repeat(recording, count)
        position = np.arange(len(track)) - np.repeat(np.cumsum(count) - count, count)
        first = self._recording_artist(recording)
        artist = np.where(position == 0, first, self._guest(recording, np.maximum(position - 1, 0)))
        return {"track_rowid": track + 1, "artist_rowid": artist + 1}


def _fixed_strings(text: np.ndarray[Any, np.dtype[np.uint8]]) -> pa.Array:
    """Give rows of letters as strings."""
    count, width = text.shape
    offsets = np.arange(count + 1, dtype=np.int32) * width
    return pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(text))


def _genres() -> pa.Array:
    styles = "pop rock jazz techno house metal folk indie ambient rap trap punk soul blues".split()
    kinds = ["", *_words("latin", 99)[200:300]]
    names = [f"{kind} {style}".strip() for kind in kinds for style in styles]
    return pa.array(names[:GENRES])


@cache
def _words(script: str, seed: int) -> list[str]:
    """Make up the words of a script, the most frequent and shortest first."""
    rng = np.random.default_rng([seed, *script.encode()])
    count = WORDS.get(script, FEWER_WORDS)
    letters = _syllables(script)
    lengths = 1 + rng.binomial(3, np.linspace(0.15, 0.7, count))
    positions = rng.integers(0, len(letters), (count, 4))
    spelled = np.array(letters, object)[positions].tolist()
    words = ["".join(row[:n]) for row, n in zip(spelled, lengths.tolist(), strict=True)]
    return COMMON + words if script == "latin" else words


def _syllables(script: str) -> list[str]:
    """List what words of a script are put together from."""

    def paired(heads: str, tails: str) -> list[str]:
        return [head + tail for head in heads for tail in tails]

    def letters(first: int, last: int) -> list[str]:
        return [chr(code) for code in range(first, last + 1)]

    syllables: dict[str, Callable[[], list[str]]] = {
        "latin": lambda: (
            paired("bcdfghjklmnprstvwz", "aeiou") * 40
            + paired("bdgklmnrst", "áéèêëíóöøúüåäãçñ")
            + [h + t for h in "st tr ch br l n m".split() for t in "an on er".split()] * 40
        ),
        "cyrillic": lambda: paired("бвгджзклмнпрстфхцч", "аеиоуыяю"),
        "greek": lambda: paired("βγδζθκλμνπρστφχψ", "αεηιοωάέήίόώ"),
        "arabic": lambda: paired("بتثجحخدذرزسشصضطظعغفقكلمنهوي", "اوي"),
        "hebrew": lambda: paired("אבגדהוזחטיכלמנסעפצקרשת", "וי") + list("אבגדהזחטכלמנס"),
        "devanagari": lambda: [h + t for h in letters(0x915, 0x939) for t in ["", *"ािीुूेो"]],
        "thai": lambda: [h + t for h in letters(0xE01, 0xE2E) for t in ["", *"ะาิีุู่้"]],
        "chinese": lambda: letters(0x4E00, 0x4E00 + 2500),
        "japanese": lambda: (
            letters(0x3042, 0x3093) * 3
            + letters(0x30A2, 0x30F3) * 2
            + letters(0x5B00, 0x5B00 + 600)
        ),
        "korean": lambda: [chr(code) for code in range(0xAC00, 0xD7A3, 9)],
    }
    return syllables[script]()


def write_sqlite(catalogue: Catalogue, path: Path) -> None:
    """Write a SQLite file of the dump's schema, without its indexes.

    Parameters
    ----------
    catalogue
        What to write.
    path
        The file; one that is there is replaced.
    """
    path.unlink(missing_ok=True)
    statements = [line.strip() for line in SCHEMA.split(";")]
    tables = [statement for statement in statements if statement.startswith("CREATE TABLE")]
    with dbapi.connect(str(path), autocommit=True) as connection, connection.cursor() as cursor:
        for statement in ("PRAGMA journal_mode = OFF", "PRAGMA synchronous = OFF", *tables):
            cursor.execute(statement)
        for table in TABLES:
            reader = pa.RecordBatchReader.from_batches(
                TABLES[table].schema, catalogue.batches(table)
            )
            cursor.adbc_ingest(table, reader, mode="append")


def add_catalogue(parser: argparse.ArgumentParser, *, questions: int) -> None:
    """Add the options that say which catalogues are made, and how much they are asked."""
    parser.add_argument(
        "--tracks", type=int, nargs="+", default=[1_000_000], help="of a catalogue each"
    )
    parser.add_argument("--seed", type=int, default=1, help="another one gives other rows")
    parser.add_argument("--questions", type=int, default=questions, help="of each kind")


def main(words: Sequence[str] | None = None) -> None:
    """Write a file and tell how fast."""
    parser = command_line(__doc__)
    parser.add_argument("out", type=Path, metavar="OUT.sqlite3", help="file to write")
    parser.add_argument("--tracks", type=int, default=1_000_000, help="of the catalogue")
    parser.add_argument("--seed", type=int, default=1, help="another one gives other rows")
    arguments = parser.parse_args(words)
    started = time.perf_counter()
    write_sqlite(Catalogue(arguments.tracks, arguments.seed), arguments.out)
    seconds = time.perf_counter() - started
    rate, size = arguments.tracks / seconds, arguments.out.stat().st_size / arguments.tracks
    print(
        f"{arguments.tracks:,} tracks in {seconds:.1f} s, {rate:,.0f} a second;"
        f" {size:,.0f} bytes a track"
    )


if __name__ == "__main__":
    main()

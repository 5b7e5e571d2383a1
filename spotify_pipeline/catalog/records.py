"""What the catalogue says of a track, an album, an artist.

Belongs here: the records that look-ups give. Does not belong here: finding them (`catalog`).
Everything that the source may lack is None, or empty.
"""

from dataclasses import dataclass

__all__ = ["Album", "Artist", "AudioFeatures", "Image", "Track", "TrackNames"]


@dataclass(frozen=True)
class Image:
    """Where a picture lies, and its size in pixels."""

    url: str
    width: int | None
    height: int | None


@dataclass(frozen=True)
class Artist:
    """An artist; `followers` is a count, `popularity` 0 to 100, the largest image comes first."""

    artist_id: str | None
    rowid: int
    name: str
    popularity: int | None
    followers: int | None
    genres: tuple[str, ...] = ()
    images: tuple[Image, ...] = ()


@dataclass(frozen=True)
class Album:
    """An album, single or compilation.

    Attributes
    ----------
    album_type
        ``album``, ``single`` or ``compilation``.
    release_date, release_date_precision
        ``1996-10-01``, ``1996-10`` or ``1996``; ``day``, ``month`` or ``year``.
    images
        The largest first.
    """

    album_id: str | None
    rowid: int
    title: str
    album_type: str | None
    release_date: str | None
    release_date_precision: str | None
    label: str | None
    upc: str | None
    popularity: int | None
    total_tracks: int | None
    images: tuple[Image, ...] = ()


@dataclass(frozen=True)
class AudioFeatures:
    """What was measured of a track's sound.

    Attributes
    ----------
    tempo
        Beats a minute.
    key, mode
        Pitch class, C being 0 and no key -1; major is 1, minor 0.
    loudness
        Mean, in dB below full scale.
    time_signature
        Beats to the bar.
    danceability, energy, speechiness, acousticness, instrumentalness, liveness, valence
        0 to 1.
    """

    tempo: float | None = None
    key: int | None = None
    mode: int | None = None
    loudness: float | None = None
    time_signature: int | None = None
    danceability: float | None = None
    energy: float | None = None
    speechiness: float | None = None
    acousticness: float | None = None
    instrumentalness: float | None = None
    liveness: float | None = None
    valence: float | None = None


@dataclass(frozen=True)
class Track:
    """A track on an album.

    Attributes
    ----------
    track_id
        22 base62 characters.
    artists
        In the order of the credit.
    isrc
        The recording's, which several tracks share, as the source writes it.
    duration_ms
        Length in milliseconds.
    popularity
        0 to 100.
    markets
        Countries as ISO 3166-1 alpha-2; None unless asked for.
    """

    track_id: str
    rowid: int
    title: str
    artists: tuple[Artist, ...]
    album: Album | None
    isrc: str | None
    duration_ms: int | None
    popularity: int | None
    explicit: bool | None
    disc_number: int | None
    track_number: int | None
    preview_url: str | None
    markets: tuple[str, ...] | None = None
    features: AudioFeatures | None = None

    @property
    def artist_names(self) -> tuple[str, ...]:
        """The artists' names in the order of the credit."""
        return tuple(artist.name for artist in self.artists)

    @property
    def album_title(self) -> str:
        """The album's title, empty where it is not known."""
        return self.album.title if self.album else ""


@dataclass(frozen=True)
class TrackNames:
    """What a track is called, and no more; attributes are those of `Track`."""

    title: str
    artist_names: tuple[str, ...]
    album_title: str
    isrc: str | None
    popularity: int | None

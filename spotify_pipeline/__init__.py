"""Song detection and look-up over a dump of Spotify's audio analysis and metadata."""

__version__ = "0.1.0"

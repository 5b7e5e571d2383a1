"""Writing a dump of the real format from a folder of music; `dump` reads it like any other."""

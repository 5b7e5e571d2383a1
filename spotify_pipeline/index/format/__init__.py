"""What the index is on disk: sealed files, posting lists, segments, the manifest."""

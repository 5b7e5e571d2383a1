"""What the index is on disk: sealed files, postings, segments, the manifest."""

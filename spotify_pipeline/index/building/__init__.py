"""Segments from trains, merges, and what to do for the index to be up to date."""

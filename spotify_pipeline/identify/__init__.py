"""A recording to the track it is of: search, alignment, decision, names."""

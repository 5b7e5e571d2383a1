"""From a recording to the tracks that it may be of: one segment, and a snapshot of all."""

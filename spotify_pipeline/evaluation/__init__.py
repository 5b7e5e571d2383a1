"""How well detection works: degraded excerpts of music, asked of an index with it and without it.

Knows nothing of Dagster and nothing of the data home: indexes are made for the purpose and removed.
"""

"""What is due, and how one shard goes its way from its file to the database.

The sensors, the command line and the tests call the same functions. Nothing here knows of Dagster.
"""

"""The server: identification, the catalogue and a page, over HTTP.

Belongs here: requests, and what protects the program from them. Does not belong here: matching
(`spotify_pipeline.identify`) and look-ups (`spotify_pipeline.catalog`), which know nothing of HTTP.
"""

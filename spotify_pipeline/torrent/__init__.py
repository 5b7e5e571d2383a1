"""The dump's files from its torrent to the incoming folder, one at a time.

Each file is fetched in a folder of its own, under a name of ours, by a client that knows of this
file alone and forgets it when it is there. So nobody looks for files that were deleted on purpose,
no other file is checked again, and what is done stands in the ledger and nowhere else.
"""

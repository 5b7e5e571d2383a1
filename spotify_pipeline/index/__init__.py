"""The feature index: features of onset trains, posting lists, search for candidates."""

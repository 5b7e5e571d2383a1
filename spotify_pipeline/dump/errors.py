"""Errors of the dump room that several of its modules raise.

Belongs here: what would else tie two modules together. Does not belong here: errors of one module.
"""

__all__ = ["DocumentError"]


class DocumentError(ValueError):
    """A document that is not taken; the message is the reason."""

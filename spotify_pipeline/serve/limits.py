"""What a request may take of the machine.

Belongs here: the numbers. Does not belong here: what enforces them.
"""

import os
from dataclasses import dataclass, field

__all__ = ["Limits"]


@dataclass(frozen=True)
class Limits:
    """Bounds of what clients can use; set by hand unless said otherwise.

    Attributes
    ----------
    threads
        Identifications at a time: one a processor.
    waiting
        Pieces of work that wait for a thread, of all clients; further ones are refused.
    uploads
        Requests with a body at a time, until they are answered; further ones are refused. What is
        decoded of one takes 53 MB at the most.
    upload_bytes
        Of an audio file.
    all_upload_bytes
        Of all bodies together.
    document_bytes
        Of JSON; the longest real documents are under 1 MB.
    idle_seconds
        A client that sends nothing for so long while a body or audio is expected is given up.
    upload_rate
        Bytes a second of a body, in the mean; a client that is slower is given up, so that a byte
        now and then holds no place.
    decoders
        Processes that decode at a time.
    timelines
        Recordings and microphones of timelines at a time; further ones are refused.
    listeners
        Microphones of single tracks at a time; further ones are refused.
    decode_seconds
        For a recording that is identified, or for the next block of a timeline.
    decode_memory
        Bytes that a decoding process may take beyond what it has when it starts.
    recording_seconds
        Longest recording that is identified; a timeline may be longer.
    timeline_seconds
        Longest recording of a timeline.
    deadline
        Seconds that an identification may take at most, whatever a client asks for.
    """

    threads: int = field(default_factory=lambda: os.cpu_count() or 1)
    waiting: int = 64
    uploads: int = 32
    upload_bytes: int = 1 << 30
    all_upload_bytes: int = 1 << 32
    document_bytes: int = 1 << 22
    idle_seconds: float = 30.0
    upload_rate: float = 1_000.0
    decoders: int = 2
    timelines: int = 4
    listeners: int = 64
    decode_seconds: float = 30.0
    decode_memory: int = 1 << 30
    recording_seconds: float = 1200.0
    timeline_seconds: float = 12 * 3600.0
    deadline: float = 60.0

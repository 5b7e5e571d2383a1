"""The postings of a segment: one ascending sequence of numbers, readable from any key on.

A posting is the number ``key << bin_bits | time bin``. All of them, N, stand in ascending order, in
pages of `PAGE`; three sections of a segment::

    spans      uint64          the first number of every `SPAN`-th page, and the bound of all
    pages      (P+1) x uint64  of each page its first number and the word where it begins; the bound
               twice           of all and the end
    postings   uint64 words    each page, from a whole word on: its numbers less its first one,
                               below the first of the next page, less its own, plus 1 (`elias_fano`)

P is N / `PAGE`, rounded up; the last page has what is left. So a page takes as many bits as its
numbers are apart, however often a key comes, and a range of keys is a run of pages, which is found
by halving: among the spans, which take six bytes for a thousand postings and so stay in memory, and
among the pages of one, which lie together on the disk.

Belongs here: pages, written and read. Does not belong here: the other sections (`segment`).
"""

import numpy as np
from numba import njit

from spotify_pipeline.fingerprint.arrays import Int64s, UInt64s
from spotify_pipeline.index.format.elias_fano import list_bits, read_list, write_list
from spotify_pipeline.index.format.sealed_file import SealedFileWriter

__all__ = [
    "PAGE",
    "SPAN",
    "Pages",
    "PostingsWriter",
    "count_between",
    "directory_sizes",
    "page_of",
    "pages_of_ranges",
    "read_between",
    "read_page",
    "spans_of",
]

PAGE = 128
SPAN = 64

Pages = tuple[UInt64s, UInt64s, UInt64s, int]
"""What the kernels are given: spans, pages of shape (P + 1, 2), words, the number of postings."""


def directory_sizes(postings: int) -> dict[str, int]:
    """Give the bytes of the sections of so many postings, but for the last one, which grows."""
    pages = -(-postings // PAGE)
    return {"spans": 8 * (-(-pages // SPAN) + 1), "pages": 16 * (pages + 1), "postings": 0}


class PostingsWriter:
    """Writes numbers that come in ascending order, a part at a time.

    Parameters
    ----------
    file
        With the sections; `postings` is its last.
    """

    def __init__(self, file: SealedFileWriter) -> None:
        self._file = file
        self._left = np.empty(0, np.uint64)
        self._spans: list[UInt64s] = []
        self._pages = self._words = 0

    def add(self, numbers: UInt64s) -> None:
        """Write as many whole pages as there are; a number at least is kept for the next part."""
        lacking = -len(self._left) % PAGE
        begun = np.concatenate((self._left, numbers[:lacking]))
        rest = numbers[lacking:]
        if not len(rest):
            self._left = begun
            return
        self._write(begun, int(rest[0]))
        whole = (len(rest) - 1) // PAGE * PAGE
        self._write(rest[:whole], int(rest[whole]))
        self._left = rest[whole:].copy()  # so that the part need not be kept

    def close(self) -> None:
        """Write the rest."""
        bound = int(self._left[-1]) + 1 if len(self._left) else 0
        self._write(self._left, bound)
        end = np.array([bound, self._words], np.uint64)
        self._file.write("pages", 16 * self._pages, end)
        self._file.write("spans", 0, np.concatenate((*self._spans, end[:1])))

    def _write(self, numbers: UInt64s, bound: int) -> None:
        if not len(numbers):
            return
        starts = _starts(numbers, bound)
        words = np.zeros(int(starts[-1]), np.uint64)
        _write_pages(numbers, bound, starts, words)
        positions = (starts[:-1] + self._words).astype(np.uint64)
        pages = np.stack((numbers[::PAGE], positions), axis=1)
        self._file.write("pages", 16 * self._pages, pages)
        self._file.append(words)
        self._spans.append(pages[-self._pages % SPAN :: SPAN, 0])
        self._pages += len(pages)
        self._words += len(words)


@njit(cache=True, nogil=True)
def _reach(numbers: UInt64s, page: int, bound: int) -> int:
    """Give the bound of what a page holds."""
    end = (page + 1) * PAGE
    following = np.int64(numbers[end]) if end < len(numbers) else bound
    return int(following - np.int64(numbers[page * PAGE]) + 1)


@njit(cache=True, nogil=True)
def _starts(numbers: UInt64s, bound: int) -> Int64s:
    """Give the word at which each page begins, and the end."""
    pages = (len(numbers) + PAGE - 1) // PAGE
    starts = np.zeros(pages + 1, np.int64)
    for page in range(pages):
        count = min(PAGE, len(numbers) - page * PAGE)
        bits = list_bits(count, _reach(numbers, page, bound))
        starts[page + 1] = starts[page] + (bits + 63) // 64
    return starts


@njit(cache=True, nogil=True)
def _write_pages(numbers: UInt64s, bound: int, starts: Int64s, words: UInt64s) -> None:
    for page in range(len(starts) - 1):
        own = numbers[page * PAGE : (page + 1) * PAGE]
        write_list(words, 64 * starts[page], _reach(numbers, page, bound), np.int64(own[0]), own)


@njit(cache=True, nogil=True)
def _span_of(spans: UInt64s, number: int) -> int:
    """Find the span in which a number and those after it begin; 0 if it is below all."""
    low, high = 0, len(spans) - 1
    while low < high:
        middle = (low + high) // 2
        # equal numbers may begin in the span before
        if np.int64(spans[middle]) < number:
            low = middle + 1
        else:
            high = middle
    return max(low - 1, 0)


@njit(cache=True, nogil=True)
def page_of(spans: UInt64s, pages: UInt64s, number: int) -> int:
    """Find the page in which a number and those after it begin; 0 if it is below all."""
    low: int = _span_of(spans, number) * SPAN
    high = min(low + SPAN, len(pages) - 1)
    while low < high:
        middle = (low + high) // 2
        # equal numbers may begin on the page before
        if np.int64(pages[middle, 0]) < number:
            low = middle + 1
        else:
            high = middle
    return max(low - 1, 0)


@njit(cache=True, nogil=True)
def spans_of(spans: UInt64s, pages: UInt64s, leasts: Int64s, bounds: Int64s) -> Int64s:
    """Give the pages that have to be looked at for ranges of numbers: from some to before others.

    Of the pages themselves nothing is looked at. int64 of shape (2, n).
    """
    found = np.empty((2, len(leasts)), np.int64)
    for k in range(len(leasts)):
        found[0, k] = _span_of(spans, leasts[k]) * SPAN
        span: int = _span_of(spans, bounds[k])
        found[1, k] = min((span + 1) * SPAN + 1, len(pages))
    return found


@njit(cache=True, nogil=True)
def pages_of_ranges(spans: UInt64s, pages: UInt64s, leasts: Int64s, bounds: Int64s) -> Int64s:
    """Give the pages that ranges of numbers lie in: from some to before others.

    int64 of shape (2, n).
    """
    found = np.empty((2, len(leasts)), np.int64)
    for k in range(len(leasts)):
        first = page_of(spans, pages, leasts[k])
        last = first
        while last < len(pages) - 1 and np.int64(pages[last, 0]) < bounds[k]:
            last += 1
        found[0, k], found[1, k] = first, last
    return found


@njit(cache=True, nogil=True)
def read_page(pages: UInt64s, words: UInt64s, postings: int, page: int, out: UInt64s) -> int:
    """Read a page of so many postings in all; gives how many numbers it has."""
    count = min(PAGE, postings - page * PAGE)
    first = np.int64(pages[page, 0])
    bound = np.int64(pages[page + 1, 0]) - first + 1
    found: int = read_list(words, 64 * np.int64(pages[page, 1]), bound, first, count, out)
    return found


@njit(cache=True, nogil=True)
def read_between(
    spans: UInt64s,
    pages: UInt64s,
    words: UInt64s,
    postings: int,
    least: int,
    bound: int,
    out: UInt64s,
) -> int:
    """Read the numbers from a least one to below a bound; gives how many there are.

    `out` must hold a page more than there are.
    """
    numbers = np.empty(PAGE, np.uint64)
    count = 0
    for page in range(page_of(spans, pages, least), len(pages) - 1):
        if np.int64(pages[page, 0]) >= bound:
            break
        for k in range(read_page(pages, words, postings, page, numbers)):
            if least <= np.int64(numbers[k]) < bound:
                out[count] = numbers[k]
                count += 1
    return count


@njit(cache=True, nogil=True)
def count_between(spans: UInt64s, postings: int, least: int, bound: int) -> float:
    """Estimate how many numbers lie from a least one to below a bound, by the spans alone.

    Within a span, they are taken to lie evenly.
    """
    above: float = _rank(spans, postings, bound)
    below: float = _rank(spans, postings, least)
    return above - below


@njit(cache=True, nogil=True)
def _rank(spans: UInt64s, postings: int, number: int) -> float:
    """Estimate how many are below a number."""
    if len(spans) < 2 or number <= np.int64(spans[0]):
        return 0.0
    span: int = _span_of(spans, number)
    width = int(spans[span + 1]) - int(spans[span])
    within = float(number - int(spans[span])) / max(width, 1)
    before = span * SPAN * PAGE
    return before + min(SPAN * PAGE, postings - before) * min(within, 1.0)

"""The postings of a segment: one ascending sequence of numbers, readable from any key on.

A posting is the number ``key << bin_bits | time bin``. All of them, N, stand in ascending order, in
pages of `PAGE`; three sections of a segment::

    page_firsts  (P+1) x uint64  the first number of each page, and the bound of all
    page_words   (P+1) x uint64  the word where each page begins, and the end
    postings     uint64 words    each page, from a whole word on: its numbers less its first one,
                                 below the first of the next page, less its own, plus 1
                                 (`elias_fano`)

P is N / `PAGE`, rounded up; the last page has what is left. So a page takes as many bits as its
numbers are apart, however often a key comes, and a range of keys is a run of pages, which is found
by halving.

Belongs here: pages, written and read. Does not belong here: the other sections (`segment`).
"""

import numpy as np
from numba import njit

from spotify_pipeline.fingerprint.arrays import Int64s, UInt64s
from spotify_pipeline.index.format.elias_fano import list_bits, read_list, write_list
from spotify_pipeline.index.format.sealed_file import SealedFileWriter

__all__ = ["PAGE", "PostingsWriter", "count_between", "page_of", "pages_of", "read_between"]

PAGE = 128


def pages_of(postings: int) -> int:
    """Count the pages of so many postings."""
    return -(-postings // PAGE)


class PostingsWriter:
    """Writes numbers that come in ascending order, a part at a time.

    Parameters
    ----------
    file
        With the sections; `postings` is its last.
    bound
        Above all numbers.
    """

    def __init__(self, file: SealedFileWriter, bound: int) -> None:
        self._file = file
        self._bound = bound
        self._left = np.empty(0, np.uint64)
        self._pages = self._words = 0

    def add(self, numbers: UInt64s) -> None:
        """Write as many whole pages as there are; a number at least is kept for the next part."""
        self._left = np.concatenate((self._left, numbers))
        pages = max(len(self._left) - 1, 0) // PAGE
        self._write(self._left[: pages * PAGE], int(self._left[pages * PAGE]) if pages else 0)
        self._left = self._left[pages * PAGE :]

    def close(self) -> None:
        """Write the rest."""
        self._write(self._left, self._bound)
        for section, end in (("page_firsts", self._bound), ("page_words", self._words)):
            self._file.write(section, 8 * self._pages, np.array([end], np.uint64))

    def _write(self, numbers: UInt64s, bound: int) -> None:
        if not len(numbers):
            return
        starts = _starts(numbers, bound)
        words = np.zeros(int(starts[-1]), np.uint64)
        _write_pages(numbers, bound, starts, words)
        positions = (starts[:-1] + self._words).astype(np.uint64)
        self._file.write("page_firsts", 8 * self._pages, np.ascontiguousarray(numbers[::PAGE]))
        self._file.write("page_words", 8 * self._pages, positions)
        self._file.append(words)
        self._pages += len(positions)
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
def page_of(firsts: UInt64s, number: int) -> int:
    """Find the page in which a number and those after it begin; 0 if it is below all."""
    low, high = 0, len(firsts) - 1
    while low < high:
        middle = (low + high) // 2
        # equal numbers may begin on the page before
        if np.int64(firsts[middle]) < number:
            low = middle + 1
        else:
            high = middle
    return max(low - 1, 0)


@njit(cache=True, nogil=True)
def read_page(
    firsts: UInt64s, starts: UInt64s, words: UInt64s, postings: int, page: int, out: UInt64s
) -> int:
    """Read a page of so many postings in all; gives how many numbers it has."""
    count = min(PAGE, postings - page * PAGE)
    first = np.int64(firsts[page])
    bound = np.int64(firsts[page + 1]) - first + 1
    found: int = read_list(words, 64 * np.int64(starts[page]), bound, first, count, out)
    return found


@njit(cache=True, nogil=True)
def read_between(
    firsts: UInt64s,
    starts: UInt64s,
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
    for page in range(page_of(firsts, least), len(firsts) - 1):
        if np.int64(firsts[page]) >= bound:
            break
        for k in range(read_page(firsts, starts, words, postings, page, numbers)):
            if least <= np.int64(numbers[k]) < bound:
                out[count] = numbers[k]
                count += 1
    return count


@njit(cache=True, nogil=True)
def count_between(firsts: UInt64s, postings: int, least: int, bound: int) -> float:
    """Estimate how many numbers lie from a least one to below a bound, by the first ones of pages.

    Within a page, they are taken to lie evenly.
    """
    above: float = _rank(firsts, postings, bound)
    below: float = _rank(firsts, postings, least)
    return above - below


@njit(cache=True, nogil=True)
def _rank(firsts: UInt64s, postings: int, number: int) -> float:
    """Estimate how many are below a number."""
    if len(firsts) < 2 or number <= np.int64(firsts[0]):
        return 0.0
    page: int = page_of(firsts, number)
    width = int(firsts[page + 1]) - int(firsts[page])
    within = float(number - int(firsts[page])) / max(width, 1)
    count = min(PAGE, postings - page * PAGE)
    return page * PAGE + count * min(within, 1.0)

"""Words that differ by one letter: missing, too much, another, or swapped with the next.

Written out and looked up one by one, they cost a hundredth of what the engine's own search for
similar words does, which walks through all words of the catalogue.

Belongs here: making them. Does not belong here: which of them the catalogue knows (`text_search`).
"""

__all__ = ["one_letter_off"]


def _letters(first: str, last: str) -> str:
    return "".join(chr(code) for code in range(ord(first), ord(last) + 1))


ALPHABETS = (
    _letters("a", "z") + _letters("0", "9"),
    _letters("α", "ω"),
    _letters("а", "я") + "єіїјљњћџ",
    _letters("א", "ת"),
    _letters("ء", "ي"),
    _letters("\u0901", "\u0963"),  # Devanagari
)
"""Letters that are tried in place of others, in folded words."""


def one_letter_off(word: str) -> set[str]:
    """Give all words of the same alphabets at a distance of one letter, but not the word itself.

    >>> "beautiful" in one_letter_off("beautful") and "rso" in one_letter_off("ros")
    True
    """
    letters = "".join(a for a in ALPHABETS if not set(a).isdisjoint(word))
    found: set[str] = set()
    for position in range(len(word) + 1):
        head, tail = word[:position], word[position:]
        found.update(head + letter + tail for letter in letters)
        if tail:
            found.add(head + tail[1:])
            found.update(head + letter + tail[1:] for letter in letters)
        if len(tail) > 1:
            found.add(head + tail[1] + tail[0] + tail[2:])
    return found - {word, ""}

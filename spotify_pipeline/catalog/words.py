"""Texts to words that are compared: case and accents folded, in any script.

Belongs here: what counts as the same word, for the text index and for its queries alike. Does not
belong here: which words a track is found by (`text_terms`).

A word is a run of letters, digits and vowel signs between spaces. Scripts without spaces (Chinese,
Japanese, Thai, ...) are cut into overlapping pairs of characters, so that whatever part of a text
is asked for is found; a query of one character meets single ones. Words with a symbol inside are
words in parts and joined, so that ``AC/DC`` is found as ``ac dc`` and ``acdc``; a word of nothing
but symbols, as ``!!!``, stands for itself.
"""

import re
import unicodedata

__all__ = ["index_words", "is_of_symbols", "is_unspaced", "query_words"]

_UNSPACED_RANGES = (
    "\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f"  # Burmese
    "\u1780-\u17ff"  # Khmer
    "\u3005-\u3007\u3041-\u30ff\u31f0-\u31ff"  # Japanese
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Chinese characters
)
_UNSPACED = re.compile(f"[{_UNSPACED_RANGES}]+")
_APOSTROPHES = "'’‘ʼʻ`´′"
_KEPT_MARKS = re.compile("[\u0900-\u109f\u1780-\u17ff\u3099\u309a]")
"""Vowel signs of Indic and South-East Asian scripts, which tell words apart; voiced kana."""

_SPELLED_OUT = {
    "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ħ": "h", "ŧ": "t",
    "ı": "i", "ŋ": "n", "ĸ": "k", "ə": "e", "ß": "ss", "ς": "σ", "ـ": "",
    "ى": "ي", "ة": "ه", "أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا",
}  # fmt: skip


class _Folding(dict[int, str]):
    """What becomes of each character after compatibility decomposition; filled as they come."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        category = unicodedata.category(character)
        is_accent = category in ("Mn", "Me") and not _KEPT_MARKS.match(character)
        if is_accent or character in _APOSTROPHES:
            folded = ""
        elif category in ("Cc", "Cf", "Zs", "Zl", "Zp", "Cs", "Co", "Cn"):
            folded = "" if category == "Cf" else " "
        else:
            folded = _SPELLED_OUT.get(character, character)
        self[code] = folded
        return folded


_FOLDING = _Folding()
_PIECES = re.compile(r"(?:[^\W_]|[\u0900-\u109f\u1780-\u17ff\u0e00-\u0eff\u3099\u309a])+")


def _fold(text: str) -> str:
    """Fold case, accents and compatible forms; spaces and symbols stay."""
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    return unicodedata.normalize("NFC", decomposed.translate(_FOLDING))


def index_words(text: str) -> tuple[list[str], list[str]]:
    """Give the words by which a text is found, and those of a query for it; each once.

    >>> index_words("AC/DC")
    (['ac', 'dc', 'acdc'], ['ac', 'dc'])
    >>> index_words("夜想曲")
    (['夜想', '想曲', '夜', '想', '曲'], ['夜想', '想曲'])
    """
    folded = text.lower() if text.isascii() and text.isprintable() else _fold(text)
    joined = folded.replace(" ", "")
    if joined.isalnum() and (joined.isascii() or not _UNSPACED.search(joined)):
        found = list(dict.fromkeys(folded.split()))  # most are like this, and it is quick
        return found, found
    return _split(folded.replace("'", "").replace("`", ""))


def query_words(text: str) -> list[str]:
    """Give the words that a text must have to be found by a query, each once.

    >>> query_words("Sigur Rós")
    ['sigur', 'ros']
    >>> query_words("夜想曲")
    ['夜想', '想曲']
    """
    return index_words(text)[1]


def is_unspaced(word: str) -> bool:
    """Tell whether a word is of a script without spaces: a pair of characters, or one."""
    return _UNSPACED.match(word) is not None


def is_of_symbols(word: str) -> bool:
    """Tell whether a word has neither letters nor digits: it may count only if it stands alone."""
    return _PIECES.search(word) is None


def _split(folded: str) -> tuple[list[str], list[str]]:
    """Split a text that has symbols, or is of a script without spaces."""
    found: list[str] = []
    asked: list[str] = []
    symbols: list[str] = []
    for word in folded.split():
        pieces = _PIECES.findall(word)
        if not pieces:
            symbols.append(word)
        for piece in pieces:
            if piece.isascii() or not _UNSPACED.search(piece):
                found.append(piece)
                asked.append(piece)
            else:
                _cut(piece, found, asked)
        if len(pieces) > 1 and not _UNSPACED.search(word):
            found.append("".join(pieces))
    # one symbol alone, as the dash before a remix's name, says nothing unless it is all there is
    symbols = [word for word in symbols if not found or len(word) > 1]
    return list(dict.fromkeys(found + symbols)), list(dict.fromkeys(asked + symbols))


def _cut(piece: str, found: list[str], asked: list[str]) -> None:
    """Cut what is of a script without spaces into pairs of characters."""
    end = 0
    for run in _UNSPACED.finditer(piece):
        before = [piece[end : run.start()]] if run.start() > end else []
        text, end = run.group(), run.end()
        pairs = [text[k : k + 2] for k in range(len(text) - 1)]
        found += [*before, *pairs, *text]
        asked += [*before, *(pairs or text)]
    if end < len(piece):
        found.append(piece[end:])
        asked.append(piece[end:])

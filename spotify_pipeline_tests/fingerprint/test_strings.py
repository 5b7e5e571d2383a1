"""The two string formats, read and written; and everything that is almost of the format.

Whatever a document holds in place of a string, reading it gives its content or a StringError.
"""

import base64
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spotify_pipeline.fingerprint import (
    FRAMES_PER_SECOND,
    EchoprintCodes,
    OnsetTrains,
    StringError,
    decode_echoprint,
    decode_rhythm,
    encode_echoprint,
    encode_rhythm,
)
from spotify_pipeline.fingerprint.strings import INFLATED_LIMIT
from spotify_pipeline_tests.documents import rhythm_trains
from spotify_pipeline_tests.onset_trains import onset_trains
from spotify_pipeline_tests.real_strings import real_echoprint_strings, real_rhythm_strings

HEADER = "11025 32 8"
CODES = EchoprintCodes(np.arange(500, dtype=np.uint32), np.arange(500, dtype=np.uint32) * 2003)
ECHOPRINT_STRING = encode_echoprint(CODES)
RHYTHM_STRING = encode_rhythm(rhythm_trains("a track"))

both_strings = pytest.mark.parametrize("string", [ECHOPRINT_STRING, RHYTHM_STRING])


def pack(content: str | bytes) -> str:
    """Deflate and encode content apart from the code under test."""
    raw = content.encode() if isinstance(content, str) else content
    return base64.urlsafe_b64encode(zlib.compress(raw)).decode()


def unpack(string: str) -> str:
    return zlib.decompress(base64.urlsafe_b64decode(string)).decode()


def assert_refused(string: str) -> None:
    """Check that neither format takes a string."""
    for decode in (decode_echoprint, decode_rhythm):
        with pytest.raises(StringError):
            decode(string)


def test_real_echoprint_strings_come_back_from_their_codes() -> None:
    for name, string in real_echoprint_strings().items():
        codes = decode_echoprint(string)
        assert len(codes) > 1000, name
        written = encode_echoprint(codes)
        assert unpack(written) == unpack(string), name
        assert decode_echoprint(written) == codes, name


def test_real_rhythm_strings_come_back_from_their_trains() -> None:
    for name, string in real_rhythm_strings().items():
        trains = decode_rhythm(string)
        assert (trains.counts > 100).all(), name
        assert unpack(encode_rhythm(trains)) == unpack(string), name
        assert decode_rhythm(encode_rhythm(trains)) == trains, name


def test_an_echoprintstring_holds_all_times_then_all_codes_in_hex() -> None:
    codes = EchoprintCodes(np.array([1, 0xABCDE], np.uint32), np.array([0xFFFFF, 2], np.uint32))
    assert unpack(encode_echoprint(codes)) == "00001abcdefffff00002"
    assert decode_echoprint(pack("00001abcdefffff00002")) == codes


def test_a_rhythmstring_holds_counts_first_frames_and_gaps() -> None:
    trains = OnsetTrains.from_bands([[0, 41, 100], [], [7], [], [], [], [], [5, 6]])
    text = f"{HEADER} 3 0 41 59 0 1 7 0 0 0 0 2 5 1"
    assert unpack(encode_rhythm(trains)) == text
    assert decode_rhythm(pack(text)) == trains


def test_the_empty_string_is_an_empty_fingerprint() -> None:
    assert len(decode_echoprint("")) == len(decode_rhythm("")) == 0
    assert encode_echoprint(decode_echoprint("")) == encode_rhythm(decode_rhythm("")) == ""


def test_a_rhythmstring_without_onsets_is_read() -> None:
    assert decode_rhythm(pack(f"{HEADER} 0 0 0 0 0 0 0 0")).counts.tolist() == [0] * 8


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(*[st.integers(0, 2**20 - 1)] * 2), max_size=200))
def test_codes_come_back_from_their_string(pairs: list[tuple[int, int]]) -> None:
    times, values = np.array(pairs, np.uint32).reshape(-1, 2).T
    codes = EchoprintCodes(times, values)
    assert decode_echoprint(encode_echoprint(codes)) == codes


@settings(deadline=None, max_examples=100)
@given(onset_trains(longest_gap=3_000_000))
def test_trains_come_back_from_their_string(trains: OnsetTrains) -> None:
    assert decode_rhythm(encode_rhythm(trains)) == trains


@pytest.mark.parametrize(("time", "code"), [(2**20, 0), (0, 2**20), (2**32 - 1, 0)])
def test_a_number_of_more_than_five_hex_digits_is_not_written(time: int, code: int) -> None:
    with pytest.raises(StringError, match="five hex digits"):
        encode_echoprint(EchoprintCodes(np.array([time], np.uint32), np.array([code], np.uint32)))


@both_strings
def test_a_string_cut_off_anywhere_is_refused(string: str) -> None:
    for length in range(1, len(string), max(len(string) // 200, 1)):
        assert_refused(string[:length])
    assert_refused(string[:-1])


@both_strings
def test_a_stream_cut_off_behind_sound_base64_is_refused(string: str) -> None:
    packed = base64.urlsafe_b64decode(string)
    for length in (1, 2, 10, len(packed) // 2, len(packed) - 5, len(packed) - 1):
        assert_refused(base64.urlsafe_b64encode(packed[:length]).decode())


@both_strings
@pytest.mark.parametrize("trailing", ["A", "AAAA", "=AAA", "\n", " ", "\0", "é"])
def test_characters_after_the_string_are_refused(string: str, trailing: str) -> None:
    assert_refused(string + trailing)


@both_strings
def test_bytes_after_the_stream_are_refused(string: str) -> None:
    packed = base64.urlsafe_b64decode(string)
    assert_refused(base64.urlsafe_b64encode(packed + b"x").decode())
    assert_refused(base64.urlsafe_b64encode(packed + packed).decode())


@both_strings
@pytest.mark.parametrize("character", ["!", " ", "\n", "=", "é", "\udcff", "\0", "😀", "+", "/"])
def test_a_character_outside_the_alphabet_is_refused(string: str, character: str) -> None:
    middle = len(string) // 2
    assert_refused(string[:middle] + character + string[middle + 1 :])


@both_strings
def test_the_standard_alphabet_is_refused(string: str) -> None:
    standard = string.replace("-", "+").replace("_", "/")
    assert standard != string, "the example must hold a character in which the alphabets differ"
    with pytest.raises(StringError, match="not base64"):
        (decode_echoprint if string is ECHOPRINT_STRING else decode_rhythm)(standard)


@both_strings
def test_upper_case_base64_is_refused(string: str) -> None:
    assert_refused(string.upper())


@both_strings
def test_a_flipped_bit_is_refused(string: str) -> None:
    packed = bytearray(base64.urlsafe_b64decode(string))
    packed[len(packed) // 2] ^= 8
    assert_refused(base64.urlsafe_b64encode(packed).decode())


@pytest.mark.parametrize(
    "content",
    [
        "0",
        "00000",
        "0" * 15,
        "0" * 19,
        "0000100ABC",
        "0000g00000",
        "00001 0000",
        "-000100001",
        "00001\n0000",
        "é00000000",
        b"\xff" * 10,
        b"\0" * 10,
    ],
)
def test_content_that_is_no_pairs_of_five_hex_digits_is_refused(content: str | bytes) -> None:
    with pytest.raises(StringError):
        decode_echoprint(pack(content))


ZEROS = " 0 0 0 0 0 0 0"
"""Seven bands without onsets."""


@pytest.mark.parametrize(
    "content",
    [
        "11025",
        "11025 32",
        HEADER,
        f"22050 32 8 0{ZEROS}",
        f"11025 64 8 0{ZEROS}",
        "11025 32 7 0 0 0 0 0 0 0",
        f"{HEADER}{ZEROS}",
        f"{HEADER} 0 0{ZEROS}",
        f"{HEADER} 2 7 41 0{ZEROS}",
        f"{HEADER} 5 7 41 0{ZEROS[:-8]}",
        f"{HEADER} 3 7 41{ZEROS}",
        f"{HEADER} {2**62}{ZEROS}",
        f"{HEADER} 2 7 0{ZEROS}",
        f"{HEADER} 1 {2**31}{ZEROS}",
        f"{HEADER} 2 {2**30} {2**30}{ZEROS}",
        f"{HEADER} 2 {2**63 - 1} {2**63 - 1}{ZEROS}",
        f"{HEADER} 4 {2**62} {2**62} {2**62} {2**62}{ZEROS}",
        f"{HEADER} 1 {2**63}{ZEROS}",
        f"{HEADER} 1 {10**30}{ZEROS}",
        f"{HEADER} 1 {'9' * 5000}{ZEROS}",
        f"{HEADER} -1{ZEROS}",
        f"{HEADER} 1 -5{ZEROS}",
        f"{HEADER} 1 +5{ZEROS}",
        f"{HEADER} 1 5.0{ZEROS}",
        f"{HEADER} 1 5e0{ZEROS}",
        f"{HEADER} 1 0x5{ZEROS}",
        f"{HEADER} 1 1_0{ZEROS}",
        f"{HEADER} 1 ５{ZEROS}",
        f"{HEADER}\n0{ZEROS}",
        f"{HEADER},0{ZEROS}",
        b"\xff\xfe",
    ],
)
def test_content_that_is_no_eight_bands_of_ascending_onsets_is_refused(
    content: str | bytes,
) -> None:
    with pytest.raises(StringError):
        decode_rhythm(pack(content))


def test_onsets_of_a_whole_day_are_read_and_later_ones_refused() -> None:
    day = round(24 * 3600 * FRAMES_PER_SECOND)
    trains = decode_rhythm(pack(f"{HEADER} 2 {day - 1} 1{ZEROS}"))
    assert trains.band(0).tolist() == [day - 1, day]
    with pytest.raises(StringError, match="band 0 has onsets out of order or out of range"):
        decode_rhythm(pack(f"{HEADER} 2 {day} {day}{ZEROS}"))


@pytest.mark.parametrize("size", [INFLATED_LIMIT + 1, 2**28])
def test_a_bomb_is_refused_before_it_fills_memory(size: int) -> None:
    bomb = pack(bytes(size))
    tracemalloc.start()
    for decode in (decode_echoprint, decode_rhythm):
        with pytest.raises(StringError, match="inflates to more than"):
            decode(bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * INFLATED_LIMIT


def assert_read_or_refused(string: str) -> None:
    for decode in (decode_echoprint, decode_rhythm):
        try:
            decode(string)
        except StringError:
            continue


@settings(deadline=None, max_examples=200)
@given(st.text(st.characters(), min_size=1))
def test_arbitrary_text_is_read_or_refused(text: str) -> None:
    assert_read_or_refused(text)


@settings(deadline=None, max_examples=200)
@given(st.binary())
def test_arbitrary_bytes_behind_base64_are_read_or_refused(content: bytes) -> None:
    assert_read_or_refused(base64.urlsafe_b64encode(content).decode())


@settings(deadline=None, max_examples=200)
@given(
    st.one_of(
        st.binary(),
        st.text("0123456789abcdefABCDEF \n-").map(str.encode),
        st.lists(st.integers(-5, 2**65) | st.integers(0, 3)).map(
            lambda numbers: " ".join(map(str, [11025, 32, 8, *numbers])).encode()
        ),
    )
)
def test_arbitrary_content_of_a_sound_stream_is_read_or_refused(content: bytes) -> None:
    assert_read_or_refused(pack(content))


@settings(deadline=None, max_examples=200)
@given(position=st.integers(0, 10_000), character=st.characters(max_codepoint=0x2FF))
def test_a_string_with_one_character_changed_is_read_or_refused(
    position: int, character: str
) -> None:
    for string in (ECHOPRINT_STRING, RHYTHM_STRING):
        where = position % len(string)
        assert_read_or_refused(string[:where] + character + string[where + 1 :])

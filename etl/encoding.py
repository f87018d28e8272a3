"""Which encoding a text file is in, with the evidence, so that a guess is never silent."""

import codecs
from typing import NamedTuple

BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
SAMPLE_BYTE = 4096


class Encoding(NamedTuple):
    """A Python codec name and the sentence that says why it was chosen."""

    name: str
    evidence: str


def detect_encoding(content: bytes) -> Encoding | None:
    """The encoding of a whole text file, or None when the bytes are not text.

    Order: byte order mark; zeros at every second byte (UTF-16 without mark); valid UTF-8; then
    Windows-1252, which has no proof of its own and is therefore reported by the reader.
    """
    for mark, name in BOMS:
        if content.startswith(mark):
            return Encoding(name, f"byte order mark {mark.hex(' ').upper()}")
    sample = content[:SAMPLE_BYTE]
    utf16 = _utf16_by_zeros(sample)
    if utf16:
        return utf16
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        found = _single_byte(content, error.start)
    else:
        found = Encoding("utf-8", "every byte sequence is valid UTF-8")
    return found if _looks_like_text(sample) else None


def _single_byte(content: bytes, position: int) -> Encoding:
    try:
        content.decode("cp1252")
    except UnicodeDecodeError:
        return Encoding("latin-1", f"byte {position} is valid in neither UTF-8 nor cp1252")
    return Encoding("cp1252", f"byte {position} is not valid UTF-8, every byte is valid cp1252")


def _utf16_by_zeros(sample: bytes) -> Encoding | None:
    pairs = len(sample) // 2
    if pairs < 4:
        return None
    even = sample[0 : 2 * pairs : 2].count(0) / pairs
    odd = sample[1 : 2 * pairs : 2].count(0) / pairs
    if odd > 0.8 and even < 0.1:
        return Encoding("utf-16-le", "zero at every second byte, no byte order mark")
    if even > 0.8 and odd < 0.1:
        return Encoding("utf-16-be", "zero at every first byte of a pair, no byte order mark")
    return None


def _looks_like_text(sample: bytes) -> bool:
    """Control bytes other than tab, line ends, form feed and ESC are rare in text (NUL is met)."""
    control = sum(byte < 32 and byte not in b"\t\n\r\x0b\x0c\x1b" for byte in sample)
    return control <= max(2, len(sample) // 50)

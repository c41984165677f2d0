"""What an encoder is given to read: bounded, and free of what it cannot take. Used by the encoders here."""

from __future__ import annotations

from unicodedata import east_asian_width, normalize


def readable(text: str, limit: int) -> str:
    """The beginning of a text, at most `limit` letters long, of which a Chinese or Korean one counts twice.

    In NFKC, always valid UTF-8, without NUL.
    """
    plain = normalize("NFKC", text[:limit]).replace("\0", " ").encode("utf-8", "replace").decode()
    return plain if 2 * len(plain) <= limit else plain[: _fitting(plain, limit)]


def _fitting(text: str, limit: int) -> int:
    used = 0
    for place, letter in enumerate(text):
        used += 2 if east_asian_width(letter) in "FW" else 1
        if used > limit:
            return place
    return len(text)

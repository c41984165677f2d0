"""What an encoder is given to read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.encoders.texts import readable


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("How do I?", "How do I?"),
        ("a\0b", "a b"),
        ("\ud800!", "?!"),
        ("ＶＰＮ", "VPN"),
        ("密" * 20, "密" * 5),
        ("비밀번호를 잊어버렸어요", "비밀번호를"),
        ("x" * 20, "x" * 10),
        ("", ""),
    ],
)
def test_bounded_and_plain(text: str, read: str) -> None:
    """Wide letters count twice: they are one token or two, five Latin ones are one."""
    assert readable(text, 10).strip() == read


@given(st.text(alphabet=st.characters() | st.sampled_from("\0\ufdfa\ud800密"), max_size=300), st.integers(1, 100))
def test_always_short_valid_utf_8_without_nul(text: str, limit: int) -> None:
    """A C engine takes it as it is; U+FDFA alone becomes 18 letters."""
    read = readable(text, limit)
    assert len(read) <= limit
    assert b"\0" not in read.encode()
    assert "\ufdfa" not in read

"""Text as pieces of words: by hand, and against trying every way to cut."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from adapters.encoders.unigram import UNKNOWN_PENALTY, Unigram

BEGIN, END, UNKNOWN = 0, 1, 2
PIECES = {
    "<s>": 0.0,
    "</s>": 0.0,
    "<unk>": 0.0,
    "▁": -3.0,
    "a": -2.0,
    "b": -2.5,
    "ab": -4.0,
    "▁a": -1.5,
    "▁ab": -6.0,
    "bab": -3.0,
}
PLACE = {piece: place for place, piece in enumerate(PIECES)}


def unigram() -> Unigram:
    return Unigram(
        list(PIECES), list(PIECES.values()), normal={ord("Ａ"): "a", 0x200B: ""}, begin=BEGIN, end=END, unknown=UNKNOWN
    )


def pieces(text: str) -> list[str]:
    """As `Unigram.ids` cuts them, without what stands for beginning and end."""
    begin, *places, end = unigram().ids(text)
    assert (begin, end) == (BEGIN, END)
    return [list(PIECES)[place] for place in places]


def likeliest(letters: str) -> float:
    """The score of the best of all ways to cut, each tried."""
    if not letters:
        return 0.0
    ways = [PIECES[letters[:size]] + likeliest(letters[size:]) for size in range(1, 4) if letters[:size] in PIECES]
    return max([*ways, min(PIECES.values()) - UNKNOWN_PENALTY + likeliest(letters[1:])])


def score(found: list[str]) -> float:
    return sum(PIECES[piece] if piece != "<unk>" else min(PIECES.values()) - UNKNOWN_PENALTY for piece in found)


def test_the_likeliest_cut_is_taken() -> None:
    """▁a (-1.5) and bab (-3) beat ▁ab (-6), a (-2) and b (-2.5)."""
    assert pieces("abab") == ["▁a", "bab"]


def test_a_text_begins_with_a_blank_and_has_single_ones() -> None:
    """Whether somebody typed one or not."""
    assert pieces("a  a") == pieces(" a a") == ["▁a", "▁a"]


def test_letters_are_read_in_their_normal_form() -> None:
    """A wide one as its narrow one, an invisible one as nothing."""
    assert pieces("Ａ\u200b") == ["▁a"]


def test_a_letter_in_no_piece_is_unknown() -> None:
    """Its neighbours are cut as ever."""
    assert pieces("a密b") == ["▁a", "<unk>", "b"]


def test_names_of_signs_are_not_read_as_signs() -> None:
    """Who writes <unk> meant its letters."""
    assert PLACE["<unk>"] in unigram().ids("<unk>")
    assert len(pieces("<unk>")) == 6


def test_nothing_is_a_blank() -> None:
    """As SentencePiece has it: every text begins with one."""
    assert pieces("") == ["▁"]


@given(st.text("ab x", max_size=9))
def test_no_other_cut_is_likelier(text: str) -> None:
    """Of all that there are."""
    letters = "".join(pieces(text)).replace("<unk>", "x")
    assert abs(score(pieces(text)) - likeliest(letters)) < 1e-9

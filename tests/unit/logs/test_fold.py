"""Output as text: what carriage returns leave over, odd bytes, and that chunks come to the same as the whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.logs.fold import fold, plain, readable

TEXT = st.text(alphabet="ab\r\n", max_size=40)


def shown(text: str) -> str:
    """As a reader shows a whole stream: a return at its beginning overwrites nothing."""
    return fold(text).removeprefix("\r")


@pytest.mark.parametrize(
    ("printed", "seen"),
    [
        ("no returns\nat all", "no returns\nat all"),
        (" 10%\r 55%\r100%\ndone\n", "100%\ndone\n"),
        ("dos\r\nlines\r\n", "dos\nlines\n"),
        ("mac\r\r\n", "mac\n"),
        ("a\n 1\r 2\r 3", "a\n 3"),
        ("a\nworking\r", "a\nworking\r"),
    ],
)
def test_the_last_state_of_a_line_is_seen(printed: str, seen: str) -> None:
    assert shown(printed) == seen


@given(st.lists(TEXT, max_size=6))
def test_folding_chunks_and_then_all_is_folding_all(chunks: list[str]) -> None:
    so_far = ""
    for chunk in chunks:
        so_far = fold(so_far + fold(chunk))
    assert so_far == fold("".join(chunks))


@given(TEXT)
def test_folded_text_holds_a_return_at_its_ends_alone(text: str) -> None:
    assert "\r" not in fold(text)[1:-1]
    assert fold(text).count("\n") == text.count("\n")


@given(st.binary(max_size=30), st.integers(0, 30))
def test_bytes_become_text_wherever_they_are_cut(data: bytes, at: int) -> None:
    first, used = readable(data[:at], last=False)
    rest, _ = readable(data[used:], last=True)
    assert first + rest == data.decode(errors="replace").replace("\0", "\u2400")


def test_codes_for_terminals_can_be_taken_out() -> None:
    assert plain("\x1b[1;31mred\x1b[0m \x1b]0;title\x07text\x1b[2K") == "red text"

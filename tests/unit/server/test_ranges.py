"""Ranges never point outside what they are part of."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pathlake.server.ranges import ByteRange, Validators, chosen_range

NUMBER = st.one_of(st.just(""), st.integers(0, 200).map(str))


@given(first=NUMBER, last=NUMBER, size=st.integers(0, 100))
def test_a_range_is_what_slicing_gives(first: str, last: str, size: int) -> None:
    data = bytes(index % 256 for index in range(size))
    found = chosen_range({"range": f"bytes={first}-{last}"}, size=size, validators=Validators('"e"'))
    if found is None:
        assert first == last == "" or (first and last and int(last) < int(first))
        return
    if first:
        expected = data[int(first) : int(last) + 1 if last else None]
    else:
        expected = data[max(0, size - int(last)) :]
    assert data[found.start : found.start + found.length] == expected
    assert found.is_satisfiable == bool(expected)


@given(text=st.text(max_size=30))
def test_any_text_is_understood_or_ignored(text: str) -> None:
    found = chosen_range({"range": text}, size=10, validators=Validators('"e"'))
    assert found is None or isinstance(found, ByteRange)

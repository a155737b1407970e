"""Source files keep encoding, line ends and byte order mark, and stale ones are refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation.codebase.sources import require_digest, source_of
from automation.errors import EditRefused, StaleSource


@pytest.mark.parametrize(
    "content",
    [
        b"x = 1\r\ny = 2\r\n",
        b"\xef\xbb\xbfx = 1\n",
        b"# -*- coding: latin-1 -*-\nname = '\xe9'\n",
        "name = 'é'\n".encode(),
        b"",
        b"x = 1",
    ],
)
def test_bytes_survive_reading(content: bytes) -> None:
    assert source_of("a.py", content).content == content


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_survives_reading(text: str) -> None:
    content = f"name = 1\n# {text}".encode()
    assert source_of("a.py", content).content == content


def test_newline_is_the_one_used_most() -> None:
    assert source_of("a.py", b"a = 1\r\nb = 2\r\nc = 3\n").newline == "\r\n"
    assert source_of("a.py", b"a = 1\nb = 2\nc = 3\r\n").newline == "\n"


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(EditRefused, match=r"bad\.py cannot be read"):
        source_of("bad.py", b"x = '\xff'\n")
    with pytest.raises(EditRefused, match="cannot be read"):
        source_of("bad.py", b"# coding: no-such-code\n")


def test_digest_of_another_content_is_stale() -> None:
    source = source_of("a.py", b"x = 1\n")
    require_digest(source, source.digest)
    require_digest(source, None)
    with pytest.raises(StaleSource, match="changed since"):
        require_digest(source, source_of("a.py", b"x = 2\n").digest)

"""Client order ids survive every exchange's form of them, and nobody else's id passes for ours."""

from __future__ import annotations

import re
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.brokers.codecs import (
    LARGEST_SEQUENCE,
    ClientIdCodec,
    client_id,
    codec_for,
    split_client_id,
)
from trading.errors import UsageError

SESSIONS = st.from_regex(r"[a-z0-9_-]{1,20}", fullmatch=True)
SHORT_SESSIONS = st.from_regex(r"[a-z0-9_-]{1,12}", fullmatch=True)
NUMBERS = st.integers(0, LARGEST_SEQUENCE)
FORMS = {
    "binance": re.compile(r"[.A-Z:/a-z0-9_-]{1,36}"),
    "coinbase": re.compile(r".{1,128}"),
    "bybit": re.compile(r"[A-Za-z0-9_-]{1,36}"),
    "kucoin": re.compile(r"[A-Za-z0-9_-]{1,40}"),
    "okx": re.compile(r"[A-Za-z0-9]{1,32}"),
    "kraken": re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"),
}


@pytest.mark.parametrize("exchange_id", [name for name in FORMS if name != "kraken"])
@given(session=SESSIONS, number=NUMBERS)
def test_an_id_is_read_back_and_fits_the_exchange(exchange_id: str, session: str, number: int) -> None:
    ours = client_id(session, number)
    theirs = codec_for(exchange_id).encode(ours)
    assert FORMS[exchange_id].fullmatch(theirs)
    assert codec_for(exchange_id).decode(theirs) == ours


@given(session=SHORT_SESSIONS, number=NUMBERS)
def test_a_uuid_is_read_back_and_is_one(session: str, number: int) -> None:
    ours = client_id(session, number)
    theirs = codec_for("kraken").encode(ours)
    assert FORMS["kraken"].fullmatch(theirs)
    assert UUID(theirs).version == 4
    assert codec_for("kraken").decode(theirs) == ours


@given(session=SESSIONS, number=NUMBERS)
def test_session_and_number_come_out_of_an_id(session: str, number: int) -> None:
    assert split_client_id(client_id(session, number)) == (session, number)


@given(first=st.tuples(SESSIONS, NUMBERS), second=st.tuples(SESSIONS, NUMBERS))
def test_two_orders_never_share_an_id(first: tuple[str, int], second: tuple[str, int]) -> None:
    for exchange_id in ("binance", "okx"):
        codec = codec_for(exchange_id)
        one, other = codec.encode(client_id(*first)), codec.encode(client_id(*second))
        assert (one == other) == (first == second)


@pytest.mark.parametrize("exchange_id", sorted(FORMS))
@given(text=st.one_of(st.text(max_size=40), st.from_regex(r"gb-?[a-z0-9-]{0,40}", fullmatch=True)))
def test_what_decodes_was_written_by_us(exchange_id: str, text: str) -> None:
    codec: ClientIdCodec = codec_for(exchange_id)
    ours = codec.decode(text)
    assert ours is None or codec.encode(ours) == text


def test_random_uuids_are_not_ours() -> None:
    codec = codec_for("kraken")
    assert all(codec.decode(str(uuid4())) is None for _ in range(20_000))


@pytest.mark.parametrize("exchange_id", sorted(FORMS))
@pytest.mark.parametrize("text", [None, "", "gb-", "gb--", "x-TKT5PX2F0123456789", "GB-day-1", "gb-day-01", "gb-day-"])
def test_foreign_ids_are_left_alone(exchange_id: str, text: str | None) -> None:
    assert codec_for(exchange_id).decode(text) is None


@pytest.mark.parametrize("session", ["", "Day", "a" * 21, "a b", "é", "a\n"])
def test_a_bad_session_name_is_refused(session: str) -> None:
    with pytest.raises(UsageError, match="is no session name"):
        client_id(session, 1)


@pytest.mark.parametrize("number", [-1, LARGEST_SEQUENCE + 1])
def test_a_bad_number_is_refused(number: int) -> None:
    with pytest.raises(UsageError, match="start a new session"):
        client_id("day", number)


def test_a_session_name_too_long_for_a_uuid_is_refused() -> None:
    with pytest.raises(UsageError, match="room for 12"):
        codec_for("kraken").encode(client_id("a-long-session", 1))


@pytest.mark.parametrize("exchange_id", sorted(FORMS))
def test_only_our_ids_are_encoded(exchange_id: str) -> None:
    with pytest.raises(UsageError, match="no client order id of this program"):
        codec_for(exchange_id).encode("something-else")

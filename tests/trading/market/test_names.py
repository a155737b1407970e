"""Symbols as people and files write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.errors import UsageError
from trading.market.names import folder_name, parse_symbol, symbol_from_name, symbol_of_folder


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("SOL-USDT-5m.parquet", "SOL/USDT"),
        ("ETHUSDT_5m", "ETH/USDT"),
        ("ETHUSDT_5m-sample.csv", "ETH/USDT"),
        ("XRP_ETH-5m-sample.feather", "XRP/ETH"),
        ("BTC-PERP-1m-2022-01.parquet", "BTC/PERP"),
        ("BTCUSDT-1h.csv.gz", "BTC/USDT"),
        ("BTCUSDT-1m-2024-01-05.csv", "BTC/USDT"),
        ("Binance_BTCUSDT_1h.csv", "BTC/USDT"),
        ("BTC_USDT_USDT-5m-futures.feather", "BTC/USDT"),
        ("1000SHIB-USDT.json", "1000SHIB/USDT"),
        ("ETHFDUSD-1m.csv", "ETH/FDUSD"),
        ("btcusdt_1h.csv", "BTC/USDT"),
        ("btc-usdt.csv", "BTC/USDT"),
        ("/some/ETH-USDT/BTC-EUR-1d.csv", "BTC/EUR"),
        ("BTC-USDT-1h_20240501T000000_20240601T000000.csv", "BTC/USDT"),
        ("candles.csv", None),
        ("my-eth-candles.csv", None),
        ("2024-05.parquet", None),
        ("5m.csv", None),
        ("USDT.csv", None),
        ("results-export.csv", None),
    ],
)
def test_symbol_of_a_file_name(name, symbol):
    assert symbol_from_name(name) == symbol


@pytest.mark.parametrize(
    ("text", "symbol"),
    [
        ("BTC/USDT", "BTC/USDT"),
        ("btc-usdt", "BTC/USDT"),
        ("eth_btc", "ETH/BTC"),
        ("solusdc", "SOL/USDC"),
        (" BTC/USDT:USDT ", "BTC/USDT:USDT"),
    ],
)
def test_symbol_as_a_person_writes_it(text, symbol):
    assert parse_symbol(text) == symbol


@pytest.mark.parametrize("text", ["", "BTC", "../USDT", "a/b/c", "BTC USDT", "USDT", "BTC/"])
def test_what_is_no_symbol_is_refused(text):
    with pytest.raises(UsageError, match="write BASE/QUOTE"):
        parse_symbol(text)


@given(
    base=st.from_regex(r"[A-Z0-9]{1,10}", fullmatch=True),
    quote=st.from_regex(r"[A-Z0-9]{1,10}", fullmatch=True),
    settle=st.sampled_from(["", ":USDT", ":BTC-240628", ":ETH-240628-4000-C"]),
)
def test_folder_of_a_symbol_leads_back_to_it(base, quote, settle):
    symbol = f"{base}/{quote}{settle}"
    folder = folder_name(symbol)
    assert symbol_of_folder(folder) == symbol
    assert not set(folder) & set('/\\:*?"<>|')


@given(text=st.text(max_size=12))
def test_no_text_at_all_makes_a_folder_outside(text):
    try:
        folder = folder_name(text)
    except UsageError:
        return
    assert folder not in {".", ".."}
    assert "/" not in folder
    assert "\\" not in folder

"""What there is to be named: sessions, runs, settings, models, exchanges, coins."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import automation.errors
import trading.errors
from automation.config import automation_setting_names
from trading.setting_sources import data_home
from trading.settings import setting_names

COINS = {
    # before bitcoin, which it begins with
    "bitcoin cash": "BCH",
    "bitcoin": "BTC", "bitcoins": "BTC", "btc": "BTC", "xbt": "BTC", "ethereum": "ETH", "ether": "ETH", "eth": "ETH",
    "solana": "SOL", "sol": "SOL", "dogecoin": "DOGE", "doge": "DOGE", "cardano": "ADA", "ada": "ADA", "ripple": "XRP",
    "xrp": "XRP", "litecoin": "LTC", "ltc": "LTC", "polkadot": "DOT", "bnb": "BNB", "avalanche": "AVAX", "avax": "AVAX",
    "binance coin": "BNB", "avalanche coin": "AVAX", "polygon": "MATIC", "shiba inu": "SHIB",
    "chainlink": "LINK", "tron": "TRX", "trx": "TRX", "matic": "MATIC", "monero": "XMR", "xmr": "XMR", "shiba": "SHIB",
    "shib": "SHIB", "stellar": "XLM", "xlm": "XLM", "uniswap": "UNI", "toncoin": "TON", "pepe": "PEPE", "aptos": "APT",
    "sui": "SUI", "arbitrum": "ARB", "filecoin": "FIL", "tezos": "XTZ", "algorand": "ALGO", "aave": "AAVE",
}  # fmt: skip
QUOTES = (
    "USDT", "USDC", "FDUSD", "BUSD", "TUSD", "DAI", "USD", "EUR", "GBP", "JPY", "AUD", "CAD", "CHF", "BTC", "ETH",
    "BNB",
)  # fmt: skip
EXCHANGES = {
    "binance": "binance", "kraken": "kraken", "coinbase": "coinbase", "bybit": "bybit", "okx": "okx", "okex": "okx",
    "kucoin": "kucoin", "bitfinex": "bitfinex", "bitstamp": "bitstamp", "gemini": "gemini", "htx": "htx",
    "huobi": "htx", "gateio": "gate", "mexc": "mexc", "bitget": "bitget", "binanceus": "binanceus",
    "bitmex": "bitmex", "deribit": "deribit", "poloniex": "poloniex", "bitvavo": "bitvavo", "upbit": "upbit",
}  # fmt: skip
USUAL_QUOTE = "USDT"


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A repair run on disk.

    Parameters
    ----------
    name : str
        Its id.
    status : str
        As the run's result says; ``running`` when it has none.
    """

    name: str
    status: str


class Names:
    """What a data home and the settings hold that a sentence may name.

    Parameters
    ----------
    home : Path, optional
        The data home; None takes the usual one.
    """

    def __init__(self, home: Path | None = None) -> None:
        self._home = data_home(home)
        self.settings = (*setting_names(), *automation_setting_names())
        self.errors = frozenset(
            name
            for module in (trading.errors, automation.errors)
            for name, kind in vars(module).items()
            if isinstance(kind, type) and issubclass(kind, Exception)
        )
        self.sections = frozenset(name.partition(".")[0] for name in self.settings if "." in name)

    @property
    def sessions(self) -> tuple[str, ...]:
        """The sessions' names."""
        # the catalog itself imports the trading core, for which a question should not wait
        return tuple(sorted(file.parent.name for file in (self._home / "sessions").glob("*/journal.sqlite")))

    @property
    def running_sessions(self) -> tuple[str, ...]:
        """The names of sessions that run."""
        from trading.sessions.catalog import SessionCatalog

        catalog = SessionCatalog(self._home)
        return tuple(name for name in self.sessions if catalog.is_running(name))

    @property
    def runs(self) -> tuple[StoredRun, ...]:
        """The repair runs, newest first."""
        found = []
        for file in (self._home / "runs").glob("*/run.json"):
            try:
                kept = json.loads(file.read_text(encoding="utf-8"))
                result = file.with_name("result.json")
                status = json.loads(result.read_text(encoding="utf-8"))["status"] if result.is_file() else "running"
                found.append((int(kept["started_ms"]), StoredRun(str(kept["run_id"]), str(status))))
            except (OSError, ValueError, KeyError, TypeError):
                # what cannot be read cannot be named; the command says what is wrong with it
                continue
        return tuple(run for _, run in sorted(found, key=lambda pair: (pair[0], pair[1].name), reverse=True))

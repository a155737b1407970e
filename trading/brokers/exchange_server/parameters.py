"""Parameters of a request as Binance reads them: missing, malformed and too precise ones are refused in its words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from trading.brokers.exchange_server.records import ExchangeRefusal

E = TypeVar("E", bound=StrEnum)

_DECIMAL = r"^([0-9]{1,20})(\.[0-9]{1,20})?$"
_SYMBOL = r"^[A-Z0-9-_.]{1,20}$"
_CLIENT_ID = r"^[a-zA-Z0-9-_]{1,36}$"
_INTEGER = r"^[0-9]{1,20}$"
_MOST_DECIMALS = 8


def missing(name: str) -> ExchangeRefusal:
    """Return the refusal of a request that lacks a parameter."""
    return ExchangeRefusal(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


class Parameters:
    """The parameters of one request.

    Parameters
    ----------
    values : mapping of str to str
        As sent.
    decimals : int
        Digits after the point that an amount may have.
    """

    def __init__(self, values: Mapping[str, str], decimals: int = _MOST_DECIMALS) -> None:
        self._values = values
        self._decimals = decimals

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def text(self, name: str) -> str | None:
        """Return a parameter as it is, None when it was not sent."""
        value = self._values.get(name)
        if value == "":
            raise ExchangeRefusal(-1105, f"Parameter '{name}' was empty.")
        return value

    def required(self, name: str) -> str:
        """Return a parameter that must be there."""
        value = self._values.get(name)
        if not value:
            raise missing(name)
        return value

    def symbol(self) -> str:
        """Return the id of the market."""
        return self._legal("symbol", self.required("symbol"), _SYMBOL)

    def client_id(self, name: str) -> str | None:
        """Return a client's id."""
        value = self.text(name)
        return None if value is None else self._legal(name, value, _CLIENT_ID)

    def integer(self, name: str, least: int = 0, most: int | None = None) -> int | None:
        """Return a whole number; too large ones count as the largest."""
        value = self.text(name)
        if value is None:
            return None
        number = int(self._legal(name, value, _INTEGER))
        if number < least:
            raise ExchangeRefusal(-1130, f"Data sent for parameter '{name}' is not valid.")
        return number if most is None else min(number, most)

    def amount(self, name: str) -> Decimal | None:
        """Return a positive amount of at most so many decimals as the exchange counts in."""
        value = self.text(name)
        if value is None:
            return None
        amount = Decimal(self._legal(name, value, _DECIMAL))
        if -int(amount.normalize().as_tuple().exponent) > self._decimals:
            raise ExchangeRefusal(-1111, f"Parameter '{name}' has too much precision.")
        if amount <= 0:
            raise ExchangeRefusal(-1013, f"Invalid {'price' if name == 'price' else 'quantity'}.")
        return amount

    def choice(self, name: str, kinds: type[E], code: int, text: str) -> E:
        """Return one of a few words, or refuse with a code and a text."""
        try:
            return kinds(self.required(name))
        except ValueError:
            raise ExchangeRefusal(code, text) from None

    @staticmethod
    def _legal(name: str, value: str, pattern: str) -> str:
        if re.fullmatch(pattern, value) is None:
            raise ExchangeRefusal(-1100, f"Illegal characters found in parameter '{name}'; legal range is '{pattern}'.")
        return value

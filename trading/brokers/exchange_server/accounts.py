"""Accounts of the built-in exchange: balances in whole units, what open orders hold, fees, deposits and withdrawals."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from trading.errors import StateCorrupt

PPM = 1_000_000


@dataclass(slots=True)
class Balance:
    """Units of one asset: free and held."""

    free: int = 0
    held: int = 0


@dataclass(slots=True)
class Account:
    """One customer.

    Parameters
    ----------
    name : str
        How the exchange calls it.
    api_key, secret : str
        What its requests are signed with.
    can_withdraw : bool
        What the exchange tells of the key's permissions; nothing here withdraws by the client's word.
    balances : dict of str to Balance
        By asset.
    """

    name: str
    api_key: str
    secret: str = field(repr=False)
    can_withdraw: bool = False
    can_trade: bool = True
    balances: dict[str, Balance] = field(default_factory=dict)

    def balance(self, asset: str) -> Balance:
        """Return the balance of an asset, a new one of nothing when there is none."""
        return self.balances.setdefault(asset, Balance())

    def hold(self, asset: str, units: int) -> None:
        """Lock units for an order; the caller has checked that they are free."""
        balance = self.balance(asset)
        balance.free -= units
        balance.held += units
        _require_sound(self.name, asset, balance)

    def release(self, asset: str, units: int) -> None:
        """Give locked units back."""
        self.hold(asset, -units)

    def pay(self, asset: str, units: int) -> None:
        """Take units out of what is held."""
        balance = self.balance(asset)
        balance.held -= units
        _require_sound(self.name, asset, balance)

    def receive(self, asset: str, units: int) -> None:
        """Add free units; negative ones are taken away."""
        balance = self.balance(asset)
        balance.free += units
        _require_sound(self.name, asset, balance)


def _require_sound(name: str, asset: str, balance: Balance) -> None:
    if balance.free < 0 or balance.held < 0:
        raise StateCorrupt(f"account {name} of the built-in exchange would have {balance} of {asset}; report it")


class Till:
    """All money of the exchange: who has what, in units of each asset, so that its sum can be checked.

    Parameters
    ----------
    decimals : dict of str to int
        Of each asset.
    """

    def __init__(self, decimals: dict[str, int]) -> None:
        self.decimals = dict(decimals)
        self.accounts: dict[str, Account] = {}
        self.flow: dict[str, int] = {}
        self.fees: dict[str, int] = {}
        self.deposited: dict[str, int] = {}

    def units(self, asset: str, amount: Decimal) -> int:
        """Return an amount in units, rounded down."""
        return int(amount.scaleb(self.decimals.setdefault(asset, 8)))

    def amount(self, asset: str, units: int) -> Decimal:
        """Return units as an amount."""
        return Decimal(units).scaleb(-self.decimals.setdefault(asset, 8))

    def add_fee(self, asset: str, units: int) -> None:
        """Book a fee that an account paid."""
        self.fees[asset] = self.fees.get(asset, 0) + units

    def add_flow(self, asset: str, units: int) -> None:
        """Book what the order flow won or lost against accounts; it has credit without limit."""
        self.flow[asset] = self.flow.get(asset, 0) + units

    def deposit(self, account: Account, asset: str, units: int) -> None:
        """Bring money in, or take it out."""
        account.receive(asset, units)
        self.deposited[asset] = self.deposited.get(asset, 0) + units

    def check(self) -> None:
        """Check that money neither appeared nor vanished.

        Raises
        ------
        StateCorrupt
            When the accounts, the flow and the fees do not add up to the deposits.
        """
        for asset in self.decimals:
            owned = sum(
                balance.free + balance.held
                for account in self.accounts.values()
                for name, balance in account.balances.items()
                if name == asset
            )
            there = owned + self.flow.get(asset, 0) + self.fees.get(asset, 0)
            if there != self.deposited.get(asset, 0):
                raise StateCorrupt(
                    f"the built-in exchange has {there} units of {asset} and was given "
                    f"{self.deposited.get(asset, 0)}; report it"
                )


def fee_units(units: int, fee_ppm: int) -> int:
    """Return the fee on received units, rounded down as a discount to the customer.

    Parameters
    ----------
    units : int
        What is received or paid.
    fee_ppm : int
        Parts per million.
    """
    return units * fee_ppm // PPM

"""What the key commands hand back; no result holds a key."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from trading.errors import ExitCode
from trading.exchange.keys import KeySource
from trading.exchange.permissions import KeyPermissions

_TOLD = {True: "yes", False: "no", None: "not told by the exchange"}


@dataclass(frozen=True, slots=True)
class KeysKept:
    """Keys that were set.

    Parameters
    ----------
    exchange : str
        ccxt's name of the exchange.
    source : KeySource
        Where they are kept now.
    masked, fingerprint : str
        What they may be recognised by.
    """

    exchange: str
    source: KeySource
    masked: str
    fingerprint: str
    exit_code: ExitCode = ExitCode.DONE

    def as_json(self) -> dict[str, object]:
        """Return the place and the key's fingerprint."""
        return {
            "exchange": self.exchange,
            "source": self.source.value,
            "api_key": self.masked,
            "fingerprint": self.fingerprint,
        }

    def as_text(self) -> RenderableType:
        """Return one sentence."""
        return Text(
            f"Keys of {self.exchange} ({self.masked}) are kept in the {self.source.place}; "
            f"`gridbot keys test {self.exchange}` tries them."
        )


@dataclass(frozen=True, slots=True)
class ListedKeys:
    """One set of keys; an exchange of None stands for any."""

    exchange: str | None
    source: KeySource
    masked: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class KeysList:
    """The keys on this machine; those of the environment come first, because they are taken first."""

    keys: tuple[ListedKeys, ...]
    exit_code: ExitCode = ExitCode.DONE

    def as_json(self) -> dict[str, object]:
        """Return one object for each set of keys."""
        return {
            "keys": [
                {
                    "exchange": one.exchange,
                    "source": one.source.value,
                    "api_key": one.masked,
                    "fingerprint": one.fingerprint,
                }
                for one in self.keys
            ]
        }

    def as_text(self) -> RenderableType:
        """Return a table, or a sentence when there are none."""
        if not self.keys:
            return Text("No keys are kept here; `gridbot keys set EXCHANGE` keeps some.")
        table = Table("exchange", "kept in", "API key", "fingerprint", box=None, pad_edge=False)
        for one in self.keys:
            table.add_row(one.exchange or "any", one.source.place, one.masked, one.fingerprint)
        return table


@dataclass(frozen=True, slots=True)
class KeysTested:
    """What an exchange says about keys.

    Parameters
    ----------
    exchange : str
        ccxt's name of the exchange.
    source : KeySource
        Where the keys were found.
    fingerprint : str
        Which keys.
    assets : tuple of str
        What the account has some of.
    permissions : KeyPermissions
        What the keys may do, as far as it is told.
    """

    exchange: str
    source: KeySource
    fingerprint: str
    assets: tuple[str, ...]
    permissions: KeyPermissions
    exit_code: ExitCode = ExitCode.DONE

    def as_json(self) -> dict[str, object]:
        """Return the permissions, null where unknown, and the assets' names."""
        return {
            "exchange": self.exchange,
            "source": self.source.value,
            "fingerprint": self.fingerprint,
            "assets": list(self.assets),
            "can_trade": self.permissions.trade,
            "can_withdraw": self.permissions.withdraw,
        }

    def as_text(self) -> RenderableType:
        """Return what the exchange said, and a warning for what it did not."""
        lines = [
            Text(f"{self.exchange} knows these keys (from the {self.source.place}, {self.fingerprint})."),
            Text(f"May trade: {_TOLD[self.permissions.trade]}. May withdraw: {_TOLD[self.permissions.withdraw]}."),
            Text(f"Assets: {', '.join(self.assets) or 'none'}."),
        ]
        if self.permissions.withdraw is None:
            lines.append(Text("Look at the exchange's site that these keys cannot withdraw.", style="yellow"))
        return Group(*lines)


@dataclass(frozen=True, slots=True)
class KeysRemoved:
    """Keys that were forgotten, or were not there."""

    exchange: str
    source: KeySource
    removed: bool

    @property
    def exit_code(self) -> ExitCode:
        """Nothing to do when there were none."""
        return ExitCode.DONE if self.removed else ExitCode.NOTHING_TO_DO

    def as_json(self) -> dict[str, object]:
        """Return whether there were any."""
        return {"exchange": self.exchange, "source": self.source.value, "removed": self.removed}

    def as_text(self) -> RenderableType:
        """Return one sentence."""
        if not self.removed:
            return Text(f"The {self.source.place} has no keys of {self.exchange}.")
        return Text(f"Keys of {self.exchange} are gone from the {self.source.place}; delete them at the exchange too.")

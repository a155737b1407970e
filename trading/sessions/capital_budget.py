"""The capital that the sessions of an account share: each claims its part, and no claim exceeds what is left."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from trading.errors import Refused, UsageError
from trading.orders.journal_connection import failure, make_folder, open_writer

_TABLE = """CREATE TABLE IF NOT EXISTS claims (
    account TEXT NOT NULL, session TEXT NOT NULL, currency TEXT NOT NULL, capital TEXT NOT NULL,
    PRIMARY KEY (account, session)) WITHOUT ROWID"""


@dataclass(frozen=True, slots=True)
class Claim:
    """A session's part of an account.

    Parameters
    ----------
    session : str
        The session's name.
    currency : str
        Quote currency.
    capital : Decimal
        How much of it.
    """

    session: str
    currency: str
    capital: Decimal


class CapitalBudget:
    """Who trades with how much of an account; kept in ``budget.sqlite`` of the data home.

    Parameters
    ----------
    home : Path
        The data home; it is made when it is missing.
    is_running : callable
        Tells by a session's name whether it runs, such as `SessionCatalog.is_running`; the claims of those that do
        not are released.
    """

    def __init__(self, home: Path, is_running: Callable[[str], bool]) -> None:
        self.path = home / "budget.sqlite"
        self._is_running = is_running

    def claim(self, account: str, session: str, currency: str, capital: Decimal, total: Decimal) -> None:
        """Claim capital for a session that holds its lock, in place of what it claimed before.

        A smaller claim than before is always granted, whatever the account has.

        Parameters
        ----------
        account : str
            Hash of the key, never the key.
        session : str
            The session's name.
        currency : str
            Quote currency.
        capital : Decimal
            How much of it; positive.
        total : Decimal
            What the account has of it, for all sessions together, what they have in the market included.

        Raises
        ------
        Refused
            When the running sessions leave less than that; what was claimed before stays.
        UsageError
            When the capital is not a positive number.
        """
        if not (capital.is_finite() and capital > 0):
            raise UsageError(f"session {session} cannot claim {capital} {currency}; claim more than 0")
        with self._transaction() as connection:
            claims = self._live_claims(connection, account, keep=session)
            own = [claim for claim in claims if claim.session == session and claim.currency == currency]
            others = [claim for claim in claims if claim.session != session and claim.currency == currency]
            left = total - sum((claim.capital for claim in others), Decimal(0))
            if capital > left and not any(capital < claim.capital for claim in own):
                held = ", ".join(f"{claim.session} {claim.capital:f}" for claim in others) or "no other session"
                raise Refused(
                    f"session {session} wants {capital:f} {currency} and {max(left, Decimal(0)):f} of {total:f} "
                    f"are left ({held}); lower --capital or stop a session"
                )
            connection.execute(
                "INSERT OR REPLACE INTO claims VALUES (?, ?, ?, ?)", (account, session, currency, str(capital))
            )

    def release(self, account: str, session: str) -> None:
        """Give back what a session claimed; nothing happens when it claimed nothing."""
        with self._transaction() as connection:
            connection.execute("DELETE FROM claims WHERE account = ? AND session = ?", (account, session))

    def claims(self, account: str) -> list[Claim]:
        """Return what the running sessions of an account claim, by name; the claims of dead ones are released."""
        with self._transaction() as connection:
            return self._live_claims(connection, account)

    def _live_claims(self, connection: sqlite3.Connection, account: str, keep: str | None = None) -> list[Claim]:
        rows = connection.execute(
            "SELECT session, currency, capital FROM claims WHERE account = ? ORDER BY session", (account,)
        ).fetchall()
        claims = [Claim(session, currency, Decimal(capital)) for session, currency, capital in rows]
        live = [claim for claim in claims if claim.session == keep or self._is_running(claim.session)]
        for claim in claims:
            if claim not in live:
                connection.execute("DELETE FROM claims WHERE account = ? AND session = ?", (account, claim.session))
        return live

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        make_folder(self.path.parent)
        connection = open_writer(self.path)
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(_TABLE)
            yield connection
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise failure(error, self.path) from error
        finally:
            # What was not committed is undone by the closing.
            connection.close()

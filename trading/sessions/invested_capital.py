"""What sessions have of an account in the market: money that its balance does not show, and that nobody else lacks."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from trading.sessions.books import market_of
from trading.sessions.capital_budget import Claim
from trading.sessions.catalog import SessionCatalog
from trading.sessions.figures import holdings


def invested(catalog: SessionCatalog, claims: Iterable[Claim]) -> Decimal:
    """Return how much of what sessions claim is not in the account's quote balance, by their journals.

    Parameters
    ----------
    catalog : SessionCatalog
        Where the sessions keep their journals.
    claims : iterable of Claim
        Of one currency; a session that has no journal yet has bought nothing.

    Returns
    -------
    Decimal
        Quote currency; negative when the sessions have more cash than they claim.

    Raises
    ------
    StateCorrupt
        When a journal is damaged.
    """
    return sum((claim.capital - _cash(catalog, claim) for claim in claims), Decimal(0))


def _cash(catalog: SessionCatalog, claim: Claim) -> Decimal:
    if not catalog.exists(claim.session):
        return claim.capital
    with catalog.read(claim.session) as journal:
        return holdings(journal, market_of(journal.facts)).cash

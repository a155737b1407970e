"""Sessions of one account never claim more together than it has."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.trading.sessions.test_session_lock import Other
from trading.errors import Refused, StateCorrupt, UsageError
from trading.orders.journal_connection import JournalFailed
from trading.sessions.capital_budget import CapitalBudget, Claim
from trading.sessions.catalog import SessionCatalog

_ROOT = Path(__file__).resolve().parents[3]
_TOTAL = Decimal(1000)


_CLAIM_OFTEN = """
import sys
from decimal import Decimal
from pathlib import Path
from trading.errors import Refused
from trading.sessions.capital_budget import CapitalBudget
budget = CapitalBudget(Path(sys.argv[1]), lambda name: True)
print("ready", flush=True)
sys.stdin.readline()
for number in range(60):
    try:
        budget.claim("acc", f"{sys.argv[2]}-{number}", "USDT", Decimal(90), Decimal(1000))
    except Refused:
        pass
    held = sum(claim.capital for claim in budget.claims("acc"))
    assert held <= 1000, held
    if number < 45:
        budget.release("acc", f"{sys.argv[2]}-{number}")
"""


def _all_run(_: str) -> bool:
    return True


def test_claims_fit_into_the_account_to_the_last_unit(tmp_path: Path) -> None:
    budget = CapitalBudget(tmp_path / "home", _all_run)
    budget.claim("acc", "a", "USDT", Decimal("600.1"), _TOTAL)
    budget.claim("acc", "b", "USDT", Decimal("399.9"), _TOTAL)
    with pytest.raises(Refused) as caught:
        budget.claim("acc", "c", "USDT", Decimal("0.000001"), _TOTAL)
    assert str(caught.value) == (
        "session c wants 0.000001 USDT and 0.0 of 1000 are left (a 600.1, b 399.9); lower --capital or stop a session"
    )
    assert budget.claims("acc") == [Claim("a", "USDT", Decimal("600.1")), Claim("b", "USDT", Decimal("399.9"))]


def test_a_claim_above_what_the_account_has_is_refused(tmp_path: Path) -> None:
    budget = CapitalBudget(tmp_path, _all_run)
    with pytest.raises(Refused, match="wants 1001 USDT and 1000 of 1000 are left"):
        budget.claim("acc", "a", "USDT", Decimal(1001), _TOTAL)
    assert budget.claims("acc") == []


def test_a_session_changes_its_own_claim_after_a_deposit_and_a_withdrawal(tmp_path: Path) -> None:
    budget = CapitalBudget(tmp_path, _all_run)
    budget.claim("acc", "a", "USDT", Decimal(400), _TOTAL)
    budget.claim("acc", "b", "USDT", Decimal(600), _TOTAL)
    budget.claim("acc", "a", "USDT", Decimal(900), Decimal(1500))
    with pytest.raises(Refused):
        budget.claim("acc", "a", "USDT", Decimal(901), Decimal(1500))
    # The account shrank below what is claimed: a claim that stays is refused, one that gives way is granted.
    with pytest.raises(Refused, match="200 of 800 are left"):
        budget.claim("acc", "a", "USDT", Decimal(900), Decimal(800))
    budget.claim("acc", "a", "USDT", Decimal(300), Decimal(800))
    assert [claim.capital for claim in budget.claims("acc")] == [Decimal(300), Decimal(600)]


def test_accounts_and_currencies_are_apart(tmp_path: Path) -> None:
    budget = CapitalBudget(tmp_path, _all_run)
    budget.claim("acc", "a", "USDT", _TOTAL, _TOTAL)
    budget.claim("acc", "b", "BTC", Decimal(2), Decimal(2))
    budget.claim("second", "c", "USDT", _TOTAL, _TOTAL)
    assert [claim.session for claim in budget.claims("acc")] == ["a", "b"]
    assert [claim.session for claim in budget.claims("second")] == ["c"]


@pytest.mark.parametrize("capital", ["0", "-1", "NaN", "Infinity"])
def test_a_claim_is_a_positive_number(tmp_path: Path, capital: str) -> None:
    with pytest.raises(UsageError, match="claim more than 0"):
        CapitalBudget(tmp_path, _all_run).claim("acc", "a", "USDT", Decimal(capital), _TOTAL)


def test_what_is_released_may_be_claimed_by_another(tmp_path: Path) -> None:
    budget = CapitalBudget(tmp_path, _all_run)
    budget.claim("acc", "a", "USDT", _TOTAL, _TOTAL)
    budget.release("acc", "a")
    budget.release("acc", "a")
    budget.claim("acc", "b", "USDT", _TOTAL, _TOTAL)
    assert [claim.session for claim in budget.claims("acc")] == ["b"]


def test_the_claim_of_a_killed_session_is_free(tmp_path: Path) -> None:
    budget = CapitalBudget(tmp_path, SessionCatalog(tmp_path).is_running)
    with Other(tmp_path, "a") as other:
        assert other.says() == "held"
        budget.claim("acc", "a", "USDT", _TOTAL, _TOTAL)
        with pytest.raises(Refused, match="0 of 1000 are left"):
            budget.claim("acc", "b", "USDT", Decimal(1), _TOTAL)
        other.kill()
        budget.claim("acc", "b", "USDT", _TOTAL, _TOTAL)


def test_processes_that_claim_at_once_share_what_there_is(tmp_path: Path) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _CLAIM_OFTEN, str(tmp_path), name],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in ("a", "b", "c")
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        process.communicate(timeout=120)
    assert [process.returncode for process in processes] == [0, 0, 0]
    claims = CapitalBudget(tmp_path, _all_run).claims("acc")
    assert sum(claim.capital for claim in claims) == 990


def test_a_damaged_or_unreachable_budget_is_said(tmp_path: Path) -> None:
    (tmp_path / "budget.sqlite").write_bytes(b"\x09" * 5000)
    with pytest.raises(StateCorrupt, match=r"budget\.sqlite is damaged"):
        CapitalBudget(tmp_path, _all_run).claims("acc")
    (tmp_path / "file").touch()
    with pytest.raises(JournalFailed, match="cannot be made"):
        CapitalBudget(tmp_path / "file", _all_run).claims("acc")


_SESSIONS = st.sampled_from(["a", "b", "c", "d"])
_MONEY = st.decimals(min_value="0.01", max_value="1200", places=2)


class BudgetMachine(RuleBasedStateMachine):
    """Sessions that claim, change, end and die in any order."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.running: set[str] = set()
        self.model: dict[str, Decimal] = {}
        self.budget = CapitalBudget(self.folder, self.running.__contains__)

    @rule(session=_SESSIONS, capital=_MONEY)
    def start_or_change(self, session: str, capital: Decimal) -> None:
        self.running.add(session)
        others = sum((self.model[name] for name in self.model if name in self.running and name != session), Decimal(0))
        try:
            self.budget.claim("acc", session, "USDT", capital, _TOTAL)
        except Refused:
            assert others + capital > _TOTAL
        else:
            assert others + capital <= _TOTAL
            self.model[session] = capital

    @rule(session=_SESSIONS)
    def end(self, session: str) -> None:
        self.budget.release("acc", session)
        self.running.discard(session)
        self.model.pop(session, None)

    @rule(session=_SESSIONS)
    def die(self, session: str) -> None:
        self.running.discard(session)

    @invariant()
    def live_claims_fit(self) -> None:
        live = {claim.session: claim.capital for claim in self.budget.claims("acc")}
        self.model = {name: capital for name, capital in self.model.items() if name in self.running}
        assert live == self.model
        assert sum(live.values(), Decimal(0)) <= _TOTAL

    def teardown(self) -> None:
        shutil.rmtree(self.folder)


TestBudget = BudgetMachine.TestCase

"""`data synthetic`: into the store, the same again changes nothing, and never into other candles."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from tests.trading.market.series import watched
from trading.errors import ExitCode, Refused
from trading.market.candles import COLUMNS
from trading.market.sources import home_store
from trading.market.synthetic import synthetic_candles
from trading.market.synthetic_command import SyntheticRequest, SyntheticResult, synthetic
from trading.registered import trading_registry


def run(home: Path, **values: object) -> SyntheticResult:
    return watched(synthetic(SyntheticRequest(home=home, **values)))[0]


def test_registry_runs_this_command() -> None:
    command = trading_registry()["data synthetic"]
    assert command.load_function() is synthetic
    assert command.load_request() is SyntheticRequest


def test_candles_land_in_the_store_exactly(tmp_path: Path) -> None:
    result, steps = watched(synthetic(SyntheticRequest(candles=60_000, seed=3, home=tmp_path)))
    stored = home_store(tmp_path).read("SIM/USDT", "1m")
    made = synthetic_candles("SIM/USDT", "1m", 60_000, 3)
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(stored, name), getattr(made, name))
    assert (result.candles, result.added, result.exit_code) == (60_000, 60_000, ExitCode.DONE)
    assert [step.done for step in steps] == [0, 0, 50_000]
    assert sum(result.regimes.values()) == pytest.approx(1)
    assert result.as_json()["end"] == "2024-02-11T15:59:00Z"
    assert "60,000 synthetic candles of seed 3" in result.as_text()


def test_again_changes_nothing_and_more_goes_on(tmp_path: Path) -> None:
    run(tmp_path, candles=1_000)
    assert run(tmp_path, candles=1_000).added == 0
    assert run(tmp_path, candles=1_500).added == 500
    assert run(tmp_path, candles=200).added == 0
    assert len(home_store(tmp_path).read("SIM/USDT", "1m")) == 1_500


@pytest.mark.parametrize("other", [{"seed": 8}, {"start": "2023-12-31"}, {"start": "2025-06-01"}, {"start_price": 5.0}])
def test_other_candles_are_never_mixed_in(tmp_path: Path, other: dict[str, object]) -> None:
    run(tmp_path, candles=3_000)
    before = home_store(tmp_path).read("SIM/USDT", "1m")
    with pytest.raises(Refused, match="holds other candles of SIM/USDT 1m") as refusal:
        run(tmp_path, candles=3_000, **other)
    assert refusal.value.exit_code is ExitCode.REFUSED
    np.testing.assert_array_equal(home_store(tmp_path).read("SIM/USDT", "1m").close, before.close)


@pytest.mark.parametrize("value", [{"candles": 0}, {"seed": -1}, {"start_price": float("inf")}, {"colour": "red"}])
def test_requests_out_of_range_are_refused(value: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        SyntheticRequest(**value)

"""`config show`: every setting, its value in force, where that comes from and what it means."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from tests.markets import named, on_tick, random_market
from trading import Candles, RiskProfile
from trading.commands import result_of
from trading.errors import DataError, ExitCode, Refused, UsageError
from trading.market.store import CandleStore
from trading.sessions.backtest import backtest
from trading.sessions.commands import show_config
from trading.sessions.configuration import Configuration
from trading.sessions.requests import ConfigRequest
from trading.setting_sources import load_settings
from trading.settings import setting_names

DERIVED = {
    "grid.buy_levels", "grid.sell_levels", "trail.base", "limits.min_confidence", "limits.max_drawdown",
    "limits.daily_loss", "limits.max_exposure", "limits.stop_loss", "limits.take_profit",
}  # fmt: skip
OF_THE_MARKET = {"tick_size", "lot_size", "min_notional", "maker_fee", "taker_fee", "fee_in_base"}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, so that no settings file of the machine counts."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def shown(**request: object) -> Configuration:
    return result_of(show_config(ConfigRequest(**request)))


def stored(home: Path, candles: Candles | None = None) -> str:
    candles = candles or named(on_tick(random_market(5, 600)), "SIM/USDT")
    CandleStore(home / "store").append(candles)
    return candles.symbol


def test_every_setting_is_there_once_with_value_source_and_meaning():
    answer = json.loads(json.dumps(shown().as_json(), allow_nan=False))
    assert sorted(answer) == sorted(setting_names())
    for name, setting in answer.items():
        assert setting.keys() == {"value", "source", "meaning"}, name
        assert setting["meaning"], name
        assert setting["source"], name
    assert answer["capital"] == {"value": 10_000, "source": "default", "meaning": "quote currency"}


@pytest.mark.parametrize("risk", list(RiskProfile))
def test_what_a_profile_says_is_shown_with_its_name(risk: RiskProfile):
    answer = shown(risk=risk).as_json()
    numbers = {
        "conservative": (0.10, 0.70, 0.02),
        "moderate": (0.15, 0.60, 0.015),
        "aggressive": (0.25, 0.50, 0.01),
    }[risk.value]
    names = ("limits.max_drawdown", "limits.min_confidence", "trail.base")
    assert tuple(answer[name]["value"] for name in names) == numbers
    for name in DERIVED:
        assert answer[name]["value"] is not None, name
        assert answer[name]["source"] == f"{risk.value} profile", name


def test_without_candles_the_rules_of_the_market_are_still_to_be_derived():
    answer = shown().as_json()
    for name in OF_THE_MARKET:
        assert answer[f"market.{name}"]["value"] is None
        assert answer[f"market.{name}"]["source"] == "derived from the candles"


def test_with_candles_the_rules_of_the_market_are_shown_with_where_they_come_from(own_home):
    answer = shown(candles=stored(own_home)).as_json()
    for name in OF_THE_MARKET:
        assert answer[f"market.{name}"]["value"] is not None, name
        assert "estimated from 300 warm-up candles" in answer[f"market.{name}"]["source"]
    assert answer["market.tick_size"]["value"] == 0.01
    assert answer["market.maker_fee"]["value"] == 0.001
    assert answer["limits.max_open_levels"]["value"] > 0


def test_what_is_shown_is_what_a_backtest_uses(own_home):
    candles = named(on_tick(random_market(5, 600)), "SIM/USDT")
    pins = ["grid.spacing=0.012", "limits.max_drawdown=0.2"]
    answer = shown(candles=stored(own_home, candles), set=pins, risk="aggressive").as_json()
    params = backtest(candles, load_settings(pins, risk="aggressive")).as_json()["params"]
    shared = [name for name in answer if name in params and name not in {"symbol", "grid.spacing"}]
    assert len(shared) > 50
    assert {name: answer[name]["value"] for name in shared} == {name: params[name] for name in shared}
    assert answer["grid.spacing"]["value"] == params["grid.spacing"] == 0.012


def test_each_source_is_named_and_the_nearer_one_wins(elsewhere, monkeypatch):
    (elsewhere / "gridbot.toml").write_text(
        "capital = 500\nrisk = 'conservative'\n[grid]\nspacing = 0.02\nactivation = 0.1\nswing_share = 0.5\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("GRIDBOT_GRID__SPACING", "0.03")
    monkeypatch.setenv("GRIDBOT_GRID__ACTIVATION", "0.2")
    answer = shown(set=["grid.spacing=0.04"], capital=700).as_json()
    expected = {
        "capital": (700, "--capital"),
        "risk": ("conservative", "gridbot.toml, line 2"),
        "grid.spacing": (0.04, "--set grid.spacing"),
        "grid.activation": (0.2, "environment GRIDBOT_GRID__ACTIVATION"),
        "grid.swing_share": (0.5, "gridbot.toml, line 6"),
        "limits.max_drawdown": (0.10, "conservative profile"),
    }
    assert {name: (answer[name]["value"], answer[name]["source"]) for name in expected} == expected


def test_a_symbol_in_the_settings_file_does_not_rename_a_file_that_names_its_own(elsewhere, own_home):
    (elsewhere / "gridbot.toml").write_text('symbol = "ETH/USDT"\n', encoding="utf-8")
    rows = "\n".join(f"{1_704_067_200_000 + row * 300_000},0.5,0.5002,0.4998,0.5,10" for row in range(310))
    for name in ("ADA-USDT-5m.csv", "candles.csv"):
        (elsewhere / name).write_text(f"timestamp,open,high,low,close,volume\n{rows}\n", encoding="utf-8")
    # the table's lots: 0.1 ADA, 0.0001 ETH
    lots = {name: shown(candles=name).as_json()["market.lot_size"] for name in ("ADA-USDT-5m.csv", "candles.csv")}
    assert lots["ADA-USDT-5m.csv"]["value"] == 0.1
    assert shown(candles="ADA-USDT-5m.csv", symbol="DOGE/USDT").as_json()["market.lot_size"]["value"] == 1
    assert "do not fit the table's tick 0.01" in lots["candles.csv"]["source"]


def test_a_person_sees_a_table_of_the_same(own_home):
    text = StringIO()
    configuration = shown(candles=stored(own_home), set=["signals.agents=momentum,regime"])
    Console(file=text, width=200).print(configuration.as_text())
    lines = text.getvalue().splitlines()
    for name in setting_names():
        assert any(line.startswith(f"{name} ") for line in lines), name
    assert any("momentum, regime" in line for line in lines)
    assert configuration.exit_code == ExitCode.DONE


@pytest.mark.parametrize(
    ("request_", "kind", "words"),
    [
        ({"set": ["grid.spacng=0.01"]}, UsageError, "did you mean grid.spacing"),
        ({"set": ["grid.spacing=2"]}, UsageError, "0.5"),
        ({"candles": "NONE/USDT"}, DataError, "neither a file nor a stored symbol"),
        ({"candles": "SIM/USDT", "capital": "1"}, Refused, "minimum of 5"),
        ({"candles": "SIM/USDT", "set": ["grid.spacing=0.001"]}, Refused, "0.4000%"),
    ],
)
def test_what_a_run_would_refuse_is_refused_here_too(own_home, request_, kind, words):
    stored(own_home)
    with pytest.raises(kind, match=words):
        shown(**request_)

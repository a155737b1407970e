"""``agents list`` and ``agents explain``, through the command registry."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console, RenderableType

from tests.markets import random_market
from trading.commands import Result, result_of
from trading.errors import DataError, ExitCode, UsageError
from trading.market.candles import COLUMNS, Candles
from trading.market.times import iso
from trading.registered import trading_registry
from trading.settings import Settings
from trading.signals import Action, Agent, AgentView, IndicatorSet, compute_signals
from trading.signals.registry import BUILT_IN


def _run(name: str, **words: object) -> Result:
    command = trading_registry()[name]
    return result_of(command.load_function()(command.load_request().model_validate(words)))


def _text(renderable: RenderableType) -> str:
    console = Console(width=200, record=True, file=StringIO())
    console.print(renderable)
    return console.export_text()


@pytest.fixture
def market(tmp_path: Path) -> tuple[Path, Candles]:
    candles = random_market(41, 900, "5m", volatility=0.004)
    path = tmp_path / "SOL-USDT-5m.csv"
    rows = zip(*(getattr(candles, name).tolist() for name in COLUMNS), strict=True)
    path.write_text("\n".join([",".join(COLUMNS), *(",".join(map(repr, row)) for row in rows)]) + "\n")
    return path, candles


def test_list_names_every_agent_with_a_line_on_it() -> None:
    result = _run("agents list")
    assert result.exit_code is ExitCode.DONE
    listed = json.loads(json.dumps(result.as_json()))["agents"]
    assert {name: BUILT_IN[name].description for name in BUILT_IN} == {
        one["name"]: one["description"] for one in listed if one["source"] == "gridbot"
    }
    text = _text(result.as_text())
    assert all(name in text for name in BUILT_IN)


def test_explanation_is_the_vote_of_a_run_over_everything(market: tuple[Path, Candles]) -> None:
    path, candles = market
    whole = compute_signals(candles, Settings())
    row = int(np.flatnonzero(whole.action)[-1])
    result = _run("agents explain", candles=str(path), at=iso(int(candles.timestamp[row])))
    told = json.loads(json.dumps(result.as_json()))
    assert told["symbol"] == "SOL/USDT"
    assert told["consensus"]["action"] == Action(int(whole.action[row])).name
    assert told["consensus"]["confidence"] == pytest.approx(float(whole.confidence[row]), abs=1e-4)
    for vote, report in zip(told["agents"], whole.agents, strict=True):
        assert report.view is not None
        assert vote["action"] == Action(int(report.view.action[row])).name
        assert vote["trail"] == pytest.approx(float(report.view.trail[row]), abs=1e-6)
        assert vote["reasons"]
    text = _text(result.as_text())
    assert "consensus: " + told["consensus"]["action"] in text
    assert "acts from 0.60" in text


def test_a_time_within_a_candle_means_that_candle_and_none_the_last(market: tuple[Path, Candles]) -> None:
    path, candles = market
    within = _run("agents explain", candles=str(path), at=iso(int(candles.timestamp[500]) + 60_000)).as_json()
    assert within["time"] == iso(int(candles.timestamp[500]))
    assert _run("agents explain", candles=str(path)).as_json()["time"] == iso(int(candles.timestamp[-1]))


def test_a_time_without_a_candle_is_refused_with_the_span(market: tuple[Path, Candles]) -> None:
    path, candles = market
    with pytest.raises(
        DataError, match=f"no candle at 2020-01-01T00:00:00Z; it runs from {iso(int(candles.timestamp[0]))}"
    ):
        _run("agents explain", candles=str(path), at="2020-01-01")
    with pytest.raises(UsageError, match="'noon' is not a time"):
        _run("agents explain", candles=str(path), at="noon")


def test_settings_reach_the_agents(market: tuple[Path, Candles]) -> None:
    path, _ = market
    told = _run(
        "agents explain", candles=str(path), risk="aggressive", set=["signals.agents=momentum,regime"]
    ).as_json()
    assert [vote["agent"] for vote in told["agents"]] == ["momentum", "regime"]  # type: ignore[attr-defined]
    assert told["consensus"]["min_confidence"] == 0.5  # type: ignore[index]


def test_a_skipped_agent_and_one_without_words_are_told_as_such(
    market: tuple[Path, Candles], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Failing(Agent):
        name = "failing"
        description = "fails"

        def view(self, indicators: IndicatorSet) -> AgentView:
            raise RuntimeError("lost its model")

        def reasons(self, indicators: IndicatorSet, row: int) -> list[str]:
            return ["never asked"]

    class Silent(BUILT_IN["regime"]):
        name = "silent"

        def reasons(self, indicators: IndicatorSet, row: int) -> list[str]:
            raise RuntimeError("lost its tongue")

    monkeypatch.setitem(BUILT_IN, "failing", Failing)
    monkeypatch.setitem(BUILT_IN, "silent", Silent)
    result = _run("agents explain", candles=str(market[0]), set=["signals.agents=failing,silent"])
    failing, silent = result.as_json()["agents"]  # type: ignore[misc]
    assert "lost its model" in failing["skipped"]
    assert failing["reasons"] == []
    assert silent["skipped"] is None
    assert "lost its tongue" in silent["reasons"][0]
    assert "lost its model" in _text(result.as_text())

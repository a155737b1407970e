"""The router: plans, questions and refusals; what it never guesses."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from automation.assistant import Context, Plan, Question, Refusal
from automation.assistant.router import Router
from automation.registry import gridbot_registry
from automation.requests import build_request


def lines(router: Router, sentence: str, context: Context | None = None) -> list[str]:
    routed = router.route(sentence, context)
    assert isinstance(routed, Plan), routed
    return [step.text.removeprefix("gridbot ") for step in routed.steps]


def test_the_websocket_is_debugged_with_the_tests_that_fit_it(router: Router) -> None:
    (line,) = lines(router, "debug the websocket connection")
    assert line.startswith("fix --tests ")
    assert "test_stream" in line


def test_several_wishes_become_a_plan_in_their_order(router: Router) -> None:
    assert lines(router, "run the tests, fix what fails, then document it") == ["incidents", "fix", "document"]
    assert lines(router, "first download btc, after that backtest it") == [
        "data download BTC/USDT",
        "backtest --candles BTC/USDT",
    ]


def test_nothing_runs_when_a_wish_among_others_is_strange(router: Router) -> None:
    for sentence in ("order a pizza and then backtest bitcoin", "backtest bitcoin and then order a pizza"):
        assert not isinstance(router.route(sentence), Plan)


def test_before_and_after_turn_the_order(router: Router) -> None:
    assert lines(router, "before you start paper trading btc, check the health") == [
        "health",
        "paper --symbol BTC/USDT",
    ]


def test_it_means_what_the_step_before_was_about(router: Router) -> None:
    assert lines(router, "review trading/engine/grid.py and then write tests for it") == [
        "review trading/engine/grid.py",
        "test trading/engine/grid.py",
    ]


def test_and_within_one_wish_does_not_cut_it(router: Router) -> None:
    assert lines(router, "stop night-grid and cancel its orders") == ["stop --cancel-orders night-grid"]
    assert lines(router, "start the exchange with btc and eth") == ["exchange --symbol BTC/USDT --symbol ETH/USDT"]


def test_this_file_is_the_callers(router: Router) -> None:
    context = Context(file="trading/orders/ledger.py", line=40)
    assert lines(router, "write tests for this file", context) == ["test trading/orders/ledger.py"]
    assert lines(router, "document this function", context) == ["document trading/orders/ledger.py:40"]


def test_descriptions_lead_into_the_repository(router: Router) -> None:
    (line,) = lines(router, "document the grid calculation function")
    assert line.startswith("document trading/engine/grid.py")
    assert lines(router, "review the ledger") == ["review trading/orders/ledger.py"]


def test_a_session_that_is_not_clear_is_left_out_and_never_guessed(router: Router) -> None:
    routed = router.route("stop the session")
    assert isinstance(routed, Plan)
    assert routed.steps[0].missing == ("session",)
    assert "session" not in routed.steps[0].values


def test_money_and_destruction_are_only_what_was_said(router: Router) -> None:
    for sentence in ("go live on binance with btc", "stop night-grid", "clean up old files", "approve the repair"):
        routed = router.route(sentence)
        assert isinstance(routed, Plan)
        assert not {"yes", "approve", "capital", "flatten", "cancel_orders"} & set(routed.steps[0].values)


def test_times_are_counted_from_now(router: Router, bench_home: Path) -> None:
    context = Context(home=bench_home, clock=lambda: datetime(2024, 3, 1, tzinfo=UTC))
    assert lines(router, "backtest btc over the last week", context) == [
        "backtest --candles BTC/USDT --start 2024-02-23"
    ]


@pytest.mark.parametrize(
    "sentence",
    [
        "",
        "???",
        "order me a pizza",
        "what's the weather",
        "transfer my coins to 0x1234",
        "withdraw 500 dollars",
        "clean my kitchen",
        "buy one bitcoin",
        "x" * 3_000,
    ],
)
def test_what_no_command_does_is_refused_with_a_reason(sentence: str, router: Router) -> None:
    routed = router.route(sentence)
    assert isinstance(routed, Refusal)
    assert routed.reason


@pytest.mark.slow
def test_a_sentence_between_two_commands_is_a_question_with_runnable_choices(words_router: Router) -> None:
    routed = words_router.route("have a look at it")
    assert isinstance(routed, Question)
    assert 1 < len(routed.choices) <= 3
    assert all(0 < step.confidence < 1 for step in routed.choices)


@pytest.mark.slow
def test_one_phrase_of_every_command_leads_to_values_that_its_request_takes(router: Router) -> None:
    missed = []
    for command in gridbot_registry():
        if command.name == "sessions stop":
            continue
        routed = router.route(command.phrases[0])
        if not isinstance(routed, Plan) or routed.steps[0].command.name != command.name:
            missed.append(command.name)
        elif not routed.steps[0].missing:
            build_request(command.load_request(), routed.steps[0].values, command.name)
    assert missed == []

"""``gridbot ask``: what is shown, run, asked and refused."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from automation.assistant.answers import Step
from automation.assistant.asking import ask_consent, ask_missing, choose, needs_consent
from automation.assistant.choosing import chosen_by_model
from automation.assistant.commands import ask
from automation.assistant.requests import AskRequest
from automation.assistant.results import AskResult, Outcome
from automation.cli import main
from automation.registry import gridbot_registry
from trading.commands import Face, News, Permission, Risk, permission
from trading.errors import ExitCode, Refused, UsageError

REGISTRY = gridbot_registry()
Typing = Callable[[str], None]


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One data home for all of these tests, so that the examples are compared once."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def nobody_there(monkeypatch: pytest.MonkeyPatch, shared_home: Path) -> Iterator[None]:
    """Nobody sits at the terminal that the tests run in."""
    monkeypatch.setenv("GRIDBOT_HOME", str(shared_home))
    with Path(os.devnull).open(encoding="utf-8") as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        yield


@pytest.fixture
def typing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Typing]:
    """A real terminal; what is typed beforehand is read when a question comes."""
    person, program = os.openpty()
    with os.fdopen(program, "r", encoding="utf-8") as typed, os.fdopen(os.dup(program), "w", encoding="utf-8") as told:

        def types(text: str) -> None:
            monkeypatch.setattr(sys, "stdin", typed)
            monkeypatch.setattr(sys, "stderr", told)
            os.write(person, text.encode() + b"\n")

        yield types
        monkeypatch.undo()
    os.close(person)


def asked(sentence: str, **values: object) -> tuple[AskResult, list[News]]:
    work = ask(AskRequest.model_validate({"sentence": sentence, **values}))
    news: list[News] = []
    while True:
        try:
            step = next(work)
        except StopIteration as end:
            return end.value, news
        if isinstance(step, News):
            news.append(step)


def test_a_reading_command_runs_at_once_and_its_line_is_shown_first() -> None:
    result, news = asked("list my sessions")
    assert news[0].text == "gridbot sessions"
    assert result.outcome is Outcome.RAN
    assert result.exit_code is ExitCode.DONE
    assert result.as_json()["steps"][0]["result"] is not None  # type: ignore[index]


def test_a_dry_run_shows_the_line_and_runs_nothing() -> None:
    result, news = asked("start paper trading bitcoin", dry_run=True)
    assert not news
    assert result.as_text() == "gridbot paper --symbol BTC/USDT"
    assert result.exit_code is ExitCode.DONE


def test_nothing_said_lists_what_can_be_said() -> None:
    result, _ = asked("")
    assert set(result.phrases) == {command.name for command in REGISTRY}


def test_an_unknown_request_ends_with_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", "order me a pizza"]) == ExitCode.REFUSED
    assert "no command" in capsys.readouterr().out


def test_what_trades_is_refused_without_a_person_and_the_line_to_run_is_named() -> None:
    with pytest.raises(Refused, match="gridbot paper --symbol BTC/USDT"):
        asked("start paper trading bitcoin")


def test_a_plan_with_money_in_it_runs_no_step_without_a_person(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="gridbot keys remove binance"):
        asked("list my sessions and then forget my binance keys", yes=True)


def test_what_is_missing_is_named_and_not_guessed() -> None:
    with pytest.raises(UsageError, match="SESSION"):
        asked("stop the session")


def test_a_plan_tells_each_step_and_its_result() -> None:
    result, news = asked("list my sessions and then list the stored candles")
    events = [str(one.data["event"]) for one in news]
    assert events == ["understood", "step", "result", "step", "result"]
    assert [done.code for done in result.steps] == [ExitCode.DONE, ExitCode.DONE]


def test_a_plan_stops_at_the_first_failure() -> None:
    result, _ = asked("check missing.csv for gaps and then list my sessions")
    assert result.steps[0].code is ExitCode.REFUSED
    assert result.steps[1].code is None
    assert result.exit_code is ExitCode.REFUSED


def test_json_can_be_asked_for_in_the_sentence() -> None:
    result, _ = asked("show my sessions as json")
    assert json.loads(str(result.as_text()))["outcome"] == "ran"


def test_the_editors_file_is_this_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRIDBOT_FILE", str(Path("trading/orders/ledger.py").resolve()))
    result, _ = asked("review this file", dry_run=True)
    assert result.as_text() == "gridbot review trading/orders/ledger.py"


def test_yes_never_covers_money_nor_what_only_a_person_may_do() -> None:
    for command in REGISTRY:
        step = Step(command)
        must_ask = permission(command, Face.ENGLISH) is Permission.ASK
        assert needs_consent(step, yes=False) is must_ask
        assert needs_consent(step, yes=True) is (must_ask and (command.risk is Risk.MONEY or command.by_person))


def test_a_person_agrees_with_y(typing: Typing) -> None:
    typing("y")
    ask_consent([Step(REGISTRY["paper"])], yes=False)


def test_a_person_declines(typing: Typing) -> None:
    typing("n")
    with pytest.raises(Refused, match="did not agree"):
        ask_consent([Step(REGISTRY["clean"])], yes=False)


def test_money_wants_the_commands_name_typed(typing: Typing) -> None:
    typing("y")
    with pytest.raises(Refused):
        ask_consent([Step(REGISTRY["stop"], {"session": "a"})], yes=False)
    typing("stop")
    ask_consent([Step(REGISTRY["stop"], {"session": "a"})], yes=True)


def test_a_person_chooses_by_number(typing: Typing) -> None:
    choices = [Step(REGISTRY["status"]), Step(REGISTRY["sessions"])]
    typing("")
    assert choose("which?", choices) is None
    typing("2")
    assert choose("which?", choices) == choices[1]


def test_a_person_is_asked_for_what_is_missing(typing: Typing) -> None:
    typing("night-grid")
    assert ask_missing(Step(REGISTRY["stop"], missing=("session",))) == {"session": "night-grid"}


def test_without_a_chat_model_none_chooses() -> None:
    assert chosen_by_model("hm", [Step(REGISTRY["status"])], "none") is None

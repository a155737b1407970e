"""The explain command: where it finds errors, what it says of them, and how it says it."""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError
from rich.console import Console

from automation.codebase.patches import FileChange
from automation.config import CONFIG_VARIABLE
from automation.errors import RepositoryUnusable
from automation.incidents.classify import fingerprint
from automation.incidents.records import Frame, Incident, Kind, Raised
from automation.pipeline.plain import incident_json
from automation.pipeline.requests import FixRequest
from automation.pipeline.runs import RunStore
from automation.pipeline.state import Status
from automation.repair.memory import RepairMemory
from automation.tasks.explain.commands import explain
from automation.tasks.explain.requests import ExplainRequest
from automation.tasks.explain.results import ExplainResult
from tests.automation.models.ollama_server import OllamaServer, Script
from tests.trading.orders.journal_samples import FACTS
from trading.commands import result_of
from trading.errors import ExitCode, UsageError
from trading.orders.journal import Journal
from trading.sessions.catalog import SessionCatalog

_PRICES = '''"""What things cost."""


class PriceList:
    """Prices."""

    def __init__(self, cents):
        self.cents = cents

    def total(self, basket, with_tax=False):
        return sum(self.cents[name] for name in basket)


def cheapest(row):
    closing = row["closing"]
    return closing
'''
_TESTS = """from shop.prices import cheapest


def test_cheapest():
    assert cheapest({"close": 3}) == 3
"""
# as a problem matcher of VS Code reads it
_PROBLEM = re.compile(
    r"^(?P<file>[^\s:]+):(?P<line>\d+):(?P<column>\d+): (?P<severity>error|warning|info): (?P<text>.+)$"
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    for path, text in {"shop/prices.py": _PRICES, "shop/__init__.py": "", "tests/test_prices.py": _TESTS}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    return root


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def ollama(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[OllamaServer]:
    with OllamaServer() as server:
        server.state.add("chatter:1b")
        monkeypatch.setenv("OLLAMA_HOST", server.url)
        monkeypatch.setenv("GRIDBOT_MODELS", str(tmp_path / "models"))
        monkeypatch.delenv(CONFIG_VARIABLE, raising=False)
        yield server


def _explained(root: Path, home: Path, error: str = "", **options: object) -> ExplainResult:
    values = {"error": error, "path": root, "home": home, "model": "none", **options}
    result = result_of(explain(ExplainRequest.model_validate(values)))
    assert isinstance(result, ExplainResult)
    return result


def _trace(line: int, ending: str, path: str = "shop/prices.py", function: str = "total") -> str:
    return f'Traceback (most recent call last):\n  File "{path}", line {line}, in {function}\n    x\n{ending}\n'


def _text(result: ExplainResult, width: int = 120) -> str:
    console = Console(width=width, color_system=None)
    with console.capture() as capture:
        console.print(result.as_text())
    return capture.get()


def test_a_traceback_gives_category_cause_place_and_fix(root: Path, home: Path) -> None:
    data = _explained(root, home, _trace(11, "KeyError: 'apple'")).as_json()
    assert (data["category"], data["rule"], data["title"]) == ("value", "key-missing", "KeyError: 'apple'")
    assert data["cause"] == "The mapping has no key 'apple'."
    assert data["fixes"]
    assert data["places"] == [
        {
            "path": "shop/prices.py",
            "line": 11,
            "column": 9,
            "function": "total",
            "source": "return sum(self.cents[name] for name in basket)",
            "own": True,
        }
    ]


def test_a_problem_matcher_reads_every_place(root: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    text = (
        'Traceback (most recent call last):\n  File "tests/test_prices.py", line 5, in test_cheapest\n    x\n'
        "  File \"shop/prices.py\", line 15, in cheapest\n    x\nKeyError: 'closing'\n"
    )
    lines = _text(_explained(root, home, text), width=60).splitlines()
    first, second = (_PROBLEM.match(line) for line in lines[:2])
    assert first is not None
    assert second is not None
    assert first.groupdict() == {
        "file": "shop/prices.py",
        "line": "15",
        "column": "19",
        "severity": "error",
        "text": "KeyError: 'closing'",
    }
    assert (second["file"], second["line"], second["severity"]) == ("tests/test_prices.py", "5", "info")
    assert max(map(len, lines)) <= 60


def test_a_place_without_a_function_is_given_the_one_around_it(root: Path, home: Path) -> None:
    (place,) = _explained(root, home, "E   KeyError: 'closing'\n\nshop/prices.py:15: KeyError").as_json()["places"]  # type: ignore[misc]
    assert place["function"] == "cheapest"


@pytest.mark.parametrize(
    ("line", "ending", "meant"),
    [
        (15, "KeyError: 'closin'", ["closing"]),
        (15, "NameError: name 'closng' is not defined", ["closing"]),
        (15, "AttributeError: 'PriceList' object has no attribute 'totl'", ["total"]),
        (15, "AttributeError: 'PriceList' object has no attribute 'cent'", ["cents"]),
        (15, "AttributeError: module 'shop.prices' has no attribute 'Pricelist'", ["PriceList"]),
        (15, "ImportError: cannot import name 'cheapst' from 'shop.prices' (shop/prices.py)", ["cheapest"]),
        (15, "ModuleNotFoundError: No module named 'shop.price'", ["shop.prices"]),
        (15, "TypeError: PriceList.total() got an unexpected keyword argument 'with_taxes'", ["with_tax"]),
        (15, "NameError: name 'sun' is not defined. Did you mean: 'sum'?", ["sum"]),
        (15, "KeyError: 'something else entirely'", []),
    ],
)
def test_a_misspelt_name_is_answered_with_the_near_one(
    line: int, ending: str, meant: list[str], root: Path, home: Path
) -> None:
    data = _explained(root, home, _trace(line, ending, function="cheapest")).as_json()
    assert data["meant"][:1] == meant  # type: ignore[index]


def test_the_first_failing_test_is_run_and_explained(root: Path, home: Path) -> None:
    result = _explained(root, home, test="tests -q")
    data = result.as_json()
    assert data["test"] == "tests/test_prices.py::test_cheapest"
    assert (data["title"], data["places"][0]["path"]) == ("KeyError: 'closing'", "shop/prices.py")  # type: ignore[index]
    assert "run it alone" in str(data["notes"])


@pytest.mark.slow
def test_tests_that_pass_leave_nothing_to_explain(root: Path, home: Path) -> None:
    (root / "tests/test_prices.py").write_text("def test_nothing():\n    pass\n", encoding="utf-8")
    result = _explained(root, home, test="tests -q")
    assert result.exit_code is ExitCode.NOTHING_TO_DO
    assert _text(result) == "No error in the tests tests -q.\n"


def test_the_newest_error_of_a_log_is_explained(root: Path, home: Path, tmp_path: Path) -> None:
    log = tmp_path / "service.log"
    first, last = _trace(11, "KeyError: 'a'"), _trace(15, "TypeError: 'NoneType' object is not subscriptable")
    log.write_text(f"2026-01-01 10:00:00 ERROR shop a\n{first}2026-01-02 10:00:00 ERROR shop b\n{last}")
    data = _explained(root, home, log=log).as_json()
    assert (data["rule"], data["origin"]) == ("none-used", str(log))
    assert data["when"] == "2026-01-02 10:00:00"


def test_a_log_without_errors_is_exit_code_6(root: Path, home: Path, tmp_path: Path) -> None:
    (tmp_path / "quiet.log").write_text("2026-01-01 10:00:00 INFO fine\n")
    assert _explained(root, home, log=tmp_path / "quiet.log").exit_code is ExitCode.NOTHING_TO_DO


def test_standard_input_is_read(root: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(_trace(11, "ZeroDivisionError: division by zero")))
    assert _explained(root, home, "-").as_json()["rule"] == "division-zero"
    with pytest.raises(UsageError, match="stdin holds no error"):
        _explained(root, home, "-")


def _failed_run(home: Path, root: Path, at_s: int) -> None:
    store = RunStore(home)
    run = store.create(FixRequest(path=root))
    frame = Frame("shop/prices.py", 15, "cheapest", own=True)
    incident = Incident("f", Kind.VALUE, 0.8, "KeyError", "test", chain=(Raised("KeyError", "'closing'", (frame,)),))
    state = {
        "run_id": run.run_id,
        "started_ms": run.started_ms,
        "target": str(root),
        "status": Status.UNFIXED,
        "reason": "no candidate passed",
        "incident": incident_json(incident),
    }
    store.settle(run, state)  # type: ignore[arg-type]
    os.utime(run.folder / "result.json", (at_s, at_s))


def _ended_session(home: Path, name: str, kind: str, data: dict[str, object], at_s: int) -> None:
    path = SessionCatalog(home).files_of(name).journal
    path.parent.mkdir(parents=True)
    with Journal.create(path, replace(FACTS, name=name)) as journal, journal.transaction():
        journal.note(1_000, "started", {})
        journal.note(2_000, kind, data)
    os.utime(path, (at_s, at_s))


def _log(home: Path, at_s: int) -> None:
    home.mkdir(exist_ok=True)
    log = home / "gridbot.log"
    log.write_text("ERROR shop ConnectionRefusedError: [Errno 111] Connection refused\n")
    os.utime(log, (at_s, at_s))


def test_the_newest_thing_that_went_wrong_is_explained_whatever_it_is(root: Path, home: Path) -> None:
    _log(home, 1_000)
    assert _explained(root, home, last=True).as_json()["rule"] == "refused"
    _failed_run(home, root, 2_000)
    data = _explained(root, home, last=True).as_json()
    assert (str(data["origin"])[:4], data["rule"]) == ("run ", "key-missing")
    assert data["places"][0]["line"] == 15  # type: ignore[index]
    crash = {"error": "KeyError: 'apple'", "traceback": _trace(11, "KeyError: 'apple'")}
    _ended_session(home, "paper-one", "crashed", crash, 3_000)
    data = _explained(root, home, last=True).as_json()
    assert (data["origin"], data["title"]) == ("session paper-one", "KeyError: 'apple'")
    assert "gridbot fix --session paper-one" in str(data["notes"])
    _ended_session(home, "paper-two", "halted", {"reason": "daily loss", "rule": "daily_loss"}, 4_000)
    data = _explained(root, home).as_json()
    assert (data["origin"], data["category"], data["code"]) == ("session paper-two", "risk", "E006")


@pytest.mark.slow
def test_a_test_that_failed_after_all_else_is_run_again_and_explained(root: Path, home: Path) -> None:
    _ended_session(home, "paper-one", "crashed", {"error": "KeyError: 'apple'"}, 3_000)
    cache = root / ".pytest_cache/v/cache/lastfailed"
    cache.parent.mkdir(parents=True)
    cache.write_text(json.dumps({"tests/test_prices.py::test_cheapest": True}), encoding="utf-8")
    assert _explained(root, home, last=True).as_json()["test"] == "tests/test_prices.py::test_cheapest"
    os.utime(cache, (2_000, 2_000))
    assert _explained(root, home, last=True).as_json()["origin"] == "session paper-one"


def test_a_session_that_went_on_after_its_crash_is_not_the_newest_trouble(root: Path, home: Path) -> None:
    _ended_session(home, "paper-one", "crashed", {"error": "KeyError: 'apple'"}, 3_000)
    with Journal.open(SessionCatalog(home).files_of("paper-one").journal) as journal, journal.transaction():
        journal.note(3_000, "started", {"recovered": True})
    assert _explained(root, home, last=True).exit_code is ExitCode.NOTHING_TO_DO


def test_an_empty_home_holds_no_trouble(root: Path, home: Path) -> None:
    result = _explained(root, home, last=True)
    assert result.exit_code is ExitCode.NOTHING_TO_DO
    assert result.as_json()["found"] is False


def test_what_mended_the_same_fault_before_is_told(root: Path, home: Path) -> None:
    chain = (Raised("KeyError", "'closing'", (Frame("shop/prices.py", 15, "cheapest", own=True),)),)
    mended = _PRICES.replace('row["closing"]', 'row["close"]')
    change = FileChange("shop/prices.py", _PRICES.encode(), mended.encode())
    memory = RepairMemory(home / "repair_memory.db")
    memory.remember(fingerprint(chain), change, "template:texts", "value", 1, description="another key")
    data = _explained(root, home, _trace(15, "KeyError: 'closing'", function="cheapest")).as_json()
    assert data["earlier_repairs"] == ["shop/prices.py:15: another key, as template:texts did before"]
    assert _explained(root, home, _trace(11, "KeyError: 'x'")).as_json()["earlier_repairs"] == []


def test_a_models_words_are_added_and_marked_as_its_own(root: Path, home: Path, ollama: OllamaServer) -> None:
    ollama.state.scripts.append(Script(text="The row has no such column.\nUse close."))
    result = _explained(root, home, _trace(15, "KeyError: 'closing'"), model="chatter:1b")
    assert result.as_json()["model_words"] == "The row has no such column. Use close."
    assert result.as_json()["cause"] == "The mapping has no key 'closing'."
    assert "chatter:1b says (a model's words, not checked)" in _text(result)
    (body,) = ollama.state.bodies("/api/chat")
    assert 'closing = row["closing"]' in json.dumps(body["messages"]).replace("\\", "")


def test_no_secret_reaches_the_model(root: Path, home: Path, ollama: OllamaServer) -> None:
    secret = "sk-" + "abcdefghij0123456789"
    (root / "shop/prices.py").write_text(f'KEY = "{secret}"\nraise ValueError\n', encoding="utf-8")
    _explained(root, home, _trace(2, f"ValueError: {secret}"), model="chatter:1b")
    assert secret not in str(ollama.state.calls)


def test_a_model_that_fails_costs_nothing_but_its_words(root: Path, home: Path, ollama: OllamaServer) -> None:
    ollama.state.scripts.append(Script(status=500, error="out of memory"))
    result = _explained(root, home, _trace(15, "KeyError: 'closing'"), model="chatter:1b")
    assert result.exit_code is ExitCode.DONE
    assert "the model gave no explanation" in str(result.as_json()["model_note"])
    assert "what to do" in _text(result)


def test_where_no_model_is_there_the_explanation_says_so(root: Path, home: Path, ollama: OllamaServer) -> None:
    ollama.state.models.clear()
    result = _explained(root, home, _trace(15, "KeyError: 'closing'"), model="auto")
    assert result.as_json()["model_words"] is None
    assert "no model for debugger" in str(result.as_json()["model_note"])
    assert _text(result).startswith(_text(_explained(root, home, _trace(15, "KeyError: 'closing'"))))


def test_no_model_is_asked_unless_one_is_named(root: Path, home: Path, ollama: OllamaServer) -> None:
    result_of(explain(ExplainRequest(error="137", path=root, home=home)))
    assert ollama.state.calls == []


def test_one_error_is_explained_at_a_time() -> None:
    with pytest.raises(ValidationError, match="name one error"):
        ExplainRequest(error="137", last=True)


def test_what_is_no_folder_is_refused(home: Path, tmp_path: Path) -> None:
    with pytest.raises(RepositoryUnusable, match="is no folder"):
        _explained(tmp_path / "nowhere", home, "137")


def test_a_log_that_is_missing_is_refused(root: Path, home: Path) -> None:
    with pytest.raises(RepositoryUnusable, match="name a log"):
        _explained(root, home, log=root / "none.log")

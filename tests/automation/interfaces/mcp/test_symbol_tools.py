"""Symbol tools over the protocol: reading answers at once, edits make a patch that goes the one road."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest
from mcp import types

from automation.pipeline.runs import RunStore
from tests.automation.codebase.repositories import git
from tests.automation.interfaces.mcp.served import CALC, Address, connected

FASTER = "def total(values: list[int]) -> int:\n    return sum(values)\n"
WRONG = "def total(values: list[int]) -> int:\n    return 0\n"


def call(address: Address, tool: str, arguments: Mapping[str, object]) -> types.CallToolResult:
    async def called() -> types.CallToolResult:
        async with connected(address) as client:
            return await client.call_tool(tool, dict(arguments))

    return asyncio.run(called())


def data_of(answer: types.CallToolResult) -> Mapping[str, object]:
    assert not answer.is_error, answer.content
    assert answer.structured_content is not None
    return answer.structured_content


def test_symbols_are_listed_found_and_followed(address: Address) -> None:
    overview = data_of(call(address, "get_symbols_overview", {"relative_path": "calc.py", "depth": 1}))
    assert [one["name_path"] for one in overview["symbols"]] == ["total", "Account"]
    assert [one["name_path"] for one in overview["symbols"][1]["members"]] == ["Account/balance"]
    references = data_of(call(address, "find_referencing_symbols", {"relative_path": "calc.py", "name_path": "total"}))
    assert {(one["path"], one["inside"]) for one in references["references"]} == {
        ("calc.py", "Account/balance"),
        ("test_calc.py", ""),
        ("test_calc.py", "test_total"),
    }
    hits = data_of(call(address, "search_for_pattern", {"pattern": r"return .*\]", "max_matches": 1}))
    assert hits == {"hits": [{"path": "calc.py", "line": 17, "text": "return total([1, 2])"}], "complete": True}


def test_a_dry_run_returns_the_diff_and_changes_nothing(address: Address) -> None:
    before = [run.run_id for run in RunStore(address.home)]
    wish = {"relative_path": "calc.py", "name_path": "total", "new_name": "added", "dry_run": True}
    answer = data_of(call(address, "rename_symbol", wish))
    assert answer["status"] == "dry_run"
    assert "+def added(values: list[int]) -> int:" in str(answer["diff"])
    assert "+from calc import Account, added" in str(answer["diff"])
    assert git(address.folder, "status", "--porcelain") == ""
    assert (address.folder / "calc.py").read_text() == CALC
    assert [run.run_id for run in RunStore(address.home)] == before


def test_an_edit_that_would_not_parse_is_refused_before_anything_runs(address: Address) -> None:
    before = [run.run_id for run in RunStore(address.home)]
    answer = call(address, "insert_after_symbol", {"relative_path": "calc.py", "name_path": "total", "body": "def ("})
    assert answer.is_error
    assert [run.run_id for run in RunStore(address.home)] == before


@pytest.mark.slow
def test_an_edit_is_verified_and_lands_on_a_branch_and_a_wrong_one_does_not(address: Address) -> None:
    place = {"relative_path": "calc.py", "name_path": "total", "tests": "-q"}
    good = data_of(call(address, "replace_symbol_body", {**place, "body": FASTER, "reason": "sum is faster"}))
    assert good["status"] == "landed", good
    assert "return sum(values)" in git(address.folder, "show", f"{good['branch']}:calc.py")
    assert good["tests_after"]["passed"] == 1
    assert (address.folder / "calc.py").read_text() == CALC
    wrong = data_of(call(address, "replace_symbol_body", {**place, "body": WRONG}))
    assert wrong["status"] in {"refused", "unfixed"}
    assert wrong["branch"] is None
    assert wrong["reason"]
    assert [run.run_id for run in RunStore(address.home)][:2] == [wrong["run_id"], good["run_id"]]

"""The page on self-repair names what the code has: options, statuses, JSON keys, stages, proposers, rules, settings."""

from __future__ import annotations

import ast
import re
from dataclasses import asdict, fields

import pytest

from automation.codebase.guard import Finding
from automation.codebase.landing import Land
from automation.config import automation_setting_names
from automation.config_sections import ROLES
from automation.incidents.records import Incident, Kind
from automation.pipeline.graph import STAGES, build_graph
from automation.pipeline.nightly_report import NightlyResult
from automation.pipeline.requests import FixRequest
from automation.pipeline.result import FixResult
from automation.pipeline.stages.propose import share_of
from automation.pipeline.state import Status
from automation.repair.records import Place
from automation.requests import option_name
from tests.doc_pages import MAINTENANCE, ROOT, region, table, table_rows

RESULT = FixResult("20261121-091233-5e1f", 0, "shop", "runs/20261121-091233-5e1f", Status.UNFIXED)
NIGHT = NightlyResult(0, "shop", 1.0)


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("fix json", RESULT.as_json()),
        ("incident json", [field.name for field in fields(Incident)]),
        ("place json", [field.name for field in fields(Place)]),
        ("finding json", [field.name for field in fields(Finding)]),
        ("nightly json", NIGHT.as_json()),
    ],
)
def test_the_tables_of_the_json_name_every_key(name: str, keys: list[str]) -> None:
    assert sorted(table(name, MAINTENANCE)) == sorted(keys)


def test_the_table_of_options_is_complete() -> None:
    names = [option_name(name, field) for name, field in FixRequest.model_fields.items()]
    rows = table_rows("fix options", MAINTENANCE)
    assert sorted(row[0].strip("`") for row in rows) == sorted([*names, "--json"])


def test_every_status_has_its_exit_code() -> None:
    shown = {row[0].strip("`"): int(row[1].strip("`")) for row in table_rows("statuses", MAINTENANCE)}
    assert shown == {
        status.value: int(FixResult(**{**asdict(RESULT), "status": status}).exit_code) for status in Status
    }


@pytest.mark.parametrize(
    ("name", "members"), [("stages", [*STAGES]), ("landing", [land.value for land in Land]), ("kinds", [*Kind])]
)
def test_the_tables_of_stages_landings_and_kinds_are_complete(name: str, members: list[str]) -> None:
    assert [row[0].strip("`") for row in table_rows(name, MAINTENANCE)] == members


def test_every_proposer_has_its_share() -> None:
    shown = {row[0].strip("`"): int(row[1].rstrip("%")) / 100 for row in table_rows("proposers", MAINTENANCE)}
    assert shown == {tier: share_of(tier) for tier in shown}
    source = (ROOT / "automation" / "pipeline" / "stages" / "localise.py").read_text(encoding="utf-8")
    lists = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.List)]
    asked = [str(item.value) for node in lists for item in node.elts if isinstance(item, ast.Constant)]
    assert sorted(shown) == sorted(asked)


def test_every_rule_of_the_guard_has_a_row() -> None:
    folder = ROOT / "automation" / "codebase"
    files = [folder / "guard.py", *(folder / "guard_rules").glob("*.py")]
    calls = [
        node
        for file in files
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("Finding", "Trait")
    ]
    rules = {str(call.args[0].value) for call in calls if isinstance(call.args[0], ast.Constant)}
    assert rules, "the guard states its rules in another way now"
    assert sorted(table("guard rules", MAINTENANCE)) == sorted(rules)


def test_every_setting_of_the_maintenance_wing_has_a_row() -> None:
    rows = re.findall(r"^\| `([\w.]+)`", region(MAINTENANCE, "configuration"), re.MULTILINE)
    named = [
        name for row in rows for name in ([row.replace("ROLE", role) for role in ROLES] if "ROLE" in row else [row])
    ]
    assert sorted(named) == sorted(automation_setting_names())


def test_the_picture_of_the_graph_shows_every_stage_and_every_route() -> None:
    picture = region(MAINTENANCE, "pipeline-graph")
    drawn = set(re.findall(r"^\t(\w+) (?:-->|-\.->) (\w+);$", picture, re.MULTILINE))
    graph = build_graph().get_graph()
    assert drawn == {(edge.source, edge.target) for edge in graph.edges}
    assert {*STAGES, "__start__", "__end__"} == {name for edge in drawn for name in edge}

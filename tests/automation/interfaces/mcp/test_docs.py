"""The page on MCP lists what the server offers; this module, run alone, writes its lists anew."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from automation.interfaces.mcp.requests import McpRequest
from automation.interfaces.mcp.resources import RESOURCES
from automation.interfaces.mcp.schemas import tool_name
from automation.interfaces.mcp.symbol_tools import EDIT_TOOLS, READ_TOOLS
from automation.registry import gridbot_registry
from automation.requests import option_name
from tests.doc_pages import blocks, region
from trading.commands import Face, Permission, permission

PAGE = Path(__file__).resolve().parents[4] / "docs" / "mcp.md"
_MEANS = {Permission.RUN: "runs", Permission.ASK: "asks first"}


def generated() -> Iterator[tuple[str, str]]:
    rows = []
    for command in gridbot_registry():
        allowed = permission(command, Face.MCP)
        with_money = permission(command, Face.MCP, money=True)
        if with_money is not Permission.REFUSED:
            word = _MEANS.get(allowed, "with `--enable-money`, asks first")
            rows.append(f"| `{tool_name(command)}` | {command.summary} | {word} |\n")
    yield "mcp-commands", "".join(("| tool | what it does | |\n|---|---|---|\n", *rows))
    symbols = [f"| `{one.name}` | {one.summary} | answers at once |\n" for one in READ_TOOLS]
    symbols += [f"| `{one.name}` | {one.summary} | goes the one road |\n" for one in EDIT_TOOLS]
    yield "mcp-symbols", "".join(("| tool | what it does | |\n|---|---|---|\n", *symbols))
    shown = [f"| `{uri}` | {meaning} |\n" for uri, _, meaning, _, _ in RESOURCES]
    yield "mcp-resources", "".join(("| resource | what it holds |\n|---|---|\n", *shown))


@pytest.mark.parametrize(("name", "text"), list(generated()), ids=lambda part: str(part)[:20].split("\n")[0])
def test_the_page_lists_what_the_server_offers(name: str, text: str) -> None:
    assert region(PAGE, name).strip() == text.strip(), "run `python -m tests.automation.interfaces.mcp.test_docs`"


def test_the_page_names_every_option_and_its_examples_are_json() -> None:
    page = PAGE.read_text()
    for name, field in McpRequest.model_fields.items():
        assert f"`{option_name(name, field)}" in page
    shown = [json.loads(block.text) for block in blocks(PAGE) if block.language == "json"]
    assert [next(iter(each)) for each in shown] == ["mcpServers", "servers", "servers"]


def write() -> None:
    text = PAGE.read_text()
    for name, part in generated():
        pattern = rf"(<!-- {name}: generated -->\n).*?(<!-- /{name} -->)"
        text = re.sub(pattern, lambda found, part=part: f"{found[1]}{part}{found[2]}", text, flags=re.DOTALL)
    PAGE.write_text(text)


if __name__ == "__main__":
    write()

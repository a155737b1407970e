"""Settings are shown as one would type them, and secrets never."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from automation.interfaces.console.context import ConsoleContext
from automation.interfaces.console.data.settings import read_settings, setting_row, typed
from automation.registry import gridbot_registry
from tests.automation.interfaces.console.piloting import OneAtATime
from trading.errors import Refused


@pytest.mark.slow
def test_both_wings_are_read_and_a_broken_file_is_told(
    own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ConsoleContext(own_home, tmp_path, gridbot_registry(), OneAtATime(tmp_path), lambda: 0)
    rows = {row.name: row for row in read_settings(context)}
    assert rows["grid.spacing"].wing == "trading"
    assert rows["approval.always_ask"].wing == "automation"
    assert rows["home"].value == str(own_home)
    assert rows["grid.spacing"].fits(("spacing", "grid"))
    broken = tmp_path / "own.json"
    broken.write_text("{")
    monkeypatch.setenv("GRIDBOT_AUTOMATION_CONFIG", str(broken))
    with pytest.raises(Refused, match=r"own\.json, line 1 is not valid JSON"):
        read_settings(context)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (True, "true"),
        (0.5, "0.5"),
        ("a b", "a b"),
        (["a", "b"], "a, b"),
        ([], "none"),
        ({"a": 1}, '{"a": 1}'),
    ],
)
def test_values_stand_as_one_would_type_them(value: object, text: str) -> None:
    assert typed(value) == text


@pytest.mark.parametrize("name", ["exchange.secret", "alerts.bot_token", "mail.password", "exchange.api_key"])
def test_a_secret_is_never_shown(name: str) -> None:
    told: Mapping[str, object] = {"value": "s3cr3t", "source": "environment", "meaning": "the key"}
    row = setting_row("trading", name, told)
    assert "s3cr3t" not in repr(row)
    assert setting_row("trading", "budget.tokens_per_run", {"value": 5}).value == "5"

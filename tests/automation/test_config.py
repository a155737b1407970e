"""The maintenance wing's configuration: where it is read from, what it refuses, and how it is set and explained."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation.config import (
    automation_field,
    automation_setting_names,
    automation_value,
    config_of,
    config_with_sources,
    load_automation_config,
)
from automation.config_commands import explain_config, set_config, show_automation_config
from automation.config_entries import AUTOMATION_CONFIG_COMMANDS
from automation.config_requests import AutomationConfigRequest, ExplainConfigRequest, SetConfigRequest
from automation.config_sections import ROLES, AutomationConfig
from automation.errors import ConfigInvalid
from trading.commands import result_of
from trading.errors import ExitCode
from trading.settings import setting_names

TOP = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OLLAMA_HOST", "GRIDBOT_AUTOMATION_CONFIG"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "automation_config.json"
    path.write_text(json.dumps({"repair": {"samples": 3}, "nightly": {"minutes": 5.0}}))
    return path


def test_file_of_the_checkout_holds_the_defaults() -> None:
    text = (TOP / "automation_config.json").read_text()
    assert json.loads(text) == AutomationConfig().model_dump(mode="json")
    assert list(json.loads(text)) == list(AutomationConfig().model_dump())
    assert load_automation_config() == AutomationConfig()


def test_roles_are_those_of_the_design() -> None:
    config = AutomationConfig()
    assert [config.role(name).model for name in ROLES] == ["qwen3:1.7b", "deepseek-coder", "smollm2:1.7b", "all-minilm"]
    assert config.role("debugger").fallbacks == ("qwen2.5-coder:1.5b", "qwen2.5-coder:0.5b", "smollm2:135m")
    with pytest.raises(ConfigInvalid, match="orchestrator, debugger"):
        config.role("cook")


def test_stated_file_stands_above_variable_and_variable_above_checkout(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other.json"
    other.write_text('{"repair": {"samples": 1}}')
    monkeypatch.setenv("GRIDBOT_AUTOMATION_CONFIG", str(other))
    assert load_automation_config().repair.samples == 1
    assert load_automation_config(file).repair.samples == 3


def test_file_in_the_working_directory_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # It may be the repository under repair, which must not choose its own policy.
    (tmp_path / "automation_config.json").write_text('{"approval": {"always_ask": []}}')
    monkeypatch.chdir(tmp_path)
    assert load_automation_config().approval.always_ask == ("trading/engine", "trading/orders", "trading/brokers")


def test_what_a_file_leaves_out_has_its_default_inside_a_role_too(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.write_text('{"models": {"roles": {"debugger": {"temperature": 0.5}}}}')
    role = load_automation_config(path).role("debugger")
    assert (role.model, role.temperature, role.max_tokens) == ("deepseek-coder", 0.5, 1024)


def test_variable_of_ollama_overrides_its_address_and_is_named_as_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:9999")
    config, sources = config_with_sources()
    assert config.models.ollama_url == "127.0.0.1:9999"
    assert sources["models.ollama_url"] == "environment OLLAMA_HOST"


@pytest.mark.parametrize(
    ("tree", "words"),
    [
        ({"repair": {"sampels": 3}}, "repair.sampels .*did you mean repair.samples"),
        ({"modles": {}}, "no setting modles .*did you mean models"),
        ({"models": {"roles": {"debuger": {}}}}, "models.roles.debuger.*did you mean models.roles.debugger"),
        ({"models": {"roles": {"debugger": {"temprature": 1}}}}, "did you mean models.roles.debugger.temperature"),
        ({"repair": {"samples": -1}}, "repair.samples cannot be '-1' .*greater than or equal to 0.*it means: whole"),
        ({"models": {"backend": "gpu"}}, "models.backend cannot be 'gpu'.*'auto', 'ollama', 'embedded' or 'none'"),
        ({"models": {"roles": {"debugger": {"model": "a b"}}}}, "models.roles.debugger.model cannot be 'a b'"),
        ({"approval": {"always_ask": ["/etc"]}}, "inside the repository"),
        ({"approval": {"always_ask": ["../x"]}}, "inside the repository"),
        ({"repair": {"samples": -1}}, "repair.samples"),
        ({"budget": 3}, "budget cannot be '3'"),
    ],
)
def test_mistake_is_named_with_what_is_right(tmp_path: Path, tree: dict[str, object], words: str) -> None:
    path = tmp_path / "c.json"
    path.write_text(json.dumps(tree))
    with pytest.raises(ConfigInvalid, match=words) as caught:
        load_automation_config(path)
    assert str(path) in str(caught.value)
    assert caught.value.exit_code is ExitCode.USAGE


@pytest.mark.parametrize(
    ("content", "words"),
    [(b'{\n"a": 1,\n}', "line 3 is not valid JSON"), (b"[]", "holds no JSON object"), (b"\xff\xfe", "not a text file")],
)
def test_file_that_is_no_configuration_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "c.json"
    path.write_bytes(content)
    with pytest.raises(ConfigInvalid, match=words):
        load_automation_config(path)


def test_missing_file_that_was_named_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid, match="No such file"):
        load_automation_config(tmp_path / "none.json")


def test_every_setting_says_what_it_means() -> None:
    names = automation_setting_names()
    assert len(names) > 40
    for name in names:
        assert automation_field(name).description, name


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz._", max_size=30))
def test_only_known_names_are_settings(name: str) -> None:
    if name in automation_setting_names():
        assert automation_field(name)
        return
    with pytest.raises(ConfigInvalid):
        automation_field(name)


@given(st.integers(0, 100), st.floats(0.1, 1e6), st.booleans())
def test_valid_values_survive_the_file(samples: int, minutes: float, memory: bool) -> None:
    tree = {"repair": {"samples": samples, "memory": memory}, "nightly": {"minutes": minutes}}
    config = config_of(tree)
    again = config_of(json.loads(json.dumps(config.model_dump(mode="json"))))
    assert again == config
    assert (config.repair.samples, config.repair.memory, config.nightly.minutes) == (samples, memory, minutes)


def test_show_names_value_source_and_meaning(file: Path) -> None:
    shown = result_of(show_automation_config(AutomationConfigRequest(config=file))).as_json()
    assert shown["repair.samples"] == {
        "value": 3,
        "source": "automation_config.json",
        "meaning": "whole functions that the model writes for one place",
    }
    assert shown["repair.fim_samples"]["source"] == "default"  # type: ignore[index]
    assert tuple(shown) == automation_setting_names()


def test_set_writes_one_value_and_keeps_order_and_mode(file: Path) -> None:
    file.chmod(0o640)
    result = result_of(set_config(SetConfigRequest(config=file, name="repair.samples", value="5")))
    assert (result.before, result.after, result.exit_code) == (3, 5, ExitCode.DONE)
    assert json.loads(file.read_text()) == {"repair": {"samples": 5}, "nightly": {"minutes": 5.0}}
    assert list(json.loads(file.read_text())) == ["repair", "nightly"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_set_of_the_same_value_has_nothing_to_do(file: Path) -> None:
    before = file.read_bytes()
    result = result_of(set_config(SetConfigRequest(config=file, name="repair.samples", value="3")))
    assert result.exit_code is ExitCode.NOTHING_TO_DO
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "value", "after"),
    [
        ("approval.always_ask", "trading/engine,docs/", ["trading/engine", "docs"]),
        ("models.threads", "2", 2),
        ("models.threads", "none", None),
        ("nightly.benchmarks", "off", False),
        ("models.ollama_url", "http://127.0.0.1:1", "http://127.0.0.1:1"),
        ("models.roles.debugger.model", "qwen2.5-coder:1.5b", "qwen2.5-coder:1.5b"),
    ],
)
def test_value_is_read_as_its_setting_needs_it(tmp_path: Path, name: str, value: str, after: object) -> None:
    path = tmp_path / "new.json"
    path.write_text('{"models": {"threads": 1}}')
    assert result_of(set_config(SetConfigRequest(config=path, name=name, value=value))).after == after
    assert automation_value(load_automation_config(path), name) == after


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("repair.sampels", "3", "did you mean repair.samples"),
        ("models.roles", "3", "is a section"),
        ("repair.samples", "many", "repair.samples cannot be 'many'"),
        ("grid.spacing", "0.01", "setting of the trading wing"),
    ],
)
def test_refused_value_leaves_the_file_as_it_was(file: Path, name: str, value: str, words: str) -> None:
    before = file.read_bytes()
    with pytest.raises(ConfigInvalid, match=words):
        result_of(set_config(SetConfigRequest(config=file, name=name, value=value)))
    assert file.read_bytes() == before


def test_explain_knows_every_name_of_both_wings() -> None:
    for name in (*automation_setting_names(), *setting_names()):
        explained = result_of(explain_config(ExplainConfigRequest(name=name)))
        assert explained.meaning, name
        assert explained.kind, name
        assert explained.wing == ("trading" if name in setting_names() else "automation")


def test_explain_says_type_bounds_default_and_source() -> None:
    explained = result_of(explain_config(ExplainConfigRequest(name="models.roles.debugger.temperature")))
    assert (explained.kind, explained.allowed, explained.default) == ("number", "at least 0 and at most 2", 0.0)
    assert explained.source.endswith("automation_config.json")
    trading = result_of(explain_config(ExplainConfigRequest(name="grid.spacing")))
    assert (trading.kind, trading.allowed, trading.value) == ("number or none", "over 0 and at most 0.5", None)
    assert "GRIDBOT_GRID__SPACING" in trading.how_to_set


def test_explain_names_the_closest_setting() -> None:
    with pytest.raises(ConfigInvalid, match=r"did you mean sandbox\.memory_mb"):
        result_of(explain_config(ExplainConfigRequest(name="sandbox.memory")))


def test_entries_load_what_they_name() -> None:
    for entry in AUTOMATION_CONFIG_COMMANDS:
        assert callable(entry.load_function())
        assert entry.load_request().model_fields

"""Every command has a form, and what a form hands back is what the command line would have."""

from __future__ import annotations

import shlex

import pytest

from automation.interfaces.command_line import parse_line
from automation.interfaces.console.fields import Kind, filled_of, form_fields, values_of
from automation.registry import gridbot_registry
from automation.requests import build_request, command_text
from trading.commands import Command
from trading.errors import UsageError

REGISTRY = gridbot_registry()


@pytest.mark.parametrize("command", [pytest.param(one, id=one.name) for one in REGISTRY])
def test_a_form_filled_in_as_an_example_asks_for_the_same_as_the_example(command: Command) -> None:
    model = command.load_request()
    fields = form_fields(model)
    assert {field.name for field in fields} == set(model.model_fields) - {"home"}
    required = [field.required for field in fields]
    assert required == sorted(required, reverse=True)
    for example in command.examples:
        typed = parse_line(REGISTRY, example)
        assert typed.command is command
        filled = {field.name: filled_of(field, typed.values.get(field.name)) for field in fields}
        values = values_of(fields, filled)
        assert build_request(model, values, command.name) == build_request(model, typed.values, command.name)


@pytest.mark.parametrize("command", [pytest.param(one, id=one.name) for one in REGISTRY])
def test_a_command_line_made_of_values_parses_into_the_same_values(command: Command) -> None:
    for example in command.examples:
        typed = parse_line(REGISTRY, f"gridbot {example}")
        again = parse_line(REGISTRY, command_text(command, typed.values))
        model = command.load_request()
        assert build_request(model, again.values, command.name) == build_request(model, typed.values, command.name)


def test_fields_tell_kind_choices_defaults_and_meaning() -> None:
    fields = {field.name: field for field in form_fields(REGISTRY["fix"].load_request())}
    assert fields["approve"].kind is Kind.FLAG
    assert (fields["land"].kind, "branch" in fields["land"].choices) == (Kind.CHOICE, True)
    assert fields["tests"].hint == "pytest -q"
    assert "Time for the whole run" in fields["max_minutes"].meaning
    backtest = form_fields(REGISTRY["backtest"].load_request())
    assert (backtest[0].name, backtest[0].required, backtest[0].kind) == ("candles", True, Kind.LIST)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("no such thing", "there is no command 'no such'"),
        ("gridbot", "there is no command ''"),
        ("stop", "missing argument 'SESSION'"),
        ("stop one --flat-out", "no such option: --flat-out"),
        ("backtest 'one", "no closing quotation"),
        ("fix --max-minutes -3", "--max-minutes cannot be '-3'"),
        ("fix --land somewhere", "--land"),
    ],
)
def test_a_line_that_is_no_command_line_is_told_in_one_sentence(line: str, words: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_line(REGISTRY, line)
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_a_line_is_parsed_without_running_anything_and_help_is_told_apart() -> None:
    parsed = parse_line(REGISTRY, "gridbot stop one --flatten --home /tmp/elsewhere")
    assert (parsed.command.name, parsed.help) == ("stop", False)
    assert parsed.values == {"session": "one", "flatten": True, "home": "/tmp/elsewhere"}
    assert parse_line(REGISTRY, "sessions show --help").help
    words = shlex.join(["config", "explain", "--", "--not an option"])
    assert parse_line(REGISTRY, words).values == {"name": "--not an option"}

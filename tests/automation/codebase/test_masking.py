"""Secrets are masked, and source code stays as it is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation.codebase import masking
from automation.codebase.masking import MASK, masked, masked_values

EXCHANGE_KEY = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("openai sk-abcdefghijklmnop1234 end", "sk-abcdefghijklmnop1234"),
        ("ghp_" + "a1B2" * 9, "a1B2a1B2"),
        ("github_pat_" + "a1B2" * 9, "a1B2a1B2"),
        ("AKIAIOSFODNN7EXAMPLE", "IOSFODNN7EXAMPLE"),
        ("hf_" + "aB" * 12, "aBaB"),
        ("xoxb-12345678901-abcdef", "12345678901"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcDEF_-12", "eyJzdWIiOiIxIn0"),
        (f"key {EXCHANGE_KEY} was refused", EXCHANGE_KEY),
        ("-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\nabc\n-----END EC PRIVATE KEY-----", "MHcCAQEE"),
        ("-----BEGIN PRIVATE KEY-----\nMHcCAQEE\ncut off", "cut off"),
        ("Authorization: Bearer abcdef123456", "abcdef123456"),
        ("postgres://bot:hunter2@db/x", "hunter2"),
        ('api_key = "abcdef12"', "abcdef12"),
        ("{'api_secret': 'abcdef12'}", "abcdef12"),
        ("password='correct-horse'", "correct-horse"),
        ("BINANCE_API_SECRET=abcdef12 python bot.py", "abcdef12"),
        ("GET /order?symbol=BTC&signature=c8db56825ae71d6d", "c8db56825ae71d6d"),
    ],
)
def test_secret_is_masked(text: str, secret: str) -> None:
    hidden = masked(text, {})
    assert secret not in hidden
    assert MASK in hidden


@pytest.mark.parametrize(
    "text",
    [
        "rows = sorted(rows, key=lambda row: row.time)",
        "parse(token=next_token(stream), keys=names)",
        "{'key': 'timestamp', 'keys': ['a', 'b']}",
        "secret = load_secret(name)",
        "sha256 1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        "assert monkey == 'patched value'",
        "https://example.org:8080/path@version",
    ],
)
def test_source_code_stays_as_it_is(text: str) -> None:
    assert masked(text, {}) == text


def test_values_of_secret_variables_are_masked_wherever_they_stand() -> None:
    environment = {
        "EXCHANGE_SECRET": "swordfish-7",
        "EXCHANGE_SECRET_LONG": "swordfish-7-and-more",
        "HOME": "/home/someone",
        "SHORT_KEY": "1",
    }
    text = "swordfish-7-and-more swordfish-7 /home/someone 1"
    assert masked(text, environment) == f"{MASK} {MASK} /home/someone 1"
    assert masked_values(text, environment) == f"{MASK} {MASK} /home/someone 1"


def test_environment_of_the_process_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "open sesame")
    assert masked("say open sesame now") == f"say {MASK} now"


def test_halves_of_a_secret_around_an_ellipsis_are_masked():
    environment = {"EXCHANGE_SECRET": "correct-horse-battery"}
    assert masked("['corre...ttery', 'core...tory']", environment) == "['***...***', 'core...tory']"
    assert masked("['ghp_a1B2c3D...9J0xyz']", {}) == "['***']"


def test_prompts_lose_secret_values_and_nothing_else() -> None:
    code = 'api_key = "abcdef12"  # used by swordfish-7'
    assert masked_values(code, {"A_TOKEN": "swordfish-7"}) == f'api_key = "abcdef12"  # used by {MASK}'


@given(st.text(max_size=200))
def test_masking_twice_changes_nothing_more(text: str) -> None:
    once = masked(text, {})
    assert masked(once, {}) == once


def test_file_runs_alone_by_its_path() -> None:
    code = (
        "import importlib.util, sys; spec = importlib.util.spec_from_file_location('m', sys.argv[1]);"
        "m = importlib.util.module_from_spec(spec); spec.loader.exec_module(m); print(m.masked('sk-' + 'a' * 20))"
    )
    path = Path(masking.__file__)
    answer = subprocess.run([sys.executable, "-I", "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == MASK

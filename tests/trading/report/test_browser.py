"""The report in a real browser: the charts draw, nothing is logged as an error, nothing is asked of the network."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.trading.report.example import example_result
from trading.report import write_report

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--enable-logging=stderr",
    "--virtual-time-budget=5000", "--dump-dom", "--host-resolver-rules=MAP * ~NOTFOUND",
)  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> str:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(f"no browser is installed (looked for {', '.join(BROWSERS)})")
    return found


def opened(browser: str, page: Path, query: str, folder: Path, *flags: str) -> tuple[str, str, Path]:
    log = folder / "net.json"
    command = [
        browser,
        *FLAGS,
        *flags,
        f"--user-data-dir={folder / 'profile'}",
        f"--log-net-log={log}",
        page.as_uri() + query,
    ]
    # On a busy machine the browser may write the page down before its scripts have run: it gets another chance.
    for _ in range(3):
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        if "data-ready=" in done.stdout or "data-ready" not in page.read_text(encoding="utf-8"):
            break
    return done.stdout, done.stderr, log


def requested(log: Path) -> set[str]:
    """Addresses that the page asked for; the browser's own errands carry "not an origin" as their initiator."""
    asked = (event.get("params", {}) for event in json.loads(log.read_text())["events"])
    by_page = (params for params in asked if params.get("initiator") not in (None, "not an origin"))
    return {params["url"] for params in by_page if not params.get("url", "file:").startswith(("file:", "data:"))}


@pytest.mark.parametrize(("query", "flags"), [("?theme=light", ()), ("?theme=dark", ("--window-size=390,844",))])
def test_charts_draw_without_errors_or_network(
    browser: str, tmp_path: Path, query: str, flags: tuple[str, ...]
) -> None:
    result = example_result(3_000)
    dom, console, log = opened(browser, write_report(result, tmp_path), query, tmp_path, *flags)
    tag = re.search(r"<html[^>]*>", dom)[0]
    assert 'data-ready="true"' in tag
    assert "data-error" not in tag
    assert f'data-fills="{len(result.fills)}"' in tag
    assert 'data-bars="3000"' in tag
    assert dom.count("<canvas") >= 8
    assert not re.findall(r".*CONSOLE.*", console)
    assert not requested(log)


def test_injection_does_not_run(browser: str, tmp_path: Path) -> None:
    evil = "</script><script>document.documentElement.dataset.owned=1</script><img src=x onerror=alert(1)>/USDT"
    dom, _, log = opened(browser, write_report(example_result(300, symbol=evil), tmp_path), "", tmp_path)
    tag = re.search(r"<html[^>]*>", dom)[0]
    assert 'data-ready="true"' in tag
    assert "data-owned" not in tag
    assert not requested(log)


def test_network_log_would_show_a_request(browser: str, tmp_path: Path) -> None:
    page = tmp_path / "loud.html"
    page.write_text("<!doctype html><img src='http://example.invalid/pixel.png'>")
    _, _, log = opened(browser, page, "", tmp_path)
    assert requested(log) == {"http://example.invalid/pixel.png"}

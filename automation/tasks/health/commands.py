"""The command `health`."""

from __future__ import annotations

from collections.abc import Generator

from automation.config import load_automation_config
from automation.config_sections import AutomationConfig
from automation.errors import ConfigInvalid
from automation.pipeline.health import Check, health_checks
from automation.tasks.health.machine import machine_checks
from automation.tasks.health.requests import HealthRequest
from automation.tasks.health.results import HealthResult
from automation.tasks.health.trading import trading_checks
from trading.commands import Progress
from trading.setting_sources import data_home


def health(request: HealthRequest) -> Generator[Progress, None, HealthResult]:
    """Check everything that GridBot needs; nothing is changed."""
    home = data_home(request.home)
    checks: list[Check] = []
    yield Progress("looking at the machine")
    checks += machine_checks(request.path)
    yield Progress("looking at disk, sandbox and models")
    try:
        config = load_automation_config()
    except ConfigInvalid:
        # told by a check of its own already
        config = AutomationConfig()
    checks += health_checks(request.path, home, config)
    yield Progress("looking at store, journals and keys" + ("" if request.offline else f", asking {request.exchange}"))
    checks += trading_checks(request, home)
    return HealthResult(tuple(checks))

"""The command `report`."""

from __future__ import annotations

import time
from collections.abc import Generator

from automation.improvement.commands import since_in_ms
from automation.tasks.health.commands import health
from automation.tasks.health.requests import HealthRequest
from automation.tasks.report.overview import overview
from automation.tasks.report.requests import ReportRequest
from automation.tasks.report.results import OverviewResult, write_page
from trading.commands import Progress
from trading.setting_sources import data_home


def report(request: ReportRequest) -> Generator[Progress, None, OverviewResult]:
    """Write one page on how everything stands, and say the most important of it."""
    now_ms = time.time_ns() // 1_000_000
    since_ms = since_in_ms(request.since, now_ms)
    found = yield from health(HealthRequest(home=request.home, path=request.path, offline=True))
    yield Progress("reading sessions and runs")
    return write_page(overview(data_home(request.home), found.checks, since_ms, now_ms), request.out)

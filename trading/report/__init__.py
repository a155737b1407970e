"""What a finished run looks like: the result with its JSON and text, and the self-contained HTML report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trading.lazy import on_first_use

if TYPE_CHECKING:
    from trading.report.html import render_report, write_report
    from trading.report.result import BacktestResult, GridLevels

__all__ = ["BacktestResult", "GridLevels", "render_report", "write_report"]

__getattr__ = on_first_use(
    __name__,
    {"BacktestResult": "result", "GridLevels": "result", "render_report": "html", "write_report": "html"},
)

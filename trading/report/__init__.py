"""What a finished run looks like: the result with its JSON and text, and the self-contained HTML report."""

from trading.report.html import render_report, write_report
from trading.report.result import BacktestResult, GridLevels

__all__ = ["BacktestResult", "GridLevels", "render_report", "write_report"]

"""Where a checkout of GridBot keeps its core, and the tests that were made of sessions that failed."""

from __future__ import annotations

CORE = "trading/sessions/decider.py"
FOLDER = "tests/trading/incidents"
SUPPORT = f"{FOLDER}/told_again.py"

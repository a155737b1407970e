"""The ledger of what was tried, paired benchmarks and reports on progress."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trading.lazy import on_first_use

if TYPE_CHECKING:
    from automation.improvement.command_timing import compare_commands
    from automation.improvement.ledger import Ledger, ledger_path
    from automation.improvement.paired import Comparison, compare
    from automation.improvement.records import RepairRecord, Status, Success

__all__ = [
    "Comparison",
    "Ledger",
    "RepairRecord",
    "Status",
    "Success",
    "compare",
    "compare_commands",
    "ledger_path",
]

__getattr__ = on_first_use(
    __name__,
    {
        "Comparison": "paired",
        "Ledger": "ledger",
        "RepairRecord": "records",
        "Status": "records",
        "Success": "records",
        "compare": "paired",
        "compare_commands": "command_timing",
        "ledger_path": "ledger",
    },
)

"""The compiled core and the same functions as plain Python make the same bytes."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from tests.trading.engine.tapes import BTC, BTC_FEE_IN_BASE, book_for, random_tape, settings_with
from trading.engine.loop import run

SCENARIOS = (
    (1, BTC, {}),
    (2, BTC_FEE_IN_BASE, {"fills": {"volume_share": 0.5, "rule": "touch"}}),
    (3, BTC, {"grid": {"order_style": "limit"}, "fills": {"latency_candles": 1}}),
    (4, BTC, {"limits": {"max_drawdown": 0.002, "flatten_on_halt": True, "cooldown_candles": 30}}),
    (5, BTC, {"market": {"spread": 0.003}, "size": {"kelly_min_trades": 1}}),
)


def fingerprint() -> str:
    """Return a hash over state, fills, intents and equity of every scenario."""
    digest = hashlib.sha256()
    for seed, market, sections in SCENARIOS:
        book, state, _ = book_for(settings_with(**sections), market)
        tape = random_tape(seed, 400, thin=seed % 2 == 0, volatility=0.004)
        equity = np.zeros(len(tape.timestamp), np.int64)
        run(book, tape, equity, 0, True)
        fills = book.fills
        assert len(fills) > 0
        assert book.core.halts > 0 or "limits" not in sections
        for part in (state.to_bytes(), fills.tobytes(), book.intents.tobytes(), equity.tobytes()):
            digest.update(part)
    return digest.hexdigest()


def test_compiled_core_equals_the_same_functions_uncompiled():
    here = Path(__file__)
    code = "from tests.trading.engine.test_uncompiled import fingerprint; print(fingerprint())"
    env = os.environ | {"NUMBA_DISABLE_JIT": "1", "PYTHONWARNINGS": "error::RuntimeWarning"}
    plain = subprocess.run(
        [sys.executable, "-c", code], env=env, cwd=here.parents[3], capture_output=True, text=True, check=False
    )
    assert plain.returncode == 0, plain.stderr
    assert plain.stdout.strip() == fingerprint()

"""Crossings, thresholds, ramps and what happened lately."""

from __future__ import annotations

import numpy as np
import pytest

from trading.signals.conditions import crossover, crossunder, overbought, oversold, ramp, recently


def test_crossover_counts_the_candle_that_gets_above_a_touch_included() -> None:
    series = np.array([1.0, 2.0, 3.0, 2.0, 1.0, 3.0])
    assert crossover(series, 2.0).tolist() == [False, False, True, False, False, True]
    assert crossunder(series, 2.0).tolist() == [False, False, False, False, True, False]
    other = np.array([2.0, 2.0, 2.0, 2.5, 0.5, 0.5])
    assert crossover(series, other).tolist() == [False, False, True, False, True, False]
    assert crossunder(series, other).tolist() == [False, False, False, True, False, False]


def test_nothing_crosses_what_is_unknown() -> None:
    series = np.array([1.0, np.nan, 3.0, 1.0])
    assert crossover(series, 2.0).tolist() == [False, False, False, False]
    assert crossunder(series, 2.0).tolist() == [False, False, False, True]
    assert not crossover(np.array([]), 1.0).size


def test_oversold_and_overbought_are_strict_and_false_at_unknown() -> None:
    oscillator = np.array([10.0, 30.0, 50.0, 70.0, 90.0, np.nan])
    assert oversold(oscillator).tolist() == [True, False, False, False, False, False]
    assert overbought(oscillator).tolist() == [False, False, False, False, True, False]


def test_recently_includes_the_candle_of_the_event() -> None:
    event = np.array([False, True, False, False, False, True])
    assert recently(event, 1).tolist() == event.tolist()
    assert recently(event, 3).tolist() == [False, True, True, True, False, True]
    assert recently(event, 99).tolist() == [False, True, True, True, True, True]
    assert not recently(np.zeros(0, dtype=np.bool_), 3).size


def test_ramp_rises_either_way_and_is_zero_at_unknown() -> None:
    series = np.array([np.nan, 0.0, 1.0, 2.0, 3.0, 9.0])
    assert ramp(series, 1.0, 3.0).tolist() == pytest.approx([0.0, 0.0, 0.0, 0.5, 1.0, 1.0])
    assert ramp(series, 3.0, 1.0).tolist() == pytest.approx([0.0, 1.0, 1.0, 0.5, 0.0, 0.0])

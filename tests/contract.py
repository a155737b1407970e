"""What other tools rely on in the JSON of a backtest: each key and the type of its value."""

from __future__ import annotations

NUMBER, COUNT, TEXT = (int, float), int, str
MAYBE = type(None)
CONTRACT = {
    "symbol": TEXT, "timeframe": TEXT, "candles": COUNT, "start": TEXT, "end": TEXT, "capital": NUMBER,
    "final_equity": NUMBER, "currency": TEXT, "halted": (str, MAYBE), "metrics": dict, "monthly_returns": dict,
    "params": dict, "agents": list, "timing": dict, "trade_hash": TEXT, "fill_rules": dict, "data_quality": dict,
}  # fmt: skip
METRICS = {
    "total_return": NUMBER, "annualized_return": NUMBER, "buy_and_hold_return": NUMBER, "sharpe": NUMBER,
    "sortino": NUMBER, "calmar": NUMBER, "max_drawdown": NUMBER, "max_drawdown_duration_ms": COUNT,
    "volatility": NUMBER, "win_rate": NUMBER, "profit_factor": NUMBER, "expectancy": NUMBER, "trades": COUNT,
    "fills": COUNT, "avg_win": NUMBER, "avg_loss": NUMBER, "largest_win": NUMBER, "largest_loss": NUMBER,
    "avg_holding_ms": COUNT, "fees": NUMBER, "fees_share_of_gross": (*NUMBER, MAYBE), "turnover": NUMBER,
    "exposure": NUMBER, "value_at_risk_95": NUMBER, "conditional_var_95": NUMBER, "best_hour": COUNT,
    "worst_hour": COUNT, "best_weekday": TEXT,
}  # fmt: skip

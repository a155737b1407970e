"""Runs of the decision core: backtests here, paper and live sessions on the same core."""

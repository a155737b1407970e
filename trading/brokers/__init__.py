"""Brokers: the one protocol by which a session trades, in its own core, or at a venue through ccxt."""

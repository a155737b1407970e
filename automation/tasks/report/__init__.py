"""One page on how everything stands: sessions, approvals, repairs, health."""

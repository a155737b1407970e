"""Templates that write a hot function's code in a faster way, one file a family; each draft is yet to be proven."""

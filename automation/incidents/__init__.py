"""What went wrong: failing tests, log tracebacks, hangs and crashes."""

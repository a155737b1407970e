"""The command that explains an error: its kind, its cause, its place, and what to do."""

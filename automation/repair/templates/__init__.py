"""Edits that often repair a fault, one family a file."""

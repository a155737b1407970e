"""Faces that are derived from the command registry."""

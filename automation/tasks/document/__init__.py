"""``gridbot document``: docstrings that say more than the name does, written and mended without touching code."""

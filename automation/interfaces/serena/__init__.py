"""Serena as one more backend of the symbol tools, and the notes that agents such as it read about this repository."""

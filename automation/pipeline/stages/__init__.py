"""The stages of a repair, one a file: each takes the desk and the state and returns what changed."""

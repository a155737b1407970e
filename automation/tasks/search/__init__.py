"""The command that finds code by name, by words and by meaning."""

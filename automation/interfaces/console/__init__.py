"""The console: the registry's commands and everything worth watching, in one terminal."""

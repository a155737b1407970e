"""Reading and editing a repository by symbol, as agents ask for it."""

"""Code that runs inside the sandbox, loaded by file path: the standard library only."""

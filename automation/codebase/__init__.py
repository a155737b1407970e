"""Source files, edits, private workspaces, sandboxed runs and the patch guard."""

"""VS Code: tasks, launch configurations, settings and shortcuts, derived from the registry."""

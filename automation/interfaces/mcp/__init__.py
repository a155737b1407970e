"""The Model Context Protocol server: the registry's commands, symbol tools, resources and prompts for other programs."""

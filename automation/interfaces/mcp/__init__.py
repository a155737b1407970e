"""The Model Context Protocol server: commands, symbol tools, resources and prompts for other programs."""

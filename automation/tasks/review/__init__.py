"""``gridbot review``: measured parts of code quality, each with its findings, and a score from 0 to 10."""

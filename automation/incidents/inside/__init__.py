"""What runs inside the sandbox, under the target's own interpreter: stdlib and pytest only, loaded by file path."""

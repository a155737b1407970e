"""What runs inside the sandbox: examples are tried and doctests checked."""

"""What runs inside the sandbox under any Python from 3.9 on: standard library only, never ``import automation``."""

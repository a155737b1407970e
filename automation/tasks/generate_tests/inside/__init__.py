"""What runs inside the sandbox, loaded by file path, for any Python from 3.9 on."""

"""The console's screens, one a file; each is loaded when it is first looked at."""

"""What the console's screens show, read from the data home into frozen records; nothing here knows a terminal."""

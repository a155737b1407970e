"""Whether everything GridBot needs is there and sound, with a hint for what is not."""

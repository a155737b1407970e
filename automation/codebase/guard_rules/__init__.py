"""What a patch may not do: one file for each family of rules."""

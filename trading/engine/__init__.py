"""The decision core: grid, trailing, sizing and risk as pure, compiled functions over integer state."""

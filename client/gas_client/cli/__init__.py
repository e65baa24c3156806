"""The command `gas`."""

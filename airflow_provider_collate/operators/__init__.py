"""Operators: thin; what they do is in `hooks`."""

"""Declarations in files: YAML, JSON and JSON Lines, checked with the line of what is wrong."""

"""Measurements, run by hand: `python -m benchmarks`, or `make bench`. Each prints a table with what is asked of it."""

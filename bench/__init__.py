"""Measures the main path: what it costs, how fast it is beside its floors, and what must not creep up."""

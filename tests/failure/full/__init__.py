"""The full set of faults, on demand: `python -m tests.failure.full`."""

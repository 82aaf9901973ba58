"""What all tests need: a PostgreSQL per test run, a clinic in one process, waiting without sleep."""

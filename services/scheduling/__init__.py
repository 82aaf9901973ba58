"""Scheduling: the four-week guarantee, free time, first appointments, session series, the waitlist."""

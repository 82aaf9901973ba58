"""The demo: an embedded clinic, twelve stories, twelve weeks of care in time-lapse."""

"""The demo: an embedded clinic, twenty-four stories, twelve weeks of care in time-lapse."""

from deploy.demo.run import run

__all__ = ["run"]

"""Rows of `notifications`, and their tables."""

from services.notifications.models import rows, tables

__all__ = ["rows", "tables"]

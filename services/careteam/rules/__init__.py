"""Pure decisions of careteam: time and everything else is an argument."""

from services.careteam.rules import meetings, plans, progress, scoring, steps, teams

__all__ = ["meetings", "plans", "progress", "scoring", "steps", "teams"]

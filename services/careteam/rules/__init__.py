"""Pure decisions of careteam: time and everything else is an argument."""

from services.careteam.rules import acts, meetings, plans, progress, scoring, steps, teams

"""What may be done with what careteam owns: the tables of which routes and documents are made."""

from typing import Any

from services.careteam.operations import goals, meetings, patients, plans, tasks, teams
from shared.operations import OperationTable

TABLES: tuple[OperationTable[Any], ...] = (
    teams.TEAMS,
    plans.PLANS,
    goals.GOALS,
    meetings.MEETINGS,
    tasks.TASKS,
    patients.PATIENTS,
)

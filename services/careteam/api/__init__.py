"""The routes of careteam, by area."""

from services.careteam.api import (
    directory,
    examples,
    messages,
    outcomes,
    plans,
    reads,
    tasks,
    teams,
    worklist,
)

ROUTERS = (
    tasks.router,
    plans.router,
    teams.router,
    outcomes.router,
    messages.router,
    reads.router,
    directory.router,
    worklist.router,
)

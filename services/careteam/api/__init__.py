"""The routes of careteam, by area."""

from services.careteam.api import examples, messages, outcomes, plans, reads, tasks, teams

ROUTERS = (
    tasks.router,
    plans.router,
    teams.router,
    outcomes.router,
    messages.router,
    reads.router,
)

"""Every statement of careteam, by area; who may see which row stands in `scope`."""

from services.careteam.queries import (
    meetings,
    outcomes,
    patients,
    plans,
    scope,
    summary,
    tasks,
    teams,
    worklist,
)

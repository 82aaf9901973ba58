"""One linear program that gives visits to days: solved by HiGHS on one thread, the same each time.

The columns are amounts of a demand on a (group, day); rows say that no demand gets more than it asks for,
and no day more than it has. Another status than optimal is no plan.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import highspy
import numpy as np


class NotOptimal(Exception):
    """The solver ended without an optimal plan; its status says why."""


@dataclass(slots=True)
class Program:
    """Demands, places and what one unit of a demand is worth at a place, as they are added."""

    asked: list[float] = field(default_factory=list)
    places: list[float] = field(default_factory=list)
    worth: list[float] = field(default_factory=list)
    of_demand: list[int] = field(default_factory=list)
    at_place: list[int] = field(default_factory=list)

    def demand(self, amount: float) -> int:
        """Add a demand of so many visits, and return its number."""
        self.asked.append(amount)
        return len(self.asked) - 1

    def place(self, free: float) -> int:
        """Add a place at which so many visits are free, and return its number."""
        self.places.append(free)
        return len(self.places) - 1

    def allow(self, demand: int, place: int, worth: float) -> None:
        """Let a demand be met at a place, which is worth so much a visit."""
        self.of_demand.append(demand)
        self.at_place.append(place)
        self.worth.append(worth)

    def solved(self, *, iterations: int) -> Sequence[float]:
        """Return how much of each allowed pair the best plan uses. Raises NotOptimal."""
        if not self.worth:
            return []
        solver = _Silent()  # type: ignore[no-untyped-call]
        for option, value in _options(iterations).items():
            solver.setOptionValue(option, value)
        solver.passModel(self._model())
        solver.run()
        status = solver.getModelStatus()
        if status != highspy.HighsModelStatus.kOptimal:
            raise NotOptimal(solver.modelStatusToString(status))
        return list(solver.getSolution().col_value)

    def _model(self) -> highspy.HighsLp:
        columns, demands = len(self.worth), len(self.asked)
        model = highspy.HighsLp()
        model.num_col_, model.num_row_ = columns, demands + len(self.places)
        model.col_cost_ = np.array(self.worth)
        model.col_lower_ = np.zeros(columns)
        model.col_upper_ = np.full(columns, highspy.kHighsInf)
        model.row_lower_ = np.full(model.num_row_, -highspy.kHighsInf)
        model.row_upper_ = np.array([*self.asked, *self.places])
        model.sense_ = highspy.ObjSense.kMaximize
        rows = np.empty(2 * columns, dtype=np.int32)
        rows[0::2], rows[1::2] = self.of_demand, np.array(self.at_place) + demands
        model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        model.a_matrix_.start_ = np.arange(0, 2 * columns + 1, 2, dtype=np.int32)
        model.a_matrix_.index_ = rows
        model.a_matrix_.value_ = np.ones(2 * columns)
        return model


class _Silent(highspy.Highs):
    """A solver that writes nothing: it says who it is when its callbacks are enabled, before any option."""

    def enableCallbacks(self) -> None:
        self.setOptionValue("output_flag", False)
        super().enableCallbacks()  # type: ignore[no-untyped-call]


def _options(iterations: int) -> Mapping[str, bool | int | str]:
    return {
        "output_flag": False,
        "threads": 1,
        "parallel": "off",
        "solver": "simplex",
        "simplex_iteration_limit": iterations,
    }

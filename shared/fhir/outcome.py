"""OperationOutcome: every problem that was found, each with its place."""

from collections.abc import Sequence
from typing import Any

from shared.errors import Problem


def operation_outcome(problems: Sequence[Problem]) -> dict[str, Any]:
    """Render problems as an OperationOutcome."""
    return {"resourceType": "OperationOutcome", "issue": [_issue(problem) for problem in problems]}


def _issue(problem: Problem) -> dict[str, Any]:
    issue: dict[str, Any] = {"severity": problem.severity, "code": problem.code}
    if problem.text:
        issue["diagnostics"] = problem.text
    if problem.expression:
        issue["expression"] = [problem.expression]
    return issue

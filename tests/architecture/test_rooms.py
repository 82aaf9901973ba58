"""The rooms keep to themselves what the import contracts cannot see; each rule was seen to fail."""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path, PurePath

import pytest

from tests.architecture.house_rules import (
    catching_everything,
    clocks_and_random_ids,
    payloads_in_logs,
    sql_outside_queries,
)

ROOT = Path(__file__).parents[2]
Rule = Callable[[PurePath, ast.Module], Iterator[str]]
RULES: list[Rule] = [clocks_and_random_ids, sql_outside_queries, catching_everything, payloads_in_logs]
USE_CASE = "services/referral/use_cases/planted.py"
PLANTED: list[tuple[Rule, str, str]] = [
    (clocks_and_random_ids, USE_CASE, "at = datetime.now(UTC)"),
    (clocks_and_random_ids, USE_CASE, "day = datetime.date.today()"),
    (clocks_and_random_ids, USE_CASE, "from shared.clock import machine_now"),
    (clocks_and_random_ids, "services/referral/rules.py", "from uuid import uuid4"),
    (clocks_and_random_ids, "services/referral/rules.py", "key = ids.new_id()"),
    (clocks_and_random_ids, "services/referral/rules.py", "import random"),
    (sql_outside_queries, USE_CASE, "from sqlalchemy import select"),
    (sql_outside_queries, USE_CASE, "from sqlmodel import select"),
    (sql_outside_queries, USE_CASE, "await tx.rows(Referral, statement)"),
    (sql_outside_queries, "services/referral/handlers.py", "found = await tx.value('SELECT 1')"),
    (sql_outside_queries, "services/referral/api/read.py", "statement = 'SELECT id FROM referral'"),
    (catching_everything, USE_CASE, "try:\n    act()\nexcept Exception:\n    pass"),
    (catching_everything, "shared/db/database.py", "try:\n    act()\nexcept:\n    pass"),
    (catching_everything, "deploy/cli.py", "try:\n    act()\nexcept (KeyError, BaseException):\n    pass"),
    (payloads_in_logs, USE_CASE, "log.info('referral.received', referral=row.body)"),
    (payloads_in_logs, "shared/events/inbox/consumer.py", "log.error('event.failed', key=event.value)"),
    (payloads_in_logs, "shared/events/inbox/consumer.py", "log.error(f'event failed {event.id}')"),
    (payloads_in_logs, "shared/http/app.py", "structlog.get_logger().info('request', path=str(query))"),
    (payloads_in_logs, "shared/http/app.py", "logger().info('request', key=f'{resource}')"),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_tree_keeps_the_rule(rule: Rule) -> None:
    assert [violation for path in sources() for violation in rule(*parsed(path))] == []


@pytest.mark.parametrize(("rule", "path", "code"), PLANTED)
def test_a_planted_violation_is_seen(rule: Rule, path: str, code: str) -> None:
    assert list(rule(PurePath(path), ast.parse(code)))


def test_the_rules_let_the_usual_through() -> None:
    usual = "log.info('referral.accepted', referral=str(row.id), count=len(records))\nat = act.at"
    assert [found for rule in RULES for found in rule(PurePath(USE_CASE), ast.parse(usual))] == []


def test_there_is_something_to_look_at() -> None:
    assert len(sources()) > 100


def sources() -> list[Path]:
    """Give every source file of the product."""
    return sorted(path for part in ("services", "shared", "deploy") for path in (ROOT / part).rglob("*.py"))


def parsed(path: Path) -> tuple[PurePath, ast.Module]:
    """Give a file's place in the tree and its syntax."""
    return path.relative_to(ROOT), ast.parse(path.read_text())

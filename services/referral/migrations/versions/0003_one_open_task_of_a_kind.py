"""let the index over open Tasks of a kind cover every status that is open, and make two of a kind one first."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from alembic import op
from sqlalchemy import Connection

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_OPEN = "status IN ('requested', 'received', 'accepted', 'in-progress', 'on-hold')"
# Whoever has begun goes on; of two that nobody has begun the first asked stays.
_FURTHEST = "array_position(ARRAY['in-progress', 'accepted', 'received', 'on-hold', 'requested'], status)"
_SAME = sa.text(
    "SELECT array_agg(id ORDER BY " + _FURTHEST + ", id) AS ids FROM task"  # noqa: S608
    " WHERE " + _OPEN + " GROUP BY referral_id, code HAVING count(*) > 1"
)
_READ = sa.text("SELECT id, version, last_updated, body FROM task WHERE id = ANY(:ids) FOR UPDATE")
_KEEP = sa.text(
    "INSERT INTO resource_version (type, id, version, last_updated, body)"
    " SELECT 'Task', id::text, version, last_updated, body FROM task WHERE id = :id ON CONFLICT DO NOTHING"
)
_WRITE = sa.text(
    "UPDATE task SET version = version + 1, last_updated = :at, body = :body,"
    " status = coalesce(:status, status) WHERE id = :id"
)
_REASON = "It asked for the same as another open Task of this referral."
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])

Task = Mapping[str, Any]


def upgrade() -> None:
    """Change the schema; gives up instead of waiting behind a long transaction."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    connection = op.get_bind()
    for ids in connection.execute(_SAME).scalars().all():
        found = {task["id"]: dict(task) for task in connection.execute(_READ, {"ids": ids}).mappings()}
        _make_one(connection, [found[task_id] for task_id in ids])
    op.drop_index("one_open_task_of_a_kind", table_name="task")
    op.create_index(
        "one_open_task_of_a_kind",
        "task",
        ["referral_id", "code"],
        unique=True,
        postgresql_where=sa.text(_OPEN),
    )


def _make_one(connection: Connection, tasks: Sequence[Task]) -> None:
    """Keep the first Task, with the earliest due date of all of them, and cancel the others with a reason.

    Its owner stays, and so does a running escalation, whose timer names the referral and no Task.
    """
    stays, *others = tasks
    at = max(task["last_updated"] for task in tasks)
    due = min((date for task in tasks if (date := _due(task["body"]))), default=None)
    if due is not None and due != _due(stays["body"]):
        _write(connection, stays, at=at, members={"restriction": {"period": {"end": due}}})
    for task in others:
        ended = {"status": "cancelled", "statusReason": {"text": _REASON}}
        _write(connection, task, at=at, members=ended, status="cancelled")


def _due(body: bytes) -> str | None:
    """Give the due date of a Task: an instant in UTC, so that texts compare as times do."""
    end: str | None = msgspec.json.decode(body).get("restriction", {}).get("period", {}).get("end")
    return end


def _write(
    connection: Connection, task: Task, *, at: Any, members: Mapping[str, Any], status: str | None = None
) -> None:
    """Give a Task its next version, the one before goes to the history; other members keep their bytes."""
    connection.execute(_KEEP, {"id": task["id"]})
    meta = {
        **msgspec.json.decode(task["body"]).get("meta", {}),
        "versionId": str(task["version"] + 1),
        "lastUpdated": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
    body = msgspec.json.encode({**_MEMBERS.decode(task["body"]), **members, "meta": meta})
    connection.execute(_WRITE, {"id": task["id"], "at": at, "body": body, "status": status})
